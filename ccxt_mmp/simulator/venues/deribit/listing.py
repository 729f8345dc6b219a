"""The options, futures and perpetuals that the simulated Deribit lists, and Deribit's names of them."""

from decimal import Decimal

from ccxt_mmp.simulator.instruments import Instrument, Kind, Series
from ccxt_mmp.simulator.listing import Listing, day_month_year, expiries
from ccxt_mmp.simulator.venues.deribit.tables import VENUE

BTC_STRIKES = range(60_000, 165_000, 5_000)
ETH_STRIKES = range(2_000, 6_200, 200)
NEVER = 32503708800000  # the expiry of perpetuals, as documented


class DeribitListing(Listing):
    venue = VENUE
    series = (
        Series(VENUE, 'btc_usd', 'BTC', 'BTC', BTC_STRIKES, '1', '0.0001', '0.1'),
        Series(VENUE, 'eth_usd', 'ETH', 'ETH', ETH_STRIKES, '1', '0.0001', '1'),
        Series(VENUE, 'btc_usdc', 'BTC', 'USDC', BTC_STRIKES, '1', '5', '0.01'),
    )
    first_order_id = 349249  # a documented example
    has_unique_client_ids = False  # labels
    window_starts_with_fill = True

    def quote(self, series: Series) -> str:
        return 'USD' if series.settle == series.base else series.settle

    def usual_settle(self, base: str, quote: str) -> str:
        return base if quote == 'USD' else quote

    def underlying_id(self, base: str, quote: str, settle: str) -> str:
        return f'{base}_{quote}'.lower()

    def option_prefix(self, series: Series) -> str:
        return series.base if series.settle == series.base else f'{series.base}_{series.settle}'

    def option_id(self, series: Series, expiry: int, strike: int | str, side: str) -> str:
        # a strike of linear options has a d for the point
        return f'{self.option_prefix(series)}-{day_month_year(expiry)}-{str(strike).replace(".", "d")}-{side}'

    def order_id(self, number: int, instrument: Instrument) -> str:
        return f'{instrument.settle}-{number}'

    def others(self, series: Series, now: int) -> tuple[Instrument, ...]:
        """A perpetual, and a future of the last expiry."""
        expiry = expiries(now)[-1]
        return self._future(series, 'perpetual', 'PERPETUAL', NEVER), self._future(
            series, 'future', day_month_year(expiry), expiry
        )

    def _future(self, series: Series, kind: Kind, name: str, expiry: int) -> Instrument:
        is_inverse = series.settle == series.base
        return Instrument(
            venue=VENUE,
            instrument_id=f'{self.option_prefix(series)}-{name}',
            underlying=series.underlying,
            base=series.base,
            settle=series.settle,
            strike='',
            expiry=expiry,
            is_call=True,  # a coin of it has a delta of one
            listed=0,
            coins_per_contract=Decimal(1),
            tick='0.5',
            lot='10' if is_inverse else '0.0001',
            kind=kind,
            is_inverse=is_inverse,
        )
