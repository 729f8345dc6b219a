"""The rows: every fault of every request of each method, and what goes wrong with a whole call."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.fault_matrix.methods import (
    METHODS,
    CreateOrder,
    CreateOrdersOverSocket,
    HaltMmp,
    MassCancelByLabelOverBoth,
    MassCancelOverBoth,
    MassCancelOverSocket,
    MassCancels,
    Method,
    WatchMmp,
)

# ms of a mass cancel that a limit holds up for ever: OKX's is waited out once, and half of the time is left then
CANCEL_TIME = 3900
NEVER = 600_000  # ms
FOR_EVER = 1000  # times
HOUR = 3_600_000  # ms


LATE = 'no answer in time'
PROXY = 'HTTP 402'  # which no exchange has

# of one request, as the simulator knows them
FAULTS: dict[str, dict[str, Any]] = {
    LATE: {'kind': 'delay', 'milliseconds': NEVER},
    'dropped before the effect': {'kind': 'drop_before'},
    'dropped after the effect': {'kind': 'drop_after'},
    'answer cut off': {'kind': 'truncated'},
    'HTML with status 200': {'kind': 'malformed'},
    PROXY: {'kind': 'status', 'status': 402},
    'HTTP 500': {'kind': 'status', 'status': 500},
    'HTTP 502': {'kind': 'status', 'status': 502},
    'HTTP 503': {'kind': 'status', 'status': 503},
    'HTTP 429': {'kind': 'status', 'status': 429},
    'HTTP 418': {'kind': 'status', 'status': 418},
    '`"result": false`': {'kind': 'result_false'},
    'every second order refused': {'kind': 'half_batch'},
}
# of one operation over a websocket
SOCKET_FAULTS: dict[str, dict[str, Any]] = {
    'no answer': {'kind': 'lose'},
    'mute from now on': {'kind': 'mute'},
    'dropped before the effect': {'kind': 'drop'},
    'dropped after the effect': {'kind': 'drop_after'},
}
LOST = ('no answer', 'mute from now on')  # their answers never come
DROPPED = ('dropped before the effect', 'dropped after the effect')
RATE_LIMIT = 'rate limit used up'
OF_SEVERAL = (LATE, 'dropped before the effect', 'HTML with status 200', 'HTTP 503', 'every second order refused')
SOCKET_ANSWERS: dict[str, dict[str, Any]] = {  # which it is given instead of taking effect
    'code "2"': {'code': '2', 'data': [{'result': True}]},
    '`"result": false`': {'code': '0', 'data': [{'result': False}]},
}
# nothing more is sent once one is read, so that how many cancels are sent at once decides what rests
BANS = ('HTTP 429', 'HTTP 418')
SAME_FOR_EVER = (PROXY, 'HTTP 500', 'HTTP 502')  # as HTML with status 200, and as HTTP 503
WITH_RESULT = (
    'POST account/mmp-reset',
    'POST trade/mass-cancel',
    'POST reset_mmp',
    'POST cancel_by_label',
    'POST cancel_all_by_currency_pair',
    'POST order/cancel-all',
)
BATCHES = (
    'POST trade/batch-orders',
    'POST trade/cancel-batch-orders',
    'POST batchOrders',
    'DELETE batchOrders',
    'POST order/create-batch',
    'POST order/cancel-batch',
)

# of the whole call
UNREACHABLE, SKEWED = 'connection refused', 'clock an hour behind'
WRONG_SECRET, NO_PRIVILEGE = 'wrong secret', 'privilege revoked'
CONDITIONS = (UNREACHABLE, SKEWED, WRONG_SECRET, NO_PRIVILEGE)
HALTED, STORE_GONE = 'halted', 'store of the halts gone'


@dataclass(frozen=True)
class Row:
    method: Method
    fault: str
    endpoint: str = ''  # whose request the fault strikes; none of a condition
    is_of_second_list: bool = False
    is_for_ever: bool = False

    @property
    def times(self) -> int:
        return FOR_EVER if self.is_for_ever else 1

    @property
    def is_waiting(self) -> bool:
        """Whether it may wait long for an answer or a limit."""
        return self.fault in (LATE, 'HTTP 429', RATE_LIMIT, *LOST)

    @property
    def is_repeated_by_the_transport(self) -> bool:
        """Whether aiohttp sends it again, if the connection that it was sent over had been open before."""
        return self.fault in DROPPED and self.endpoint.startswith(('GET', 'DELETE'))

    @property
    def is_of_simulator(self) -> bool:
        """Whether the simulator counts how often it strikes."""
        is_of_socket = self.endpoint.startswith('op ')
        return self.endpoint != '' and not (is_of_socket and self.fault in (RATE_LIMIT, *SOCKET_ANSWERS))

    @property
    def struck(self) -> str:
        """What is struck, for people."""
        if not self.endpoint:
            return 'the call'
        which = 'the second ' if self.is_of_second_list else ''
        return f'{which}`{self.endpoint}`{" and all after it" if self.is_for_ever else ""}'

    @property
    def name(self) -> str:
        return f'{self.method.exchange_id} {self.method.name}: {self.fault} of {self.struck}'.replace('`', '')


def rows_of(method: Method) -> Iterator[Row]:
    if isinstance(method, HaltMmp):
        for condition in (UNREACHABLE, STORE_GONE):
            yield Row(method, condition)
        return
    if isinstance(method, CreateOrder):
        for condition in (HALTED, STORE_GONE):
            yield Row(method, condition)
    if method.is_over_socket:
        yield from rows_of_socket(method)
        return
    for condition in CONDITIONS:
        yield Row(method, condition)
    is_mass_cancel = method.name.startswith('mass_cancel_mmp') and not isinstance(method, MassCancels)
    strikes = [(endpoint, False) for endpoint in method.endpoints]
    if len(strikes) > 1 and is_mass_cancel:
        strikes.append((method.endpoints[0], True))
    for is_for_ever in (False, True) if is_mass_cancel else (False,):
        for endpoint, is_of_second_list in strikes:
            for fault in FAULTS:
                if is_there(fault, method, endpoint, is_for_ever=is_for_ever) and not (
                    is_for_ever and fault in (*SAME_FOR_EVER, LATE)
                ):
                    yield Row(method, fault, endpoint, is_of_second_list, is_for_ever)


def rows_of_socket(method: Method) -> Iterator[Row]:
    """Where both ways are taken, a fault of one is for ever: else either could come first."""
    is_of_both = isinstance(method, MassCancelOverBoth)
    # no cancel of Deribit needs the privilege: either way could come first
    no_privilege = not isinstance(method, (WatchMmp, MassCancelByLabelOverBoth))
    for condition in (WRONG_SECRET, NO_PRIVILEGE) if no_privilege else (WRONG_SECRET,):
        yield Row(method, condition)
    for endpoint in method.endpoints:
        faults = SOCKET_FAULTS if endpoint.startswith('op ') else FAULTS
        for fault in faults:
            if isinstance(method, WatchMmp) and fault in (LATE, *LOST):
                continue  # which would take a time that a busy machine has no other request answered in
            if isinstance(method, CreateOrdersOverSocket) and fault != 'no answer':
                continue  # others of the list are lost with it, or are answered before
            if faults is SOCKET_FAULTS or is_there(fault, method, endpoint, is_for_ever=False):
                yield Row(method, fault, endpoint, is_for_ever=is_of_both)
    if method.exchange_id != 'okx' or not isinstance(method, MassCancelOverSocket):
        return
    for fault in (*SOCKET_ANSWERS, *(() if is_of_both else (RATE_LIMIT,))):  # both share the limit
        yield Row(method, fault, method.endpoints[-1], is_for_ever=is_of_both)


def is_there(fault: str, method: Method, endpoint: str, *, is_for_ever: bool) -> bool:
    """Whether the exchange can answer so."""
    kind = FAULTS[fault]['kind']
    if isinstance(method, MassCancels) and fault not in OF_SEVERAL:
        return False  # the faults of mass_cancel_mmp, in each
    if is_for_ever and fault == 'HTTP 429' and method.exchange_id in ('deribit', 'bybit'):
        return False  # it is waited out so often that the machine decides what the last answer is
    if kind == 'half_batch':
        return endpoint in BATCHES and method.name != 'create_order'
    if kind == 'result_false':
        has_result = method.exchange_id != 'bybit' or endpoint == 'POST order/cancel-all'
        return has_result and endpoint in WITH_RESULT
    return fault != 'HTTP 418' or method.exchange_id == 'binance'


ROWS = tuple(row for method in METHODS for row in rows_of(method))
