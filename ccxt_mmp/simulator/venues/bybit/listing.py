"""The options that the simulated Bybit lists, and Bybit's names of them."""

from ccxt_mmp.simulator.instruments import Instrument, Series
from ccxt_mmp.simulator.listing import Listing, day_month_year
from ccxt_mmp.simulator.venues.bybit.tables import SETTLES, VENUE

BTC_STRIKES = range(60_000, 165_000, 5_000)
ETH_STRIKES = range(2_000, 6_200, 200)


class BybitListing(Listing):
    """The underlying is a coin: its options are settled in USDT or USDC, and one protection covers both."""

    venue = VENUE
    series = (
        Series(VENUE, 'BTC', 'BTC', 'USDT', BTC_STRIKES, '1', '5', '0.01'),
        Series(VENUE, 'BTC', 'BTC', 'USDC', BTC_STRIKES, '1', '5', '0.01'),
        Series(VENUE, 'ETH', 'ETH', 'USDT', ETH_STRIKES, '1', '0.1', '0.1'),
        Series(VENUE, 'ETH', 'ETH', 'USDC', ETH_STRIKES, '1', '0.1', '0.1'),
    )
    first_order_id = 0x5CF98598  # a documented example
    keeps_client_ids = True
    mixes_settles = True

    def quote(self, series: Series) -> str:
        return series.settle

    def usual_settle(self, base: str, quote: str) -> str:
        return quote

    def underlying_id(self, base: str, quote: str, settle: str) -> str:
        return base

    def option_prefix(self, series: Series) -> str:
        return series.base

    def option_id(self, series: Series, expiry: int, strike: int | str, side: str) -> str:
        usual = f'{self.option_prefix(series)}-{day_month_year(expiry)}-{strike}-{side}'
        return f'{usual}-USDT' if series.settle == 'USDT' else usual

    def order_id(self, number: int, instrument: Instrument) -> str:
        return f'{number:08x}-39a7-459e-97bf-76ca765ee020'

    def client_order_id(self, number: int) -> str:
        return f'other-client-{number:x}'

    def unified_names(self, series: Series) -> tuple[str, ...]:
        """Of a coin every one, the one with the series' own settle currency first."""
        settles = dict.fromkeys((self.quote(series), *SETTLES))
        pairs = [f'{series.base}/{settle}' for settle in SETTLES]
        return (*(f'{series.base}/{settle}:{settle}' for settle in settles), *pairs)
