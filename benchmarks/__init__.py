"""Measurements of ccxt_mmp against the built-in simulator, beside stock ccxt and the exchanges' own clients."""
