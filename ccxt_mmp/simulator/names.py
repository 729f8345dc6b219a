"""What an underlying may be called: the exchange's own id, or ccxt's unified names with the settle currency or without.

A table of its own, and not that of the mixins: a mistake in one must not cancel out in the other.
"""

from collections.abc import Mapping

from ccxt_mmp.simulator.instruments import Instrument, Series

VENUES = ('okx', 'binance')
BLOCK_TRADING = ('okx',)  # venues with a protection of no underlying


def unified_names(series: Series) -> tuple[str, ...]:
    """The one with the settle currency first; OKX's without it is settled in the coin."""
    quote = series.settle if series.venue == 'binance' else series.underlying.partition('-')[2].partition('_')[0]
    short = f'{series.base}/{quote}'
    is_short_enough = series.venue == 'binance' or series.settle == series.base
    return (f'{short}:{series.settle}', *([short] if is_short_enough else []))


def unified_symbol(option: Instrument, series: Series) -> str:
    return '-'.join([unified_names(series)[0], *option.instrument_id.split('-')[-3:]])


def require_venue(venue: object) -> None:
    if venue not in VENUES:
        raise ValueError(f'a venue is one of {", ".join(VENUES)}, not {venue}')


def underlying_id(venue: str, name: object, listed: Mapping[str, Series]) -> str:
    """The id of a listed underlying by any of its names."""
    require_venue(venue)
    for own_id, series in listed.items():
        if name in (own_id, *unified_names(series)):
            return own_id
    known = ', '.join(f'{own_id} ({unified_names(series)[-1]})' for own_id, series in listed.items())
    raise ValueError(f'{venue} lists no option of {name}, but of {known}')


def new_underlying_id(venue: str, name: str, base: str, settle: str) -> str:
    """The id of an underlying that is to be listed: a unified name says what it is settled in, an id is taken as is."""
    require_venue(venue)
    pair, _, settled = name.partition(':')
    coin, slash, quote = pair.partition('/')
    if not slash:
        return name
    settled = settled or (coin if venue == 'okx' else quote)
    if (coin, settled) != (base, settle):
        raise ValueError(f'{name} of {venue} is of {coin} and {settled}, not {base} and {settle}')
    if venue == 'binance':
        return f'{coin}{quote}'
    return f'{coin}-{quote}' if settled == coin else f'{coin}-{quote}_UM'
