"""The exchanges and what each is called: the doors, the command line, the simulator and the tests read it.

It is data alone. What an entry names is imported when it is asked for.
"""

from importlib import import_module
from typing import Any

__all__ = ['EXCHANGES', 'Exchange']


class Exchange:
    """An exchange: ``exchanges/<id>/`` has its mixin, ``simulator/venues/<id>/`` its simulated side."""

    id: str  # ccxt's
    name: str  # for people
    underlying: str  # an example: its unified name
    underlying_id: str  # and the exchange's own id of it
    underlying_field: str  # of the info of ccxt's markets, which has that id
    mixin_name: str
    venue_name: str
    path: str  # of its API
    contract_size: float  # of the underlying's coin
    credentials: tuple[str, ...]
    cancel_params: tuple[str, ...]  # of mass_cancel_mmp
    has_rfq: bool = False  # a protection of block trading, with the scope 'rfq'
    mmp_tag: str = ''  # of client ids, where no list of orders says which are MMP orders
    says_frozen: bool = True  # or its freezes are derived
    sandbox_method: str = 'set_sandbox_mode'  # of ccxt, that leads to its demo trading

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    @property
    def mixin(self) -> Any:
        """The class that adds the MMP methods of this exchange."""
        return getattr(import_module(f'ccxt_mmp.exchanges.{self.id}'), self.mixin_name)

    @property
    def venue(self) -> Any:
        """The class that answers as this exchange in the simulator."""
        return getattr(import_module(f'ccxt_mmp.simulator.venues.{self.id}'), self.venue_name)


EXCHANGES = {
    each.id: each
    for each in (
        Exchange(
            id='okx',
            name='OKX',
            underlying='BTC/USD',
            underlying_id='BTC-USD',
            underlying_field='instFamily',
            mixin_name='OkxMmp',
            venue_name='OkxVenue',
            path='/api/v5/',
            contract_size=0.01,
            credentials=('apiKey', 'secret', 'password'),
            cancel_params=('lockInterval', 'emulate'),
            has_rfq=True,
        ),
        Exchange(
            id='binance',
            name='Binance',
            underlying='BTC/USDT',
            underlying_id='BTCUSDT',
            underlying_field='underlying',
            mixin_name='BinanceMmp',
            venue_name='BinanceVenue',
            path='/eapi/v1/',
            contract_size=1,
            credentials=('apiKey', 'secret'),
            cancel_params=('includeNonMmp',),
            says_frozen=False,
            sandbox_method='enable_demo_trading',
        ),
        Exchange(
            id='deribit',
            name='Deribit',
            underlying='BTC/USD',
            underlying_id='btc_usd',
            underlying_field='price_index',
            mixin_name='DeribitMmp',
            venue_name='DeribitVenue',
            path='/api/v2/',
            contract_size=1,
            credentials=('apiKey', 'secret'),
            cancel_params=('includeNonMmp',),
            has_rfq=True,
        ),
        Exchange(
            id='bybit',
            name='Bybit',
            underlying='BTC',
            underlying_id='BTC',
            underlying_field='baseCoin',
            mixin_name='BybitMmp',
            venue_name='BybitVenue',
            path='/v5/',
            contract_size=1,
            credentials=('apiKey', 'secret'),
            cancel_params=('includeNonMmp',),
            mmp_tag='mmp-',
        ),
    )
}
