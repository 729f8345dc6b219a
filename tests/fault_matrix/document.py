"""docs/faults.md, as it is written."""

from functools import partial
from pathlib import Path

from ccxt_mmp import MassCancelIncomplete
from tests.fault_matrix.bench import Bench
from tests.fault_matrix.methods import METHODS, NOT_KNOWN, Method, Observation
from tests.fault_matrix.rows import ROWS, Row

DOCUMENT = Path(__file__).parent.parent.parent / 'docs' / 'faults.md'

TITLE = """\
# When something goes wrong

What each method does if one of its requests goes wrong, as it was observed on the built-in simulator. The command
`python -m tests.fault_matrix` writes this page, and a test compares it with what it observes: it is not edited by hand.
The exchanges themselves have not been asked.

**In short.** Each fault is tried in each flavour. Nothing was ever reported as done that was not. *Some or all*: the
request took effect, at least in part, and no answer said so. After the errors of the last column, `fetch_mmp` or a list
of orders tells what there is. A mass cancel can be repeated.
"""
IN_SHORT = (
    'method',
    'tries',
    'returned the truth',
    'raised, nothing was done',
    'raised, some or all was done',
    'by these',
)
INTRODUCTION = """\
**Columns.** *What goes wrong* and *where*: "the call" is every request of it, an endpoint is the first request to it,
which fails once unless "and all after it" is said. *Raised or returned*: the error's class, or what is returned.
*Arrived*: the requests that reached the exchange. *Afterwards*: how things are on the exchange.

- *Repeatedly* stands for a number in the rows with "and all after it": how often a request is tried again in the time
  of a call depends on the machine.

- *No answer in time*: the request took effect, and its answer comes after `timeout` of the exchange object. Answers
  that never come again are not in the table, since how often they are asked for depends on the machine: a mass cancel
  then raises `RequestTimeout` or `MassCancelIncomplete` within its time.
- *Answer cut off*, *HTML with status 200*: the request took effect, and its answer cannot be read.
- *HTTP ...*: it did not take effect, though the client cannot know that of 500, 502 and 503.
- *HTTP 429*, *HTTP 418*: a mass cancel sends one cancel at a time (`concurrency` 1) in these rows. On Binance it sends
  nothing more after such an answer, so that what rests depends on how many were sent at once.
- `MassCancelIncomplete` has its counts and its cause with it; "perhaps others" is said where no list could be read
  after the last cancellation. What a mass cancel returns counts the orders that it is known to have cancelled, which
  those whose answer was lost are not.
- Orders of which nothing is known have the `status` None.
- `op ...` is an operation over the websocket, which is open and logged in unless the login is struck. *No answer*: it
  took effect, and the connection says nothing of it. *Mute from now on*: it did not. *Code "2"*: the answer has it.
- Where a mass cancel goes over both ways, *arrived* has what arrived over the way that is not struck. How often the
  other one is tried until then depends on the machine.

**Flavours.** sync, async and pro do the same, but for this, which is the transports':

- A connection that breaks is ccxt's `NetworkError` in sync, and its subclass `ExchangeNotAvailable` in async and pro.
- In async and pro, aiohttp itself repeats a GET or DELETE once if a connection that it had kept open was dropped,
  beneath all counting of repetitions. It never repeats a POST.
"""
EXCHANGES = {'okx': 'OKX', 'binance': 'Binance', 'deribit': 'Deribit', 'bybit': 'Bybit'}
HEAD = ('what goes wrong', 'where', 'raised or returned', 'arrived', 'afterwards')


def outcome(method: Method, seen: Observation) -> str:
    """What is raised or returned."""
    error = seen.error
    if error is None:
        return f'returns: {method.returned(seen.result)}'
    text = f'`{type(error).__name__}`'
    if not isinstance(error, MassCancelIncomplete):
        return text
    ids = {'cancelled': error.cancelled, 'remaining': error.remaining, 'unknown': error.unknown}
    known = [f'{len(each)} {name}' for name, each in ids.items() if each]
    if NOT_KNOWN in str(error):
        known.append('perhaps others')
    return f'{text} ({", ".join(known)}), cause `{type(error.__cause__).__name__}`'


def arrived(row: Row, seen: Observation) -> str:
    endpoints = [*row.method.endpoints, *sorted(seen.requests.keys() - {*row.method.endpoints})]
    counted = [each for each in endpoints if each in seen.requests and row.method.is_counted(each, row.endpoint)]
    return ', '.join(times(row, seen, each) for each in counted) or 'none'


def times(row: Row, seen: Observation, endpoint: str) -> str:
    count = seen.requests[endpoint]
    if count == 1:
        return f'`{endpoint}`'
    # how often something is tried in the time that a call has depends on the machine
    return f'`{endpoint}` repeatedly' if row.is_for_ever else f'{count} x `{endpoint}`'


def cells(row: Row, seen: dict[str, Observation]) -> tuple[str, ...]:
    """The last three columns."""
    return tuple(
        by_flavour({name: describe(each) for name, each in seen.items()})
        for describe in (
            partial(outcome, row.method),
            partial(arrived, row),
            row.method.afterwards,
        )
    )


def by_flavour(texts: dict[str, str]) -> str:
    names: dict[str, list[str]] = {}
    for name, text in texts.items():
        names.setdefault(text, []).append(name)
    return '; '.join(text if len(names) == 1 else f'{", ".join(names[text])}: {text}' for text in names)


def document(bench: Bench) -> str:
    bench.begin(ROWS)
    seen = [(row.method, each) for row in ROWS for each in bench.observe(row).values()]
    return '\n'.join([TITLE, summary(seen), INTRODUCTION, *(section(method, bench) for method in METHODS)])


def summary(seen: list[tuple[Method, Observation]]) -> str:
    """A line for the methods of each verb."""
    of_verb: dict[str, list[tuple[Method, Observation]]] = {}
    for method, each in seen:
        of_verb.setdefault(method.name.partition('_')[0], []).append((method, each))
    return table([IN_SHORT, ('---',) * len(IN_SHORT), *map(in_short, of_verb.values())])


def in_short(seen: list[tuple[Method, Observation]]) -> tuple[str, ...]:
    methods = dict.fromkeys(f'`{method.name.partition(",")[0]}`' for method, _ in seen)
    raised = [(method.is_untouched(each), type(each.error).__name__) for method, each in seen if each.error]
    after = sorted({f'`{error}`' for is_untouched, error in raised if not is_untouched})
    counts = (len(seen), len(seen) - len(raised), sum(each for each, _ in raised), sum(not each for each, _ in raised))
    return ', '.join(methods), *map(str, counts), ', '.join(after) or 'none'


def section(method: Method, bench: Bench) -> str:
    faults: dict[tuple[str, ...], list[str]] = {}  # those of which the same came, by all other columns
    for row in ROWS:
        if row.method is method:
            faults.setdefault((row.struck, *cells(row, bench.observe(row))), []).append(row.fault)
    rows = [HEAD, ('---',) * len(HEAD), *((', '.join(names), *others) for others, names in faults.items())]
    return '\n'.join([f'## {EXCHANGES[method.exchange_id]}: {method.name}', '', method.before, '', table(rows)])


def table(rows: list[tuple[str, ...]]) -> str:
    return '\n'.join([*(f'| {" | ".join(columns)} |' for columns in rows), ''])
