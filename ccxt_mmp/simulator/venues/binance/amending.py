"""Binance: no option order can be amended, it is cancelled and placed again."""
