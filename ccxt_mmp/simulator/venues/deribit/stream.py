"""Deribit: the websocket is not simulated yet."""
