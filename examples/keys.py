"""Where the examples get the keys of an exchange: from the environment, under the names of the command line."""

import os


def with_keys(exchange_class, **config):
    """An exchange object that trades for real, with the keys ``OKX_APIKEY``, ``OKX_SECRET``, ``OKX_PASSWORD``, ..."""
    exchange = exchange_class(config)
    for name, is_needed in exchange.requiredCredentials.items():
        variable = f'{exchange.id}_{name}'.upper()
        if is_needed and not os.environ.get(variable):
            raise SystemExit(f'{variable} is not in the environment; --simulate needs no keys')
        if is_needed:
            setattr(exchange, name, os.environ[variable])
    return exchange
