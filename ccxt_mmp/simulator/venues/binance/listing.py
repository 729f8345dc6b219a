"""The options that the simulated Binance lists, and Binance's names of them."""

from ccxt_mmp.simulator.instruments import Series
from ccxt_mmp.simulator.listing import Listing
from ccxt_mmp.simulator.venues.binance.tables import VENUE

BTC_STRIKES = range(60_000, 165_000, 5_000)
ETH_STRIKES = range(2_000, 6_200, 200)


class BinanceListing(Listing):
    venue = VENUE
    series = (
        Series(VENUE, 'BTCUSDT', 'BTC', 'USDT', BTC_STRIKES, '1', '0.1', '0.01'),
        Series(VENUE, 'ETHUSDT', 'ETH', 'USDT', ETH_STRIKES, '1', '0.1', '0.01'),
    )
    first_order_id = 4611875134427365000  # a documented example: ids of this size do not survive a double

    def quote(self, series: Series) -> str:
        return series.settle

    def usual_settle(self, base: str, quote: str) -> str:
        return quote

    def underlying_id(self, base: str, quote: str, settle: str) -> str:
        return f'{base}{quote}'

    def option_prefix(self, series: Series) -> str:
        return series.base
