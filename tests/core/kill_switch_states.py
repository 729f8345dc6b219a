"""What the state machines of the kill switch share: what can be asked for, what goes wrong, and the judgement."""

import itertools
import os
import tempfile
import threading

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import ccxt_mmp
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.simulator import Simulator
from tests.fault_matrix.methods import OTHER
from tests.trading import ID_PREFIX, UNDERLYING, UNIFIED, at_simulator, symbols

TIMEOUT, GRACE = 60, 0.3  # ms that an answer has, s that an order may still be on its way after it
CANCEL_TIME = 1500  # ms that a mass cancel has, which may fail; the last one has its usual time, and may not
TERMS = ('symbol', 'type', 'side', 'amount', 'price', 'params')
WHICH = st.sampled_from(['one', 'named', 'all'])  # the underlying alone, by its name among several, or unnamed
KINDS = st.sampled_from(['one', 'several', 'raw'])
WAYS = {
    'okx': [{}, {'emulate': True}, {'lockInterval': 50}],
    'binance': [{}, {'includeNonMmp': True}],
    'deribit': [{}, {}, {'includeNonMmp': True}],
    'bybit': [{}, {}, {'includeNonMmp': True}],
}
ORDER_PATHS = {
    'okx': ['trade/order', 'batch-orders', 'amend-order'],
    'binance': ['order', 'batchOrders'],
    'deribit': ['/buy', '/edit'],
    'bybit': ['order/create', 'create-batch', 'order/amend'],
}
KILL_PATHS = {
    'okx': ['mass-cancel', 'orders-pending', 'cancel-batch-orders', 'mmp-config'],
    'binance': ['openOrders', 'allOpenOrdersByUnderlying', 'batchOrders', 'order'],
    'deribit': ['get_open_orders', 'cancel_by_label', '/cancel', 'get_mmp_config', 'cancel_all_by_currency_pair'],
    'bybit': ['order/realtime', 'cancel-batch', 'cancel-all', 'mmp-state'],
}
ORDER_FAULTS = st.sampled_from(
    [
        ('hold', {'milliseconds': 30}),  # it arrives late, and is answered
        ('hold', {'milliseconds': TIMEOUT + 40}),  # it arrives after its answer was given up
        ('delay', {'milliseconds': TIMEOUT + 40}),
        ('drop_after', {}),
        ('drop_before', {}),
        ('truncated', {}),
        ('malformed', {}),
        ('status', {'status': 503}),
    ]
)
KILL_FAULTS = st.sampled_from(
    [
        ('status', {'status': 503}),
        ('drop_after', {}),
        ('truncated', {}),
        ('malformed', {}),
        ('delay', {'milliseconds': 90}),
    ]
)
# a cancellation that costs a second would take most of the time
LIMITS = {'bybit': {'mmpRateLimits': {'POST order/cancel-batch': [10, 1000]}}}


class Book(RuleBasedStateMachine):
    """An object of an exchange. What rests is asked of the simulator, whatever the object believes.

    After a mass cancel that returned, nothing rests that was asked for before it. What is said to be cancelled does not
    rest. Nothing goes that is not meant. Nothing is sent that was asked for in a halt.
    """

    exchange_id: str
    simulator: Simulator
    started = False

    def __init__(self):
        super().__init__()
        self.simulator.clear()
        self.simulator.processing_time = 0
        self.numbers = itertools.count()
        self.asking = threading.local()
        self.asked_for = set()  # client order ids
        self.must_be_gone = set()  # those that were asked for before a mass cancel that returned
        self.cancelled = set()  # order ids that a mass cancel has told of
        self.asked_in_halt = set()  # client order ids
        self.is_halted = False

    def begin(self, namespace, is_halting):
        """is_halting: halts are kept, so that they are asked for before each order."""
        options = dict(LIMITS.get(self.exchange_id, {}))
        if is_halting:
            self.folder = tempfile.TemporaryDirectory(dir=os.environ.get('PYTEST_DEBUG_TEMPROOT'))
            options['mmpHalt'] = {'url': f'sqlite:{self.folder.name}/halts.db', 'timeout': 2000, 'grace': 30}
        self.exchange = self.connected(namespace, options)
        self.somebody = self.connected(ccxt_mmp, options) if is_halting else None
        underlying, other = UNDERLYING[self.exchange_id], OTHER[self.exchange_id]
        self.symbols = symbols(self.exchange, underlying)[:2]
        self.unmeant = {self.simulator.rest(self.exchange_id, other, mmp=True).order_id}
        self.unflagged = {self.simulator.rest(self.exchange_id, underlying, mmp=False).order_id}
        self.started = True

    def connected(self, namespace, options):
        exchange = getattr(namespace, self.exchange_id)({'timeout': TIMEOUT, 'options': dict(options)})
        # else Bybit's asks once whether the account is unified
        exchange.options.update(enableUnifiedMargin=False, enableUnifiedAccount=True)
        return at_simulator(exchange, self.simulator)

    def end(self):
        if self.somebody is not None:
            self.somebody.close()
            self.folder.cleanup()

    # --- what is asked for

    def next_id(self):
        return f'{ID_PREFIX.get(self.exchange_id, "")}n{next(self.numbers)}'

    def note_asked(self, client_order_ids):
        self.asked_for.update(client_order_ids)
        if self.is_halted:
            self.asked_in_halt.update(client_order_ids)

    def orders(self, count):
        ids = [self.next_id() for _ in range(count)]
        self.asking.ids = ids
        flagged = [{'mmp': True, 'clientOrderId': each} for each in ids]
        return [(self.symbols[at % 2], 'limit', 'buy', 10, 5, each) for at, each in enumerate(flagged)]

    def asked(self, kind):
        """What places one order or several."""
        if kind == 'one':
            return self.exchange.create_order(*self.orders(1)[0])
        if kind == 'several':
            return self.exchange.create_orders([dict(zip(TERMS, each, strict=True)) for each in self.orders(3)])
        symbol, *_, flagged = self.orders(1)[0]
        return self.raw(self.exchange.market(symbol)['id'], flagged['clientOrderId'])

    def raw(self, option_id, client_order_id):
        if self.exchange_id == 'okx':
            order = {'instId': option_id, 'tdMode': 'cross', 'side': 'buy', 'sz': '10', 'px': '5', 'ordType': 'mmp'}
            return self.exchange.privatePostTradeOrder({**order, 'clOrdId': client_order_id})
        if self.exchange_id == 'deribit':
            order = {'instrument_name': option_id, 'amount': 10, 'price': 5, 'type': 'limit', 'mmp': True}
            return self.exchange.privateGetBuy({**order, 'label': client_order_id})
        if self.exchange_id == 'bybit':
            order = {'symbol': option_id, 'side': 'Buy', 'orderType': 'Limit', 'qty': '10', 'price': '5', 'mmp': True}
            return self.exchange.privatePostV5OrderCreate(
                {'category': 'option', **order, 'orderLinkId': client_order_id}
            )
        order = {'symbol': option_id, 'side': 'BUY', 'type': 'LIMIT', 'quantity': '10', 'price': '5'}
        return self.exchange.eapiPrivatePostOrder(
            {**order, 'timeInForce': 'GTC', 'isMmp': 'true', 'clientOrderId': client_order_id}
        )

    def mmp_orders(self):
        resting = self.simulator.resting(self.exchange_id, UNDERLYING[self.exchange_id]) if self.started else []
        return [each for each in resting if each.mmp]

    def edited(self, which):
        """An edit of one of the orders that rest; None where there is none. What rests hangs on the time."""
        resting = self.mmp_orders() if self.exchange_id != 'binance' else []
        if not resting:
            return None
        order = resting[which % len(resting)]
        symbol = self.exchange.markets_by_id[order.instrument.instrument_id][0]['symbol']
        return self.exchange.edit_order(order.order_id, symbol, 'limit', 'buy', 10, 10, {'mmp': True})

    # --- what happens

    @rule(data=st.data(), fault=ORDER_FAULTS)
    def order_goes_wrong(self, data, fault):
        kind, details = fault
        path = data.draw(st.sampled_from(ORDER_PATHS[self.exchange_id]))
        self.simulator.fault(kind, path, method='POST', **details)

    @rule(data=st.data(), fault=KILL_FAULTS)
    def cancel_goes_wrong(self, data, fault):
        kind, details = fault
        method = data.draw(st.sampled_from(['GET', 'DELETE'])) if self.exchange_id == 'binance' else None
        self.simulator.fault(kind, data.draw(st.sampled_from(KILL_PATHS[self.exchange_id])), method=method, **details)

    @precondition(lambda self: self.exchange_id == 'bybit')
    @rule(milliseconds=st.sampled_from([0, 30, 150]))
    def cancellations_take_time(self, milliseconds):
        self.simulator.processing_time = milliseconds

    @precondition(lambda self: self.started and self.somebody is not None)
    @rule(is_of_all=st.booleans())
    def somebody_halts(self, is_of_all):
        self.somebody.halt_mmp(None if is_of_all else UNIFIED[self.exchange_id], {'cancel': False})
        self.is_halted = True

    @precondition(lambda self: self.started and self.somebody is not None)
    @rule()
    def somebody_resumes(self):
        self.somebody.resume_mmp()
        self.is_halted = False
        self.asked_in_halt.clear()  # one that has not been sent may go now

    # --- mass cancels

    def drawn_params(self, data, which):
        params = {'timeout': CANCEL_TIME, **data.draw(st.sampled_from(WAYS[self.exchange_id]))}
        if params.get('includeNonMmp'):
            self.unflagged.clear()
        if which == 'all':
            self.unmeant.clear()
        if self.somebody is not None and data.draw(st.booleans()):
            params['halt'] = True
            if self.exchange_id == 'okx' and 'emulate' not in params:
                params['lockInterval'] = 50  # by default it is 10 s
        return params

    def cancelling(self, params, which):
        name = UNIFIED[self.exchange_id]
        if which == 'one':
            return self.exchange.mass_cancel_mmp(name, params)
        return self.exchange.mass_cancel_mmps([name] if which == 'named' else None, params)

    def judge(self, asked_for, done, which, params):
        """A mass cancel has returned, before which these orders had been asked for."""
        self.must_be_gone |= asked_for
        self.is_halted = self.is_halted or bool(params.get('halt'))
        for each in [done] if which == 'one' else done.values():
            self.cancelled.update(order['id'] for order in each['orders'] or ())
        self.what_it_said_is_so()

    def judge_failure(self, error):
        if isinstance(error, MassCancelIncomplete):
            self.cancelled.update(error.cancelled)
        self.what_it_said_is_so()

    @invariant()
    def what_it_said_is_so(self):
        resting = self.mmp_orders()
        left = {each.client_order_id for each in resting} & self.must_be_gone
        assert not left, f'{left} rest, and a mass cancel that came after them has returned'
        left = {each.order_id for each in resting} & self.cancelled
        assert not left, f'{left} rest, and a mass cancel has said that they are cancelled'
        left = {each.client_order_id for each in resting} & self.asked_in_halt
        assert not left, f'{left} were sent, and they were asked for in a halt'

    @invariant()
    def what_is_not_meant_stays(self):
        names = (UNDERLYING[self.exchange_id], OTHER[self.exchange_id]) if self.started else ()
        stay = {each.order_id for name in names for each in self.simulator.resting(self.exchange_id, name)}
        assert not names or self.unmeant | self.unflagged <= stay
