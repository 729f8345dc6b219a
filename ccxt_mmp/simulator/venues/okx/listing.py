"""The options that the simulated OKX lists, and OKX's names of them."""

from ccxt_mmp.simulator.instruments import Series
from ccxt_mmp.simulator.listing import Listing
from ccxt_mmp.simulator.venues.okx.tables import VENUE

BTC_STRIKES = range(60_000, 165_000, 5_000)
ETH_STRIKES = range(2_000, 6_200, 200)


class OkxListing(Listing):
    venue = VENUE
    series = (
        Series(VENUE, 'BTC-USD', 'BTC', 'BTC', BTC_STRIKES, '0.01', '0.0001', '1'),
        Series(VENUE, 'ETH-USD', 'ETH', 'ETH', ETH_STRIKES, '0.1', '0.0001', '1'),
        Series(VENUE, 'BTC-USD_UM', 'BTC', 'USD', BTC_STRIKES, '0.01', '5', '1'),
    )
    first_order_id = 312269865356374016  # a documented example: ids of this size do not survive a double

    def quote(self, series: Series) -> str:
        return series.underlying.partition('-')[2].partition('_')[0]

    def usual_settle(self, base: str, quote: str) -> str:
        return base

    def underlying_id(self, base: str, quote: str, settle: str) -> str:
        return f'{base}-{quote}' if settle == base else f'{base}-{quote}_UM'

    def option_prefix(self, series: Series) -> str:
        return series.underlying
