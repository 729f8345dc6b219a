"""From where cassettes are recorded: the simulator, or, by ``MMP_RECORD``, the exchanges.

With the credentials in the environment (``OKX_APIKEY``, ``OKX_SECRET``, ``OKX_PASSWORD``, ``BINANCE_APIKEY``,
``BINANCE_SECRET``, ``DERIBIT_APIKEY``, ``DERIBIT_SECRET``, ``BYBIT_APIKEY``, ``BYBIT_SECRET``)::

    MMP_RECORD=demo pytest tests/exchanges/test_cassettes.py --record-mode=rewrite

records from the demo hosts what an account can bring about by itself, and ``MMP_RECORD=live`` what only reads, from
the live hosts. It has not been done yet.
"""

import os

from ccxt_mmp.registry import EXCHANGES

SOURCE = os.environ.get('MMP_RECORD', 'simulator')

READS = {'fetch_mmp', 'fetch_mmp_rfq', 'fetch_mmps'}
BY_THE_ACCOUNT_ALONE = {
    *READS,
    'set_mmp',
    'set_mmp_group',
    'set_mmp_rfq',
    'set_mmp_unknown_family',
    'set_mmp_unknown_underlying',
    'set_mmp_window_out_of_range',
    'set_mmp_wrong_signature',
    'reset_mmp',
    'reset_mmp_rfq',
    'mass_cancel_mmp',
    'mass_cancel_mmp_with_lock',
}


def is_recordable(name, source=SOURCE):
    """Whether a behaviour can be recorded from a source; anything from the simulator."""
    return name in {'demo': BY_THE_ACCOUNT_ALONE, 'live': READS}.get(source, {name})


def exchange_to_record(flavour, exchange_id, source, environ, secret=None):
    """The exchange at its demo or live host, with the user's credentials."""
    fields = ('apiKey', 'secret', 'password')
    given = {field: environ.get(f'{exchange_id}_{field}'.upper(), '') for field in fields}
    exchange = flavour.exchange(exchange_id, **given, verify=True, enableRateLimit=True)
    exchange.secret = secret or exchange.secret
    if source == 'demo':
        getattr(exchange, EXCHANGES[exchange_id].sandbox_method)(True)
    return exchange
