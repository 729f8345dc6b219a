"""The methods, and how one sees what they did."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from ccxt.base.errors import BaseError

from ccxt_mmp.simulator import Rule, Simulator
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

NOT_KNOWN = ('whether others rest is not known', 'whether others have MMP orders is not known')
OTHER = {'okx': 'ETH-USD', 'binance': 'ETHUSDT', 'deribit': 'eth_usd', 'bybit': 'ETH'}
MMP_LABEL = 'mmp:btc_usd'  # that the plugin gives to orders on Deribit


@dataclass(frozen=True)
class Observation:
    """What came of a call, and how things are on the exchange after it."""

    result: Any
    error: BaseError | None
    requests: Counter[str]  # that reached the exchange, those that it dropped among them
    rule: Rule | None
    is_frozen: bool
    is_armed: bool
    prepared: list[str]  # ids of the orders that rested before and that the call is about
    resting: dict[str, str]  # client order ids by id of those that rest after it, without the others
    prices: dict[str, float]  # of all orders that rest, by id
    others_rest: bool  # the orders that are none of its business
    has_struck: bool  # the fault


@dataclass(frozen=True)
class Method:
    before: ClassVar[str]  # how things are before the call, for people

    exchange_id: str
    name: str
    endpoints: tuple[str, ...]  # in the order in which they are asked
    call: Callable[[Any, list[str]], Any]  # of an exchange and the ids that prepare() returned
    scope: str = 'orders'
    flavours: ClassVar[tuple[str, ...]] = ('sync', 'async', 'pro')
    is_over_socket: ClassVar[bool] = False
    has_own_connections: ClassVar[bool] = False  # it takes none that another call has opened

    @property
    def underlying(self) -> str | None:
        return UNDERLYING[self.exchange_id] if self.scope == 'orders' else None

    def prepare(self, simulator: Simulator) -> list[str]:
        """Put things as they are before the call; the ids of the orders that it is about."""
        return []

    def prepare_others(self, simulator: Simulator) -> list[str]:
        """The ids of orders that are none of its business."""
        return [self.rest(simulator, mmp=False), self.rest(simulator, OTHER[self.exchange_id])]

    def rest(self, simulator: Simulator, underlying: str = '', contract: int = 0, *, mmp: bool = True) -> str:
        underlying = underlying or UNDERLYING[self.exchange_id]
        symbol = simulator.instruments(self.exchange_id, underlying)[contract]
        return simulator.rest(self.exchange_id, underlying, mmp=mmp, symbol=symbol).order_id

    def is_counted(self, endpoint: str, struck: str) -> bool:
        """Whether it is told how often an endpoint was asked, where a fault strikes one."""
        return True

    def is_done(self, seen: Observation) -> bool:
        """Whether the exchange did what was asked, and the result says what is."""
        raise NotImplementedError

    def is_untouched(self, seen: Observation) -> bool:
        """Whether the exchange did nothing."""
        raise NotImplementedError

    def returned(self, result: Any) -> str:
        raise NotImplementedError

    def afterwards(self, seen: Observation) -> str:
        raise NotImplementedError


class SetMmp(Method):
    before = 'No rule is set.'

    @property
    def rule(self) -> Rule:
        limits = {
            'okx': {'qty_limit': '100'},
            'binance': {'qty_limit': '100', 'delta_limit': '2.5'},
            'deribit': {'qty_limit': '100', 'max_quote': '50'},
            # without a vega limit it is the documented default
            'bybit': {'qty_limit': '100', 'delta_limit': '2.5', 'vega_limit': '500000'},
        }
        return Rule(5000, 300_000, **(limits[self.exchange_id] if self.scope == 'orders' else {'count_limit': '10'}))

    def is_done(self, seen: Observation) -> bool:
        return seen.rule == self.rule and (seen.result['window'], seen.result['frozenTime']) == (5000, 300_000)

    def is_untouched(self, seen: Observation) -> bool:
        return seen.rule is None

    def returned(self, result: Any) -> str:
        return 'the rule'

    def afterwards(self, seen: Observation) -> str:
        return 'no rule' if seen.rule is None else 'rule set'


class ResetMmp(SetMmp):
    before = 'The protection has tripped.'

    def prepare(self, simulator: Simulator) -> list[str]:
        simulator.set_rule(self.exchange_id, self.underlying, self.rule)
        simulator.trip(self.exchange_id, self.underlying)
        return []

    def is_done(self, seen: Observation) -> bool:
        return not seen.is_frozen and seen.result['frozen'] is False

    def is_untouched(self, seen: Observation) -> bool:
        return seen.is_frozen

    def returned(self, result: Any) -> str:
        return {False: 'not frozen', True: 'frozen', None: 'no rule'}[result['frozen']]

    def afterwards(self, seen: Observation) -> str:
        return 'frozen' if seen.is_frozen else 'not frozen'


class FetchMmp(ResetMmp):
    def states(self, result: Any) -> list[Any]:
        return [result]

    def is_done(self, seen: Observation) -> bool:
        [state, *_] = self.states(seen.result)
        return (state['frozen'], state['window']) == (seen.is_frozen, 5000)

    def returned(self, result: Any) -> str:
        return ', '.join(super(FetchMmp, self).returned(state) for state in self.states(result))


class FetchMmps(FetchMmp):
    before = 'The protection of BTC has tripped, that of ETH has no rule.'

    def states(self, result: Any) -> list[Any]:
        return list(result.values())


class MassCancel(Method):
    before = 'Three MMP orders rest, two of them of one contract, and others.'
    has_own_connections = True

    def prepare(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator, contract=contract) for contract in (0, 0, 1)]

    def is_done(self, seen: Observation) -> bool:
        return not seen.resting and {order['id'] for order in seen.result['orders'] or ()} <= {*seen.prepared}

    def is_untouched(self, seen: Observation) -> bool:
        return [*seen.resting] == seen.prepared

    def returned(self, result: Any) -> str:
        return 'done' if result['orders'] is None else f'{len(result["orders"])} cancelled'

    def afterwards(self, seen: Observation) -> str:
        return f'{len(seen.resting)} of {len(seen.prepared)} rest' if seen.resting else 'none rests'


class MassCancelByLabel(MassCancel):
    before = 'Three MMP orders rest, two of them with the label that the plugin gives, and others.'

    def prepare(self, simulator: Simulator) -> list[str]:
        ids = super().prepare(simulator)
        for order_id in ids[:2]:
            simulator.order(order_id).client_order_id = MMP_LABEL
        return ids


class MassCancelOfAll(MassCancel):
    before = 'Two MMP orders of one contract rest, and one without the flag of another.'

    def prepare(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator, contract=contract, mmp=contract == 0) for contract in (0, 0, 1)]

    def prepare_others(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator, OTHER[self.exchange_id])]


class MassCancels(MassCancel):
    before = 'Three MMP orders of one underlying rest, which has a rule, and one without the flag.'

    def prepare(self, simulator: Simulator) -> list[str]:
        simulator.set_rule(self.exchange_id, self.underlying)
        return super().prepare(simulator)

    def prepare_others(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator, mmp=False)]

    def is_done(self, seen: Observation) -> bool:
        cancelled = [order['id'] for each in seen.result.values() for order in each['orders'] or ()]
        return not seen.resting and {*cancelled} <= {*seen.prepared}

    def returned(self, result: Any) -> str:
        return ', '.join(super(MassCancels, self).returned(each) for each in result.values()) or 'none'


class MassCancelsByLabel(MassCancels, MassCancelByLabel):
    """Two of the three have the label that the plugin gives."""


class HaltMmp(MassCancel):
    before = 'Three MMP orders rest, two of them of one contract, and others. The halts are kept in SQLite.'

    def is_done(self, seen: Observation) -> bool:
        return not seen.resting and seen.result['underlying'] is not None

    def returned(self, result: Any) -> str:
        return 'the halt'


class MassCancelOverSocket(MassCancel):
    before = 'Three MMP orders rest, two of them of one contract, and others. In pro.'
    flavours = ('pro',)
    is_over_socket = True


class MassCancelByLabelOverSocket(MassCancelByLabel, MassCancelOverSocket):
    before = 'Three MMP orders rest, two of them with the label that the plugin gives, and others. In pro.'


class MassCancelOverBoth(MassCancelOverSocket):
    """A fault of one way strikes all that goes over it, so that the other one decides."""

    def is_counted(self, endpoint: str, struck: str) -> bool:
        return struck == '' or endpoint.startswith('op ') is not struck.startswith('op ')


class MassCancelByLabelOverBoth(MassCancelByLabelOverSocket, MassCancelOverBoth):
    """What is struck is the first request of a way, without which it sends no other."""


class CancelOrders(MassCancel):
    before = 'Two MMP orders of one contract rest.'
    has_own_connections = False

    def prepare(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator), self.rest(simulator)]

    def is_done(self, seen: Observation) -> bool:
        cancelled = {order['id'] for order in seen.result if order['status'] == 'canceled'}
        return [order['id'] for order in seen.result] == seen.prepared and cancelled.isdisjoint(seen.resting)

    def returned(self, result: Any) -> str:
        return by_status(result)


class CreateOrder(Method):
    before = 'No MMP order rests; one is asked for.'

    def orders(self, result: Any) -> list[Any]:
        return [result]

    def is_done(self, seen: Observation) -> bool:
        return all(self.is_true(order, seen.resting) for order in self.orders(seen.result))

    def is_true(self, order: Any, resting: dict[str, str]) -> bool:
        client_order_id = order['clientOrderId']
        return {
            'open': resting.get(order['id']) == client_order_id,
            'rejected': client_order_id not in resting.values(),
            None: bool(client_order_id),
        }[order['status']]

    def is_untouched(self, seen: Observation) -> bool:
        return not seen.resting

    def returned(self, result: Any) -> str:
        return by_status(self.orders(result))

    def afterwards(self, seen: Observation) -> str:
        return {0: 'none rests', 1: '1 rests'}.get(len(seen.resting), f'{len(seen.resting)} rest')


class CreateOrders(CreateOrder):
    before = 'No MMP order rests; two are asked for of each of two underlyings, which takes two requests.'

    def orders(self, result: Any) -> list[Any]:
        [*orders] = result
        return orders


class CreateOrdersEach(CreateOrders):
    before = 'No MMP order rests; two are asked for of each of two underlyings, which takes a request each.'


class CreateOrderOverSocket(CreateOrder):
    before = 'No MMP order rests; one is asked for. In pro.'
    flavours = ('pro',)
    is_over_socket = True


class CreateOrdersOverSocket(CreateOrders):
    before = 'No MMP order rests; two are asked for of each of two underlyings. In pro.'
    flavours = ('pro',)
    is_over_socket = True


class EditOrderOverSocket(Method):
    before = 'An MMP order rests; another price is asked for. In pro.'
    price: ClassVar[float] = 6
    flavours = ('pro',)
    is_over_socket = True

    def prepare(self, simulator: Simulator) -> list[str]:
        return [self.rest(simulator)]

    def is_done(self, seen: Observation) -> bool:
        return self.price_of(seen) == seen.result['price'] == self.price

    def is_untouched(self, seen: Observation) -> bool:
        return bool(self.price_of(seen) != self.price)

    def returned(self, result: Any) -> str:
        return 'the new price'

    def afterwards(self, seen: Observation) -> str:
        return 'old price' if self.is_untouched(seen) else 'new price'

    @staticmethod
    def price_of(seen: Observation) -> Any:
        return seen.prices[seen.prepared[0]]


class WatchMmp(FetchMmp):
    before = 'The protection has tripped; nothing is watched yet. In pro.'
    flavours = ('pro',)
    is_over_socket = True


class CancelAllOrdersAfter(Method):
    before = 'No countdown runs.'

    def is_done(self, seen: Observation) -> bool:
        return seen.is_armed

    def is_untouched(self, seen: Observation) -> bool:
        return not seen.is_armed

    def returned(self, result: Any) -> str:
        return 'the countdown'

    def afterwards(self, seen: Observation) -> str:
        return 'armed' if seen.is_armed else 'not armed'


def may_others_rest(error: BaseError) -> bool:
    """Whether a MassCancelIncomplete says that it does not know."""
    return any(each in str(error) for each in NOT_KNOWN)


def by_status(orders: Iterable[Any]) -> str:
    counts = Counter(str(order['status']) for order in orders)
    return ', '.join(
        f'{counts[status]} {status}' for status in ('open', 'canceled', 'rejected', 'None') if status in counts
    )


def order_of(symbol: str) -> dict[str, Any]:
    return {'symbol': symbol, 'type': 'limit', 'side': 'buy', 'amount': 10, 'price': 5, 'params': {'mmp': True}}


def create_order(exchange: Any, _: list[str]) -> Any:
    [symbol, *_] = symbols(with_markets(exchange), UNDERLYING[exchange.id])
    return exchange.create_order(**order_of(symbol))


def create_order_ws(exchange: Any, _: list[str]) -> Any:
    [symbol, *_] = symbols(with_markets(exchange), UNDERLYING[exchange.id])
    return exchange.create_order_ws(**order_of(symbol))


def edit_order_ws(exchange: Any, ids: list[str]) -> Any:
    [symbol, *_] = symbols(with_markets(exchange), UNDERLYING[exchange.id])
    return exchange.edit_order_ws(ids[0], symbol, 'limit', 'buy', 10, 6, {'mmp': True})


def create_orders_ws(exchange: Any, _: list[str]) -> Any:
    return exchange.create_orders_ws(orders_of_two(exchange))


def create_orders(exchange: Any, _: list[str]) -> Any:
    return exchange.create_orders(orders_of_two(exchange))


def orders_of_two(exchange: Any) -> list[dict[str, Any]]:
    with_markets(exchange)
    underlyings = (UNDERLYING[exchange.id], OTHER[exchange.id])
    orders = [order_of(each) for name in underlyings for each in symbols(exchange, name)[:2]]
    for number, order in enumerate(orders if exchange.id == 'deribit' else []):
        order['params'] = {'mmp': True, 'clientOrderId': f'mine{number}'}  # there labels need not differ
    return orders


def cancel_orders(exchange: Any, ids: list[str]) -> Any:
    [symbol, *_] = symbols(with_markets(exchange), UNDERLYING[exchange.id])
    return exchange.cancel_orders(ids, symbol)


def mass_cancel(**params: Any) -> Callable[[Any, list[str]], Any]:
    return lambda exchange, _: exchange.mass_cancel_mmp(UNIFIED[exchange.id], params)


def mass_cancel_mmps(exchange: Any, _: list[str]) -> Any:
    return exchange.mass_cancel_mmps()


def halt_mmp(exchange: Any, _: list[str]) -> Any:
    return exchange.halt_mmp(UNIFIED[exchange.id])


def watch_mmp(exchange: Any, _: list[str]) -> Any:
    return exchange.watch_mmp(UNIFIED[exchange.id])


def over_socket(exchange_id: str, place: str, edit: str) -> tuple[Method, ...]:
    return (
        CreateOrderOverSocket(exchange_id, 'create_order_ws', (place,), create_order_ws),
        CreateOrdersOverSocket(exchange_id, 'create_orders_ws', (place,), create_orders_ws),
        EditOrderOverSocket(exchange_id, 'edit_order_ws', (edit,), edit_order_ws),
    )


DERIBIT_RULE = ('BTC/USD', 5000, 300_000, 100, None, {'maxQuoteQuantity': 50})
DERIBIT_FETCHED = ('POST get_mmp_config', 'POST get_mmp_status')
DERIBIT_LISTED = ('POST get_open_orders', 'POST cancel_by_label', 'POST cancel')
DERIBIT_OPERATIONS = (
    'op public/auth',
    *(f'op private/{each}' for each in ('get_open_orders', 'cancel_by_label', 'cancel')),
)
RFQ_RULE = (None, 5000, 300_000, None, None, {'scope': 'rfq', 'countLimit': 10})
SOCKET_OPERATIONS = ('op login', 'op mass-cancel')
BYBIT_LISTED = ('GET order/realtime', 'POST order/cancel-batch')
OKX_LISTED = ('GET trade/orders-pending', 'POST trade/cancel-batch-orders')
BINANCE_LISTED = ('GET openOrders', 'DELETE batchOrders', 'DELETE order')
METHODS = (
    SetMmp('okx', 'set_mmp', ('POST account/mmp-config',), lambda okx, _: okx.set_mmp('BTC/USD', 5000, 300_000, 100)),
    SetMmp('okx', 'set_mmp, rfq', ('POST rfq/mmp-config',), lambda okx, _: okx.set_mmp(*RFQ_RULE), 'rfq'),
    ResetMmp('okx', 'reset_mmp', ('POST account/mmp-reset',), lambda okx, _: okx.reset_mmp('BTC/USD')),
    ResetMmp('okx', 'reset_mmp, rfq', ('POST rfq/mmp-reset',), lambda okx, _: okx.reset_mmp(), 'rfq'),
    FetchMmp('okx', 'fetch_mmp', ('GET account/mmp-config',), lambda okx, _: okx.fetch_mmp('BTC/USD')),
    FetchMmp(
        'okx',
        'fetch_mmp, rfq',
        ('GET rfq/mmp-config',),
        lambda okx, _: okx.fetch_mmp(params={'scope': 'rfq'}),
        'rfq',
    ),
    FetchMmps('okx', 'fetch_mmps', ('GET account/mmp-config',), lambda okx, _: okx.fetch_mmps()),
    MassCancel('okx', 'mass_cancel_mmp', ('POST trade/mass-cancel',), mass_cancel()),
    MassCancel('okx', 'mass_cancel_mmp, emulate', OKX_LISTED, mass_cancel(emulate=True)),
    MassCancelOverSocket(
        'okx', 'mass_cancel_mmp_ws', SOCKET_OPERATIONS, lambda okx, _: okx.mass_cancel_mmp_ws('BTC/USD')
    ),
    MassCancelOverBoth(
        'okx', 'mass_cancel_mmp, hedge', ('POST trade/mass-cancel', *SOCKET_OPERATIONS), mass_cancel(hedge=True)
    ),
    MassCancels('okx', 'mass_cancel_mmps', ('GET account/mmp-config', 'POST trade/mass-cancel'), mass_cancel_mmps),
    HaltMmp('okx', 'halt_mmp', (), halt_mmp),
    CreateOrder('okx', 'create_order', ('POST trade/batch-orders',), create_order),
    CreateOrders('okx', 'create_orders', ('POST trade/batch-orders',), create_orders),
    *over_socket('okx', 'op batch-orders', 'op amend-order'),
    WatchMmp('okx', 'watch_mmp', ('op login', 'op subscribe', 'GET account/mmp-config'), watch_mmp),
    SetMmp(
        'binance',
        'set_mmp',
        ('POST mmpSet',),
        lambda binance, _: binance.set_mmp('BTC/USDT', 5000, 300_000, 100, '2.5'),
    ),
    ResetMmp('binance', 'reset_mmp', ('POST mmpReset',), lambda binance, _: binance.reset_mmp('BTC/USDT')),
    FetchMmp('binance', 'fetch_mmp', ('GET mmp',), lambda binance, _: binance.fetch_mmp('BTC/USDT')),
    FetchMmps('binance', 'fetch_mmps', ('GET mmp',), lambda binance, _: binance.fetch_mmps(['BTC/USDT', 'ETH/USDT'])),
    MassCancel('binance', 'mass_cancel_mmp', BINANCE_LISTED, mass_cancel()),
    MassCancelOfAll(
        'binance',
        'mass_cancel_mmp, includeNonMmp',
        ('DELETE allOpenOrdersByUnderlying',),
        mass_cancel(includeNonMmp=True),
    ),
    MassCancels('binance', 'mass_cancel_mmps', BINANCE_LISTED, mass_cancel_mmps),
    HaltMmp('binance', 'halt_mmp', (), halt_mmp),
    CreateOrder('binance', 'create_order', ('POST order',), create_order),
    CreateOrders('binance', 'create_orders', ('POST batchOrders',), create_orders),
    CancelOrders('binance', 'cancel_orders', ('DELETE batchOrders',), cancel_orders),
    CancelAllOrdersAfter(
        'binance',
        'cancel_all_orders_after',
        ('POST countdownCancelAll',),
        lambda binance, _: binance.cancel_all_orders_after(30_000, {'underlying': 'BTC/USDT'}),
    ),
    WatchMmp('binance', 'watch_mmp', ('GET mmp',), watch_mmp),
    SetMmp('deribit', 'set_mmp', ('POST set_mmp_config',), lambda deribit, _: deribit.set_mmp(*DERIBIT_RULE)),
    SetMmp(
        'deribit',
        'set_mmp, rfq',
        ('POST set_mmp_config',),
        lambda deribit, _: deribit.set_mmp(*RFQ_RULE),
        'rfq',
    ),
    ResetMmp('deribit', 'reset_mmp', ('POST reset_mmp',), lambda deribit, _: deribit.reset_mmp('BTC/USD')),
    FetchMmp('deribit', 'fetch_mmp', DERIBIT_FETCHED, lambda deribit, _: deribit.fetch_mmp('BTC/USD')),
    FetchMmps('deribit', 'fetch_mmps', DERIBIT_FETCHED, lambda deribit, _: deribit.fetch_mmps()),
    MassCancelByLabel('deribit', 'mass_cancel_mmp', DERIBIT_LISTED, mass_cancel()),
    MassCancelOfAll(
        'deribit',
        'mass_cancel_mmp, includeNonMmp',
        ('POST cancel_all_by_currency_pair',),
        mass_cancel(includeNonMmp=True),
    ),
    MassCancelByLabelOverSocket(
        'deribit', 'mass_cancel_mmp_ws', DERIBIT_OPERATIONS, lambda deribit, _: deribit.mass_cancel_mmp_ws('BTC/USD')
    ),
    MassCancelByLabelOverBoth(
        'deribit',
        'mass_cancel_mmp, hedge',
        ('POST get_open_orders', 'op public/auth', 'op private/get_open_orders'),
        mass_cancel(hedge=True),
    ),
    MassCancelsByLabel('deribit', 'mass_cancel_mmps', ('POST get_mmp_config', *DERIBIT_LISTED), mass_cancel_mmps),
    HaltMmp('deribit', 'halt_mmp', (), halt_mmp),
    CreateOrder('deribit', 'create_order', ('POST buy',), create_order),
    CreateOrdersEach('deribit', 'create_orders', ('POST buy',), create_orders),
    *over_socket('deribit', 'op private/buy', 'op private/edit'),
    WatchMmp('deribit', 'watch_mmp', ('op public/auth', 'op private/subscribe', *DERIBIT_FETCHED), watch_mmp),
    SetMmp(
        'bybit',
        'set_mmp',
        ('POST account/mmp-modify',),
        lambda bybit, _: bybit.set_mmp('BTC', 5000, 300_000, 100, 2.5),
    ),
    ResetMmp('bybit', 'reset_mmp', ('POST account/mmp-reset',), lambda bybit, _: bybit.reset_mmp('BTC')),
    FetchMmp('bybit', 'fetch_mmp', ('GET account/mmp-state',), lambda bybit, _: bybit.fetch_mmp('BTC')),
    FetchMmps('bybit', 'fetch_mmps', ('GET account/mmp-state',), lambda bybit, _: bybit.fetch_mmps(['BTC', 'ETH'])),
    MassCancel('bybit', 'mass_cancel_mmp', BYBIT_LISTED, mass_cancel()),
    MassCancelOfAll(
        'bybit',
        'mass_cancel_mmp, includeNonMmp',
        ('POST order/cancel-all',),
        mass_cancel(includeNonMmp=True),
    ),
    MassCancels('bybit', 'mass_cancel_mmps', BYBIT_LISTED, mass_cancel_mmps),
    HaltMmp('bybit', 'halt_mmp', (), halt_mmp),
    CreateOrder('bybit', 'create_order', ('POST order/create',), create_order),
    CreateOrders('bybit', 'create_orders', ('POST order/create-batch',), create_orders),
    WatchMmp('bybit', 'watch_mmp', ('op auth', 'op subscribe', 'GET account/mmp-state'), watch_mmp),
)
