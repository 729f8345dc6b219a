"""What an emulated mass cancel costs as orders grow: time, requests and Binance's weight."""

from benchmarks.emulation import plugin_async
from benchmarks.measure import median
from benchmarks.report import Cell, Result
from benchmarks.venue import opened_venue

REPETITIONS = 5
# orders over contracts; the batches of the last would pass the weight of a minute, so single cancellations are sent
BOOKS = ((10, 5), (100, 50), (1000, 200), (1000, 500))


def run() -> Result:
    mass_cancel = plugin_async('binance', enableRateLimit=False)
    details: list[dict[str, Cell]] = []
    with opened_venue() as (venue, url):
        for orders, contracts in BOOKS:
            times, requests, weights = [], [], []
            for _ in range(REPETITIONS):
                book = venue.fill_book('binance', 'BTCUSDT', orders, contracts)
                times.append(mass_cancel(url, book))
                requests.append(venue.sent() - 1)  # but for the one that opened the connection
                weights.append(venue.weight() - 1)
                if venue.orders_left('binance', 'BTCUSDT'):
                    raise RuntimeError('a mass cancel left orders')
            milliseconds = median(times) * 1000
            details.append(
                {
                    'orders': orders,
                    'contracts': contracts,
                    'p50 ms': milliseconds,
                    'ms per order': milliseconds / orders,
                    'requests': round(median(requests)),
                    # the weight starts from 0 when the minute of the clock does
                    'weight': max(weights),
                }
            )
    notes = ['The exchange allows a weight of 2400 a minute; where batches would pass it, orders are cancelled singly.']
    return Result('scaling', f'binance, async, emulated, no latency, p50 of {REPETITIONS}', [], details, notes)
