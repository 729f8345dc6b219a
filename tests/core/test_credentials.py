"""Credentials that cannot be sent are told before anything is, and no value of one stands in a text."""

import base64
import copy
import gc
import json
import logging
import subprocess
import sys
import textwrap
import traceback
from urllib.parse import quote

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest
from aiohttp import web

import ccxt_mmp
from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp._redaction import LOGGER, redact, redacted, remember
from ccxt_mmp.cli import targets
from ccxt_mmp.registry import EXCHANGES
from tests.core.fencing import WAYS
from tests.rows import rows
from tests.trading import RULES, UNDERLYING, UNIFIED, symbols, with_markets

NAMES = dict.fromkeys(EXCHANGES, ('apiKey', 'secret')) | {'okx': ('apiKey', 'secret', 'password')}
UNUSABLE = {
    'line break': 'SEKRET\n',
    'Windows line break': 'SEKRET\r\n',
    'leading blank': ' SEKRET',
    'trailing blank': 'SEKRET ',
    'tab within': 'SEK\tRET',
    'line break within': 'SEK\nRET',
    'NUL': 'SEKRET\0',
    'DEL': 'SEK\x7fRET',
    'C1 control': 'SEK\x85RET',
    'no-break space': '\xa0SEKRET',
    'byte order mark': '\ufeffSEKRET',
    'surrogate': 'SEKRET\udc80',
    'number': 12345678,
    'bytes': b'SEKRET',
}
STOCK = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}


def everything(error):
    """What any program could print of an error and of those that it came from."""
    # without the lines of source, which take long and hold no value
    texts, errors = traceback.format_exception(error, limit=0), [error]
    for each in errors:
        texts += [str(each), repr(each), repr(each.args)]
        errors += [other for other in (each.__cause__, each.__context__) if other and other not in errors]
    return '\n'.join(texts)


def bad_exchange(flavour, simulator, exchange_id, name, value):
    exchange = with_markets(flavour.exchange(exchange_id, simulator.url))
    setattr(exchange, name, value)
    return exchange


@rows('what', UNUSABLE)
@rows(('exchange_id', 'name'), [(each, name) for each in NAMES for name in NAMES[each]])
def test_credential_that_cannot_be_sent_is_told_before_anything_is(flavour, simulator, exchange_id, name, what):
    exchange = bad_exchange(flavour, simulator, exchange_id, name, UNUSABLE[what])
    symbol, underlying = symbols(exchange, UNDERLYING[exchange_id])[0], UNIFIED[exchange_id]
    for method, *arguments in (
        ('fetch_mmp', underlying),
        ('reset_mmp', underlying),
        ('mass_cancel_mmp', underlying),
        ('create_order', symbol, 'limit', 'buy', 1, 5, {'mmp': True}),
        ('fetch_open_orders', symbol),
        ('fetch_balance',),
    ):
        with pytest.raises(ccxt.AuthenticationError, match=name) as caught:
            flavour.take(getattr(exchange, method)(*arguments))
        assert not [each for each in ('SEK', '12345678') if each in everything(caught.value)], method
    assert simulator.requests == []


@pytest.mark.parametrize(('exchange_id', 'name'), [*((each, 'apiKey') for each in EXCHANGES), ('okx', 'password')])
def test_credential_that_no_header_can_carry_is_told_before_anything_is_sent(flavour, simulator, exchange_id, name):
    exchange = bad_exchange(flavour, simulator, exchange_id, name, 'SEK€RET')
    with pytest.raises(ccxt.AuthenticationError, match='latin-1') as caught:
        flavour.take(exchange.fetch_balance())
    assert 'SEK' not in everything(caught.value)
    assert simulator.requests == []


@pytest.mark.parametrize('exchange_id', ['okx', 'binance', 'bybit'])  # Deribit's are loaded without credentials
def test_markets_are_not_loaded_for_a_credential_that_cannot_be_sent(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url, apiKey='SEKRET\n')
    with pytest.raises(ccxt.AuthenticationError):
        flavour.take(exchange.fetch_balance())
    assert simulator.requests == []


@pytest.mark.parametrize(('exchange_id', 'params'), WAYS)
def test_kill_switch_tells_of_a_credential_at_once_and_asks_no_clock(
    flavour, simulator, monkeypatch, exchange_id, params
):
    options = {'adjustForTimeDifference': True}
    exchange = flavour.exchange(exchange_id, simulator.url, secret='SEKRET\n', options=options)
    with monkeypatch.context() as patched:
        patched.setattr(exchange, 'sleep', None)  # nor does it wait
        with pytest.raises(ccxt.AuthenticationError, match='secret'):
            flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], params))
    assert simulator.requests == []


@pytest.mark.parametrize(
    ('exchange_id', 'endpoint'),
    [
        ('okx', 'POST trade/mass-cancel'),
        ('binance', 'GET openOrders'),
        ('deribit', 'others'),
        ('bybit', 'GET order/realtime'),
    ],
)
def test_kill_switch_tells_of_a_credential_before_it_waits_for_a_limit(flavour, simulator, exchange_id, endpoint):
    options = {'mmpRateLimits': {endpoint: [1, 60_000], 'matching': [9, 1000]}}
    exchange = flavour.exchange(exchange_id, simulator.url, enableRateLimit=True, options=options)
    flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
    sent = len(simulator.requests)
    exchange.secret = 'SEKRET\n'  # pragma: allowlist secret
    with pytest.raises(ccxt.AuthenticationError, match='secret'):
        flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id]))
    assert len(simulator.requests) == sent


@rows(('method', 'arguments'), [('set_mmp', (5000, 2000)), ('reset_mmp', ()), ('fetch_mmp', ())])
@rows('exchange_id', EXCHANGES)
def test_clock_is_not_asked_for_a_credential_that_cannot_be_sent(flavour, simulator, exchange_id, method, arguments):
    options = {'adjustForTimeDifference': True}
    exchange = flavour.exchange(exchange_id, simulator.url, secret='SEKRET\n', options=options)
    limits = RULES[exchange_id] if method == 'set_mmp' else {}
    with pytest.raises(ccxt.AuthenticationError, match='secret'):
        flavour.take(getattr(exchange, method)(UNIFIED[exchange_id], *arguments, **limits))
    assert simulator.requests == []


def test_key_that_goes_out_unsigned_is_checked_too(flavour, simulator):
    exchange = flavour.exchange('binance', simulator.url, apiKey='SEKRET\n')
    for call in (
        exchange.fapiPrivatePostListenKey,
        exchange.publicPostUserDataStream,
        exchange.publicGetHistoricalTrades,
    ):
        with pytest.raises(ccxt.AuthenticationError, match='apiKey') as caught:
            flavour.take(call({'symbol': 'BTCUSDT'}))
        assert 'SEKRET' not in everything(caught.value)
    assert simulator.requests == []


def test_public_calls_do_not_mind_a_credential(flavour, simulator, exchange_id):
    exchange = flavour.exchange(exchange_id, simulator.url, apiKey='SEKRET\n', secret='\n')
    assert flavour.take(exchange.fetch_time()) > 0


def test_missing_credential_is_told_by_ccxt(flavour, simulator, exchange_id):
    for value in (None, ''):
        exchange = bad_exchange(flavour, simulator, exchange_id, 'secret', value)
        with pytest.raises(ccxt.AuthenticationError, match='requires "secret" credential'):
            flavour.take(exchange.fetch_balance())
    assert exchange.check_required_credentials(False) is False


@pytest.mark.parametrize('exchange_id', ['okx', 'binance', 'bybit'])  # Deribit's ids stand in a list
def test_credentials_that_can_be_sent_are(flavour, simulator, exchange_id):
    """White space within, and a secret beyond latin-1, which only signs."""
    account = simulator.add_account('a key, "quoted"', 'gehëim €', 'a passphrase')
    names = {'apiKey': account.key, 'secret': account.secret, 'password': account.passphrase}
    assert flavour.take(with_markets(flavour.exchange(exchange_id, simulator.url, **names)).fetch_balance())['BTC']


def test_private_key_has_its_line_breaks(flavour):
    exchange = flavour.exchange('binance', secret='-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n')
    assert exchange.check_required_credentials() is True


@pytest.mark.parametrize('way', ['extended', 'composed'])
def test_check_of_the_users_own_is_asked_for_every_request(flavour, simulator, way):
    asked = []

    class Checking(STOCK[flavour.name].okx):
        def check_required_credentials(self, error=True):
            asked.append(error)
            return super().check_required_credentials(error)

    front = ccxt_mmp.SyncMmp if flavour.name == 'sync' else ccxt_mmp.AsyncMmp
    composed = type('composed', (front, ccxt_mmp.OkxMmp, Checking), {})
    made = ccxt_mmp.extend(simulator.connect(Checking)) if way == 'extended' else simulator.connect(composed)
    exchange = with_markets(made)
    exchange.enableRateLimit = False
    flavour.opened.append(exchange)
    for count in (1, 2, 3):
        flavour.take(exchange.fetch_balance())
        assert len(asked) >= count


@pytest.mark.parametrize('name', NAMES['okx'])
def test_login_over_a_websocket_is_not_begun_with_a_credential_that_cannot_be_sent(pro, simulator, name):
    exchange = bad_exchange(pro, simulator, 'okx', name, 'SEKRET\n')
    for call in (exchange.authenticate, exchange.watch_orders, exchange.watch_balance):
        with pytest.raises(ccxt.AuthenticationError, match=name) as caught:
            pro.take(call())
        assert 'SEKRET' not in everything(caught.value)
    assert not exchange.clients
    assert simulator.requests == []


@pytest.mark.parametrize('name', NAMES['binance'])
def test_user_stream_of_binance_is_not_begun_with_a_credential_that_cannot_be_sent(pro, simulator, name):
    exchange = bad_exchange(pro, simulator, 'binance', name, 'SEKRET\n')
    with pytest.raises(ccxt.AuthenticationError, match=name) as caught:
        pro.take(exchange.create_order_ws('BTC/USDT', 'limit', 'buy', 1, 5))
    assert 'SEKRET' not in everything(caught.value)
    assert simulator.requests == []


# --- values, wherever they stand


@pytest.fixture
def pro():
    from tests.flavours import Flavour  # noqa: PLC0415 - not a fixture there

    flavour = Flavour('pro')
    yield flavour
    flavour.close()


PASSPHRASE = 'it\'s "5e7 up" \\ &=+/ü'
WRITTEN = {
    'as it is': PASSPHRASE,
    'in a URL': quote(PASSPHRASE, safe=''),
    'in JSON': json.dumps(PASSPHRASE)[1:-1],
    'in JSON with its letters': json.dumps(PASSPHRASE, ensure_ascii=False)[1:-1],
    'in a repr': repr(PASSPHRASE)[1:-1],
    'in JSON in a repr': repr(json.dumps(PASSPHRASE))[2:-2],
    'in base64': base64.b64encode(PASSPHRASE.encode()).decode().rstrip('='),
}


@rows('how', WRITTEN)
def test_value_is_taken_out_however_it_is_written(flavour, how):
    exchange = flavour.exchange('okx', password=PASSPHRASE)
    exchange.check_required_credentials()
    assert redacted(f'Echo <{WRITTEN[how]}> of yours') == 'Echo <***> of yours'


def test_value_that_begins_as_another_is_taken_out_whole(flavour):
    keys = {'apiKey': 'desk-key', 'password': 'desk-key-two'}  # pragma: allowlist secret
    flavour.exchange('okx', **keys).check_required_credentials()
    assert redacted('desk-key-two desk-key') == '*** ***'


def test_short_value_is_not_searched_for(flavour):
    keys = {'apiKey': 'okx', 'secret': 'short', 'password': 'sixsix'}  # pragma: allowlist secret
    flavour.exchange('okx', **keys).check_required_credentials()
    assert redacted('okx is short of sixsix') == 'okx is short of ***'


def test_lines_of_a_private_key_are_taken_out_each(flavour):
    pem = '-----BEGIN PRIVATE KEY-----\nMIIEvgIBADANBgkq\n-----END PRIVATE KEY-----\n'  # pragma: allowlist secret
    flavour.exchange('binance', secret=pem).check_required_credentials()
    assert 'MIIE' not in redacted('a PRIVATE KEY of MIIEvgIBADANBgkq')


def test_values_of_an_object_that_is_gone_are_forgotten():
    class Exchange:
        requiredCredentials = {'apiKey': True}  # noqa: N815, RUF012 - as in ccxt
        apiKey = 'key-of-yesterday'  # noqa: N815  # pragma: allowlist secret

    exchange = Exchange()
    remember(exchange)
    assert redacted('key-of-yesterday') == '***'
    del exchange
    assert redacted('key-of-yesterday') == 'key-of-yesterday'


ECHOES = {
    'refused': lambda text: (json.dumps({'code': '51000', 'data': [], 'msg': f'bad key {text}'}), 200),
    'refused by Binance': lambda text: (json.dumps({'code': -1100, 'msg': f'bad key {text}'}), 400),
    'page': lambda text: (f'<html>you sent {text}</html>', 200),
    'page of an error': lambda text: (f'<html>you sent {text}</html>', 502),
    'another answer': lambda text: (json.dumps({'code': '0', 'data': [{'you sent': text}]}), 200),
    'a list': lambda text: (json.dumps([text]), 200),
}


@rows('exchange_id', ['okx', 'binance'])
@rows('echo', ECHOES)
def test_value_that_an_answer_repeats_is_neither_raised_nor_logged(flavour, canned, caplog, capfd, exchange_id, echo):
    caplog.set_level(logging.DEBUG, 'ccxt')
    caplog.clear()  # what other rows have logged
    texts = []
    for secret in ('Zy3k-0f-T3sts', PASSPHRASE):
        body, status = ECHOES[echo](secret)
        canned.answer(body, status=status)
        exchange = flavour.exchange(exchange_id, canned.url, secret=secret, verbose=True)
        with_markets(exchange)
        symbol, underlying = symbols(exchange, UNDERLYING[exchange_id])[0], UNIFIED[exchange_id]
        for method, *arguments in (
            ('fetch_mmp', underlying),
            ('mass_cancel_mmp', underlying, {'timeout': 300}),
            ('create_order', symbol, 'limit', 'buy', 1, 5, {'mmp': True}),
            ('fetch_time',),
        ):
            try:
                flavour.take(getattr(exchange, method)(*arguments))
            except Exception as error:  # noqa: BLE001, PERF203 - of whatever kind
                texts.append(everything(error))
        assert texts
        logged = [record.getMessage() for record in caplog.records if record.name == LOGGER.name]
        assert logged
        text = '\n'.join([*texts, *capfd.readouterr(), *logged])
        assert 'you sent' in text or 'bad key' in text or '***' in text
        for form in ('Zy3k-0f', '5e7 up', '5e7%20up', '5e7+up'):
            assert form not in text, text[max(text.find(form) - 200, 0) :][:300]


def test_error_has_no_value_in_its_arguments_of_whatever_type(flavour):
    flavour.exchange('okx', apiKey='Zy3k-0f-T3sts').check_required_credentials()  # pragma: allowlist secret
    cause = ValueError({'headers': ['Zy3k-0f-T3sts']}, 7, OSError('Zy3k-0f-T3sts'))
    error = ccxt.NetworkError('outer', b'Zy3k-0f-T3sts')
    error.__cause__ = cause
    redact(error, None)
    assert 'Zy3k' not in everything(error)
    assert error.__cause__ is cause
    assert cause.args[1] == 7


def test_error_without_a_value_is_left_as_it_is():
    arguments = ('plain', {'a': 1}, 7)
    error = ccxt.NetworkError(*arguments)
    kept = error.args
    redact(error, None)
    assert error.args is kept


def test_incomplete_mass_cancel_repeats_no_value(flavour, canned):
    canned.answer('[{"you sent": "Zy3k-0f-T3sts"}]')
    exchange = flavour.exchange('binance', canned.url, secret='Zy3k-0f-T3sts')
    with pytest.raises((MassCancelIncomplete, ccxt.BadResponse)) as caught:
        flavour.take(exchange.mass_cancel_mmp('BTC/USDT'))
    assert 'Zy3k' not in everything(caught.value)
    assert 'you sent' in str(caught.value)


# --- logs


def test_log_filter_takes_values_out_of_a_traceback_and_never_raises(flavour, caplog):
    flavour.exchange('okx', apiKey='Zy3k-0f-T3sts').check_required_credentials()  # pragma: allowlist secret
    try:
        raise ValueError('Zy3k-0f-T3sts')
    except ValueError:
        LOGGER.exception('told %s', 'Zy3k-0f-T3sts')
    LOGGER.warning('%d is no number', 'Zy3k-0f-T3sts')
    assert 'Zy3k' not in caplog.text
    assert 'told ***' in caplog.text
    assert 'ValueError: ***' in caplog.text
    assert 'a message that could not be read: TypeError' in caplog.text


def test_warning_of_ccxt_at_exit_is_shown(simulator):
    """The objects are dropped while the interpreter shuts down, when nothing can be imported any more."""
    program = f"""
        import asyncio
        from ccxt_mmp import async_support, pro
        from ccxt_mmp.simulator import redirect

        async def main(module):
            exchange = module.okx({{'apiKey': 'Zy3k-0f-T3sts', 'secret': 'Zy3k-s', 'password': 'Zy3k-p'}})
            redirect(exchange, '{simulator.url}')
            await exchange.fetch_time()
            return exchange

        exchanges = [asyncio.run(main(module)) for module in (async_support, pro)]
    """
    ran = subprocess.run(
        [sys.executable, '-c', textwrap.dedent(program)], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0
    assert ran.stderr.count('requires to release all resources') == 2
    assert 'ImportError' not in ran.stderr
    assert 'Exception ignored' not in ran.stderr
    assert 'Zy3k' not in ran.stderr


# --- websockets


async def socket_server(answers):
    """A server of websockets on loopback that answers what it is sent by a function; its URL, and how to close it."""

    async def handle(request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(answers(message.data))
        return socket

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0)
    await site.start()
    return f'ws://127.0.0.1:{runner.addresses[0][1]}', runner.cleanup


LOGIN = {'apiKey': 'Zy3k-key', 'secret': 'Zy3k-secret', 'password': 'Zy3k-passphrase'}  # pragma: allowlist secret


def log_in(pro, exchange, answers):
    """Log in over a websocket; the error that comes of it."""

    async def main():
        url, close = await socket_server(answers)
        exchange.urls['api']['ws'] = url
        try:
            await exchange.authenticate()
        except ccxt.BaseError as error:
            return error
        finally:
            await exchange.close()
            await close()
        return None

    return pro.take(main())


@pytest.mark.parametrize('is_made_before', [False, True], ids=['made after', 'made before'])
def test_websocket_client_of_an_extended_object_prints_no_secret(pro, capfd, is_made_before):
    """That ccxt gave the stock method to print by when it made it."""

    async def main():
        url, close = await socket_server(lambda text: json.dumps({'event': 'login', 'code': '0', 'msg': ''}))
        exchange = ccxt.pro.okx({**LOGIN, 'verbose': True})
        exchange.urls['api']['ws'] = url
        if is_made_before:
            exchange.client(exchange.get_url('users', 'private'))
        ccxt_mmp.extend(exchange)
        await exchange.authenticate()
        await exchange.close()
        await close()

    pro.take(main())
    printed = capfd.readouterr().out
    assert 'login' in printed
    assert 'Zy3k' not in printed


def test_function_of_the_user_to_print_by_is_left_to_a_websocket_client(pro):
    async def main():
        exchange = ccxt.pro.okx(LOGIN)
        printed = []
        exchange.log = lambda *texts: printed.append(texts)
        client = exchange.client('ws://127.0.0.1:9')
        ccxt_mmp.extend(exchange)
        client.log('mine')
        assert printed == [('mine',)]
        await exchange.close()

    pro.take(main())


@pytest.mark.parametrize('is_extended', [False, True])
def test_value_that_a_websocket_repeats_is_not_raised(pro, is_extended):
    exchange = ccxt.pro.okx(LOGIN) if is_extended else ccxt_mmp.pro.okx(LOGIN)
    error = log_in(
        pro,
        ccxt_mmp.extend(exchange),
        lambda text: json.dumps({'event': 'error', 'code': '60009', 'msg': f'Login failed for {LOGIN["apiKey"]}'}),
    )
    assert isinstance(error, ccxt.AuthenticationError)
    assert 'Login failed for ***' in str(error)
    assert 'Zy3k' not in everything(error)


# --- the command line


def test_command_line_takes_out_no_short_value():
    exchanges = object.__new__(targets.Exchanges)
    exchanges._secrets = {'c', 'ang', 'passphrase-two', 'passphrase'}
    assert exchanges.without_secrets('Exchange passphrase-two passphrase') == 'Exchange *** ***'


def test_values_of_a_copy_are_hidden_when_the_original_is_gone(flavour):
    original = flavour.exchange('okx')
    original.secret = 'a-secret-of-two-objects'  # pragma: allowlist secret
    original.check_required_credentials()
    exchange = copy.copy(original)
    flavour.opened.remove(original)
    del original
    gc.collect()
    exchange.check_required_credentials()
    assert exchange.secret not in redacted(f'it is {exchange.secret}')
