"""The exchanges' own Python clients, which know nothing of this package, work against the simulator."""

from contextlib import ExitStack
from importlib import import_module

import pytest
from binance_common.errors import BadRequestError, UnauthorizedError
from okx.Account import AccountAPI
from okx.BlockTrading import BlockTradingAPI
from okx.MarketData import MarketAPI
from okx.PublicData import PublicAPI
from okx.Trade import TradeAPI

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET

pytestmark = [
    # python-okx asks for the time so and hands its bodies to httpx so
    pytest.mark.filterwarnings(r'ignore:datetime\.datetime\.utcnow:DeprecationWarning:okx\.utils'),
    pytest.mark.filterwarnings("ignore:Use 'content=<...>' to upload raw bytes/text content:DeprecationWarning:httpx"),
]

WRONG = 'wrong'
FAMILY = 'BTC-USD'
UNDERLYING = 'BTCUSDT'


# --- OKX


@pytest.fixture
def okx_client(simulator):
    """Opens clients of python-okx; it takes any base and has a class for each part of the API."""
    credentials = {'api_key': KEY, 'api_secret_key': SECRET, 'passphrase': PASSPHRASE}
    with ExitStack() as clients:

        def open_client(api, **changed):
            return clients.enter_context(api(**{**credentials, **changed}, domain=simulator.url))

        yield open_client


@pytest.fixture
def trade(okx_client):
    return okx_client(TradeAPI)


@pytest.fixture
def option(okx_client):
    """The first option of the family as OKX lists it."""
    return okx_client(PublicAPI).get_instruments('OPTION', instFamily=FAMILY)['data'][0]


def ask(client, method, endpoint, **parameters):
    """An endpoint that python-okx has no method for, through what all its methods go through."""
    return client._request_with_params(method, f'/api/v5/{endpoint}', parameters)


def set_rule(client):
    answer = ask(
        client,
        'POST',
        'account/mmp-config',
        instFamily=FAMILY,
        timeInterval='5000',
        frozenInterval='0',
        qtyLimit='100',
    )
    assert answer['code'] == '0'


def order_of(option, **changed):
    order = {
        'instId': option['instId'],
        'tdMode': 'cross',
        'side': 'buy',
        'ordType': 'mmp',
        'px': option['tickSz'],
        'sz': option['minSz'],
    }
    return {**order, **changed}


def pending(trade):
    """What rests in the book: ordId to ordType."""
    answer = trade.get_order_list(instType='OPTION', instFamily=FAMILY)
    assert answer['code'] == '0'
    return {order['ordId']: order['ordType'] for order in answer['data']}


def history(trade):
    return {order['ordId']: order for order in trade.get_orders_history('OPTION', instFamily=FAMILY)['data']}


def test_okx_tells_the_time_without_credentials(simulator):
    with PublicAPI(domain=simulator.url) as public:
        answer = public.get_system_time()
    assert abs(int(answer['data'][0]['ts']) - simulator.now()) < 10_000


def test_okx_lists_the_options_of_a_family_without_credentials(simulator):
    with PublicAPI(domain=simulator.url) as public:
        listed = public.get_instruments('OPTION', instFamily=FAMILY)['data']
        one = public.get_instruments('OPTION', instFamily=FAMILY, instId=listed[0]['instId'])['data']
    assert {instrument['instFamily'] for instrument in listed} == {FAMILY}
    assert one == listed[:1]


@pytest.mark.parametrize(
    ('changed', 'code'),
    [
        ({'api_key': WRONG}, '50111'),
        ({'api_secret_key': WRONG}, '50113'),
        ({'passphrase': WRONG}, '50105'),
    ],
)
def test_okx_refuses_wrong_credentials(okx_client, changed, code):
    answer = okx_client(BlockTradingAPI, **changed).reset_mmp()
    assert (answer['code'], answer['data']) == (code, [])


def test_okx_block_trading_protection_is_reset(simulator, okx_client):
    client = okx_client(BlockTradingAPI)
    rule = {'timeInterval': '5000', 'frozenInterval': '0', 'countLimit': '100'}
    assert ask(client, 'POST', 'rfq/mmp-config', **rule)['data'] == [rule]
    simulator.trip('okx')
    assert ask(client, 'GET', 'rfq/mmp-config')['data'] == [{**rule, 'mmpFrozen': True, 'mmpFrozenUntil': ''}]
    answer = client.reset_mmp()
    assert answer['code'] == '0'
    assert abs(int(answer['data'][0]['ts']) - simulator.now()) < 10_000
    assert ask(client, 'GET', 'rfq/mmp-config')['data'] == [{**rule, 'mmpFrozen': False, 'mmpFrozenUntil': ''}]


def test_okx_protection_is_set_and_read(okx_client):
    client = okx_client(AccountAPI)
    set_rule(client)
    assert ask(client, 'GET', 'account/mmp-config', instFamily=FAMILY)['data'] == [
        {
            'instFamily': FAMILY,
            'timeInterval': '5000',
            'frozenInterval': '0',
            'qtyLimit': '100',
            'mmpFrozen': False,
            'mmpFrozenUntil': '',
        }
    ]


def test_okx_balance_can_be_asked_for_one_currency(okx_client):
    client = okx_client(AccountAPI)
    currencies = {detail['ccy'] for detail in client.get_account_balance()['data'][0]['details']}
    assert {'BTC', 'ETH'} <= currencies
    details = client.get_account_balance('BTC')['data'][0]['details']
    assert [detail['ccy'] for detail in details] == ['BTC']


@pytest.mark.parametrize('order_type', ['limit', 'post_only', 'mmp', 'mmp_and_post_only'])
def test_okx_order_rests_until_it_is_cancelled(trade, option, order_type):
    placed = trade.place_order(**order_of(option, ordType=order_type, clOrdId='quote1'))
    assert placed['code'] == '0'
    assert (placed['data'][0]['sCode'], placed['data'][0]['clOrdId']) == ('0', 'quote1')
    order_id = placed['data'][0]['ordId']
    [order] = trade.get_order(option['instId'], clOrdId='quote1')['data']
    assert (order['ordId'], order['ordType'], order['state']) == (order_id, order_type, 'live')
    assert pending(trade) == {order_id: order_type}
    cancelled = trade.cancel_order(option['instId'], ordId=order_id)
    assert (cancelled['code'], cancelled['data'][0]['sCode']) == ('0', '0')
    assert pending(trade) == {}
    assert history(trade)[order_id]['state'] == 'canceled'


def test_okx_order_is_cancelled_by_its_client_order_id(trade, option):
    trade.place_order(**order_of(option, clOrdId='quote1'))
    other = trade.place_order(**order_of(option, clOrdId='quote2'))['data'][0]['ordId']
    assert trade.cancel_order(option['instId'], clOrdId='quote1')['code'] == '0'
    assert pending(trade) == {other: 'mmp'}


def test_okx_cancel_without_an_id_cancels_nothing(trade, option):
    """python-okx sends both ids, empty where none is given, as it sends no client order id for an order without one."""
    order_id = trade.place_order(**order_of(option))['data'][0]['ordId']
    assert trade.cancel_order(option['instId'])['code'] != '0'
    assert pending(trade) == {order_id: 'mmp'}


def test_okx_batch_is_placed_and_cancelled(trade, option):
    orders = [order_of(option), order_of(option, ordType='limit'), order_of(option, side='sell', ordType='post_only')]
    placed = trade.place_multiple_orders(orders)
    assert placed['code'] == '0'
    order_ids = [row['ordId'] for row in placed['data']]
    assert pending(trade) == dict(zip(order_ids, ['mmp', 'limit', 'post_only'], strict=True))
    cancelled = trade.cancel_multiple_orders(
        [{'instId': option['instId'], 'ordId': order_id} for order_id in order_ids[1:]]
    )
    assert [(row['ordId'], row['sCode']) for row in cancelled['data']] == [(each, '0') for each in order_ids[1:]]
    assert pending(trade) == {order_ids[0]: 'mmp'}


def test_okx_trigger_cancels_the_mmp_orders_and_refuses_new_ones_until_a_reset(simulator, trade, option):
    set_rule(trade)
    placed = trade.place_multiple_orders([order_of(option), order_of(option, ordType='limit')])
    quote, other = (row['ordId'] for row in placed['data'])
    simulator.trip('okx', FAMILY)
    assert pending(trade) == {other: 'limit'}
    assert (history(trade)[quote]['state'], history(trade)[quote]['cancelSource']) == ('mmp_canceled', '39')

    refused = trade.place_order(**order_of(option))
    assert (refused['code'], refused['data'][0]['sCode'], refused['data'][0]['ordId']) == ('1', '51034', '')
    batch = trade.place_multiple_orders([order_of(option), order_of(option, ordType='limit')])
    assert (batch['code'], [row['sCode'] for row in batch['data']]) == ('2', ['51034', '0'])

    assert ask(trade, 'POST', 'account/mmp-reset', instType='OPTION', instFamily=FAMILY)['data'] == [{'result': True}]
    assert trade.place_order(**order_of(option))['code'] == '0'


def test_okx_mass_cancel_takes_the_mmp_orders_and_locks(trade, option):
    placed = trade.place_multiple_orders([order_of(option), order_of(option, ordType='limit')])
    quote, other = (row['ordId'] for row in placed['data'])
    answer = ask(trade, 'POST', 'trade/mass-cancel', instType='OPTION', instFamily=FAMILY, lockInterval='10000')
    assert answer['data'] == [{'result': True}]
    assert pending(trade) == {other: 'limit'}
    assert history(trade)[quote]['state'] == 'canceled'
    assert trade.place_order(**order_of(option))['data'][0]['sCode'] == '54008'


def test_okx_order_is_amended_and_makes_a_position(simulator, okx_client, trade, option):
    [placed] = trade.place_order(**order_of(option))['data']
    assert trade.amend_order(option['instId'], ordId=placed['ordId'], newSz='3')['code'] == '0'
    [order] = trade.get_order(option['instId'], ordId=placed['ordId'])['data']
    assert (order['sz'], order['px'], order['ordType']) == ('3', option['tickSz'], 'mmp')
    answer = trade.amend_multiple_orders([{'instId': option['instId'], 'ordId': placed['ordId'], 'newPx': '0.5'}])
    assert answer['code'] == '0'
    assert trade.amend_order(option['instId'], ordId='1', newSz='3')['data'][0]['sCode'] == '51503'
    simulator.fill(placed['ordId'])
    account = okx_client(AccountAPI)
    [position] = account.get_positions('OPTION')['data']
    assert (position['instId'], position['pos'], position['avgPx']) == (option['instId'], '3', '0.5')
    assert account.get_positions('SWAP')['data'] == []


def test_okx_tells_prices_without_credentials(simulator, option):
    with MarketAPI(domain=simulator.url) as market:
        tickers = market.get_tickers('OPTION', instFamily=FAMILY)['data']
        [ticker] = market.get_ticker(option['instId'])['data']
        [book] = market.get_orderbook(option['instId'], sz='1')['data']
    assert len(tickers) == 168
    assert [book['bids'][0][0], book['asks'][0][0]] == [ticker['bidPx'], ticker['askPx']]
    with PublicAPI(domain=simulator.url) as public:
        greeks = {row['instId'] for row in public.get_opt_summary(instFamily=FAMILY)['data']}
        marks = {row['instId'] for row in public.get_mark_price('OPTION', instFamily=FAMILY)['data']}
    assert greeks == marks == {each['instId'] for each in tickers}


def test_okx_countdown_says_when_it_cancels(trade):
    [row] = ask(trade, 'POST', 'trade/cancel-all-after', timeOut='60')['data']
    assert int(row['triggerTime']) - int(row['ts']) == 60_000


# --- Binance

SDK = 'binance_sdk_derivatives_trading_options'


def models():
    """Those of the SDK, whose import takes a second: not every worker needs them."""
    return import_module(f'{SDK}.rest_api.models')


@pytest.fixture
def binance_client(simulator, caplog):
    """Makes clients of Binance's SDK, which only logs an answer that is not of its strict types."""

    client_class = import_module(f'{SDK}.derivatives_trading_options').DerivativesTradingOptions
    configuration_class = import_module('binance_common.configuration').ConfigurationRestAPI

    def make_client(**changed):
        credentials = {'api_key': KEY, 'api_secret': SECRET, **changed}
        return client_class(configuration_class(base_path=simulator.url, **credentials)).rest_api

    yield make_client
    assert [record.getMessage() for record in caplog.get_records('call')] == []


@pytest.fixture
def binance(binance_client):
    return binance_client()


@pytest.fixture
def contract(binance):
    """The first option of the underlying as Binance lists it."""
    listed = binance.exchange_information().data().option_symbols
    return next(symbol for symbol in listed if symbol.underlying == UNDERLYING)


def set_limits(binance):
    return binance.set_market_maker_protection_config(
        UNDERLYING,
        window_time_in_milliseconds=3000,
        frozen_time_in_milliseconds=300_000,
        qty_limit=2,
        delta_limit=0.5,
    ).data()


def place(binance, contract, **changed):
    """An order; with RESULT the answer has all that there is to say about it."""
    order = {
        'symbol': contract.symbol,
        'side': models().NewOrderSideEnum.BUY,
        'type': models().NewOrderTypeEnum.LIMIT,
        'quantity': float(contract.min_qty),
        'price': lowest_price(contract),
        'is_mmp': True,
        'new_order_resp_type': models().NewOrderNewOrderRespTypeEnum.RESULT,
    }
    return binance.new_order(**{**order, **changed}).data()


def batch_order(contract, **changed):
    order = {
        'symbol': contract.symbol,
        'side': 'BUY',
        'type': 'LIMIT',
        'quantity': float(contract.min_qty),
        'price': lowest_price(contract),
    }
    return models().PlaceMultipleOrdersOrdersParameterInner(**{**order, **changed})


def lowest_price(contract):
    return next(float(each.min_price) for each in contract.filters if each.filter_type == 'PRICE_FILTER')


def open_orders(binance, **wanted):
    """What rests in the book: orderId to mmp."""
    return {order.order_id: order.mmp for order in binance.query_current_open_option_orders(**wanted).data()}


def unanswered(answer):
    """The documented fields, which are those of the SDK's types, that an answer lacks."""
    return sorted(name for name in type(answer).model_fields if getattr(answer, name) is None)


def test_binance_tells_the_time(simulator, binance):
    assert abs(binance.check_server_time().data().server_time - simulator.now()) < 10_000


def test_binance_tells_prices(binance, contract):
    [ticker] = binance.ticker24hr_price_change_statistics(contract.symbol).data()
    book = binance.order_book(contract.symbol, 5).data()
    [mark] = binance.option_mark_price(contract.symbol).data()
    assert [book.bids[0][0], book.asks[0][0]] == [ticker.bid_price, ticker.ask_price]
    assert float(ticker.bid_price) < float(mark.mark_price) < float(ticker.ask_price)
    assert binance.index_price(UNDERLYING).data().index_price == ticker.exercise_price


def test_binance_positions_are_what_was_filled(simulator, binance, contract):
    assert binance.option_position_information().data() == []
    simulator.fill(place(binance, contract).order_id)
    [position] = binance.option_position_information(contract.symbol).data()
    assert (position.symbol, position.side) == (contract.symbol, 'LONG')
    [greek] = binance.option_margin_account_information().data().greek
    assert greek.underlying == UNDERLYING


def test_binance_lists_its_options(binance):
    information = binance.exchange_information().data()
    assert isinstance(information, models().ExchangeInformationResponse)
    assert {each.underlying for each in information.option_contracts} == {
        each.underlying for each in information.option_symbols
    }
    assert UNDERLYING in {each.underlying for each in information.option_symbols}


@pytest.mark.parametrize(
    ('changed', 'error', 'code'),
    [({'api_key': WRONG}, UnauthorizedError, -2015), ({'api_secret': WRONG}, BadRequestError, -1022)],
)
def test_binance_refuses_wrong_credentials(binance_client, changed, error, code):
    with pytest.raises(error) as refused:
        binance_client(**changed).get_market_maker_protection_config(UNDERLYING)
    assert refused.value.status_code == code


def test_binance_protection_is_set_and_read(binance):
    set_ = set_limits(binance)
    assert (set_.underlying, set_.window_time_in_milliseconds, set_.frozen_time_in_milliseconds) == (
        UNDERLYING,
        3000,
        300_000,
    )
    assert (set_.qty_limit, set_.delta_limit, set_.last_trigger_time) == ('2', '0.5', 0)
    assert binance.get_market_maker_protection_config(UNDERLYING).data().to_dict() == set_.to_dict()


def test_binance_takes_a_receive_window(binance):
    set_limits(binance)
    assert binance.get_market_maker_protection_config(UNDERLYING, recv_window=10_000).data().underlying == UNDERLYING


@pytest.mark.parametrize('method', ['get_market_maker_protection_config', 'reset_market_maker_protection_config'])
def test_binance_says_that_there_is_no_rule(binance, method):
    with pytest.raises(BadRequestError, match='Mmp rules are not existing') as refused:
        getattr(binance, method)(UNDERLYING)
    assert refused.value.status_code == -6006


def test_binance_protection_is_reset(simulator, binance):
    set_limits(binance)
    simulator.trip('binance', UNDERLYING)
    assert binance.get_market_maker_protection_config(UNDERLYING).data().last_trigger_time > 0
    assert binance.reset_market_maker_protection_config(UNDERLYING).data().qty_limit == '2'


@pytest.mark.parametrize('mmp', [True, False])
def test_binance_order_rests_until_it_is_cancelled(binance, contract, mmp):
    order_id = place(binance, contract, is_mmp=mmp, client_order_id='quote1').order_id
    order = binance.query_single_order(contract.symbol, client_order_id='quote1').data()
    assert (order.order_id, order.mmp, order.quote_asset) == (order_id, mmp, 'USDT')
    assert open_orders(binance, symbol=contract.symbol) == {order_id: mmp}
    cancelled = binance.cancel_option_order(contract.symbol, order_id=order_id).data()
    assert (cancelled.order_id, cancelled.mmp) == (order_id, mmp)
    assert open_orders(binance) == {}
    [closed] = binance.query_option_order_history(contract.symbol).data()
    assert (closed.order_id, closed.status) == (order_id, cancelled.status)


def test_binance_order_is_acknowledged(binance, contract):
    """Without newOrderRespType the answer is the short one."""
    placed = place(binance, contract, new_order_resp_type=None)
    assert (placed.symbol, placed.mmp) == (contract.symbol, True)
    assert open_orders(binance) == {placed.order_id: True}


def test_binance_batch_flags_its_mmp_orders(binance, contract):
    """In a list of orders the SDK writes booleans as the strings "true" and "false"."""
    orders = [batch_order(contract, is_mmp=True), batch_order(contract, is_mmp=False), batch_order(contract)]
    placed = binance.place_multiple_orders(orders).data()
    assert open_orders(binance) == dict(zip([each.order_id for each in placed], [True, False, False], strict=True))


@pytest.mark.parametrize(('argument', 'field'), [('order_ids', 'order_id'), ('client_order_ids', 'client_order_id')])
def test_binance_batch_is_cancelled(binance, contract, argument, field):
    orders = [batch_order(contract, is_mmp=True, client_order_id=f'quote{number}') for number in range(3)]
    binance.place_multiple_orders(orders)
    placed = binance.query_current_open_option_orders().data()
    kept, *others = sorted(placed, key=lambda order: order.client_order_id)
    ids = [getattr(order, field) for order in others]
    cancelled = binance.cancel_multiple_option_orders(contract.symbol, **{argument: ids}).data()
    assert sorted(getattr(order, field) for order in cancelled) == ids
    assert open_orders(binance) == {kept.order_id: True}


def test_binance_cancels_all_of_a_contract(binance, contract):
    binance.place_multiple_orders([batch_order(contract, is_mmp=True), batch_order(contract)])
    answer = binance.cancel_all_option_orders_on_specific_symbol(contract.symbol).data()
    assert (answer.code, answer.msg) == ('0', 'success')
    assert open_orders(binance) == {}


def test_binance_cancels_all_of_an_underlying(binance, contract):
    binance.place_multiple_orders([batch_order(contract, is_mmp=True), batch_order(contract)])
    answer = binance.cancel_all_option_orders_by_underlying(UNDERLYING).data()
    assert (answer.code, answer.msg) == (0, 'success')
    assert open_orders(binance) == {}


def test_binance_refuses_to_cancel_an_order_that_is_gone(binance, contract):
    order_id = place(binance, contract).order_id
    binance.cancel_option_order(contract.symbol, order_id=order_id)
    with pytest.raises(BadRequestError) as refused:
        binance.cancel_option_order(contract.symbol, order_id=order_id)
    assert refused.value.status_code in (-2011, -6028)


def test_binance_trigger_cancels_the_mmp_orders_and_refuses_new_ones_until_a_reset(simulator, binance, contract):
    set_limits(binance)
    quote, other = binance.place_multiple_orders([batch_order(contract, is_mmp=True), batch_order(contract)]).data()
    simulator.trip('binance', UNDERLYING)
    assert open_orders(binance) == {other.order_id: False}
    [closed] = binance.query_option_order_history(contract.symbol).data()
    assert (closed.order_id, closed.mmp) == (quote.order_id, True)

    with pytest.raises(BadRequestError) as refused:
        place(binance, contract)
    assert refused.value.status_code == -6058
    refused_quote, accepted = binance.place_multiple_orders(
        [batch_order(contract, is_mmp=True), batch_order(contract)]
    ).data()
    assert refused_quote.order_id is None
    assert set(open_orders(binance)) == {other.order_id, accepted.order_id}

    binance.reset_market_maker_protection_config(UNDERLYING)
    assert place(binance, contract).mmp is True


def test_binance_answers_have_every_documented_field(binance, contract):
    symbol = contract.symbol
    information = binance.exchange_information().data()
    placed = place(binance, contract)
    [batched] = binance.place_multiple_orders([batch_order(contract)]).data()
    answers = {
        'exchangeInfo': information,
        'optionContracts': information.option_contracts[0],
        'optionAssets': information.option_assets[0],
        'optionSymbols': contract,
        'rateLimits': information.rate_limits[0],
        'POST mmpSet': set_limits(binance),
        'GET mmp': binance.get_market_maker_protection_config(UNDERLYING).data(),
        'POST mmpReset': binance.reset_market_maker_protection_config(UNDERLYING).data(),
        'POST order': placed,
        'POST batchOrders': batched,
        'GET order': binance.query_single_order(symbol, order_id=placed.order_id).data(),
        'GET openOrders': binance.query_current_open_option_orders().data()[0],
        'DELETE order': binance.cancel_option_order(symbol, order_id=placed.order_id).data(),
        'DELETE batchOrders': binance.cancel_multiple_option_orders(symbol, order_ids=[batched.order_id]).data()[0],
        'GET historyOrders': binance.query_option_order_history(symbol).data()[0],
    }
    assert {name: unanswered(answer) for name, answer in answers.items() if unanswered(answer)} == {}


def test_binance_countdown_is_set_read_and_renewed(binance):
    set_ = binance.set_auto_cancel_all_open_orders(UNDERLYING, countdown_time=30_000).data()
    assert (set_.underlying, set_.countdown_time) == (UNDERLYING, 30_000)
    assert binance.get_auto_cancel_all_open_orders(UNDERLYING).data().to_dict() == set_.to_dict()
    assert binance.auto_cancel_all_open_orders(f'{UNDERLYING},ETHUSDT').data().underlyings == [UNDERLYING]


def test_binance_refuses_a_countdown_that_is_too_short(binance):
    with pytest.raises(BadRequestError) as refused:
        binance.set_auto_cancel_all_open_orders(UNDERLYING, countdown_time=4999)
    assert refused.value.status_code == -6009
