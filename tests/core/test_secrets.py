"""No key, passphrase or signature in what is printed, logged and raised, whatever fails."""

import dataclasses
import json
import logging
import re
import secrets
import traceback
from urllib.parse import parse_qs, urlsplit

import ccxt
import ccxt.async_support
import ccxt.pro
import pytest

import ccxt_mmp
from ccxt_mmp import MassCancelIncomplete
from ccxt_mmp._redaction import LOGGER, redact, redacted
from ccxt_mmp.simulator import redirect
from ccxt_mmp.simulator.faults import KINDS
from tests.exchanges.test_cassettes import CASSETTES
from tests.ports import nowhere
from tests.trading import UNDERLYING, UNIFIED, symbols, with_markets

LIMITS = {
    'okx': (5000, 0, 10),
    'binance': (3000, 0, 10, '2.5'),
    'deribit': (5000, 0, 10, None, {'maxQuoteQuantity': 100}),
    'bybit': (5000, 0, 10, '2.5'),
}
NOT_THERE = {
    'deribit': ('fetch_canceled_orders', 'cancel_orders', 'cancel_all_orders_after'),
    'bybit': ('cancel_all_orders_after',),
}
ALL = 10**6  # requests
FAULTS = {
    **{kind: (kind, {}) for kind in KINDS if kind not in ('delay', 'hold', 'status')},
    'late': ('delay', {'milliseconds': 60_000}),
    **{f'status {status}': ('status', {'status': status}) for status in (429, 503)},
}
SITUATIONS = ['accepted', 'wrong secret', 'unknown key', 'nobody there', *FAULTS]
PATIENCE = {'late': 20}  # ms that an answer has where none comes
# where a limit is used up for ever: a mass cancel asks again after each window, as long as it has time
USED_UP = {
    'massCancelMmp': {'timeout': 60},
    'mmpRateLimits': {'POST trade/mass-cancel': [5, 20], 'GET trade/orders-pending': [60, 20]},
}

pytestmark = pytest.mark.usefixtures('short_grace')


class Watch:
    """Everything that a run lets others read, and what must not be in it."""

    def __init__(self, capfd, caplog, recwarn):
        self.capfd, self.caplog, self.recwarn = capfd, caplog, recwarn
        self.texts = []
        self.signatures = set()
        caplog.set_level(logging.DEBUG)
        caplog.set_level(logging.DEBUG, 'ccxt')

    def sign(self, exchange):
        """Note the signatures of an exchange."""
        sign = exchange.sign

        def signed(*arguments, **keywords):
            request = sign(*arguments, **keywords)
            headers = request['headers'] or {}
            query, body = urlsplit(request['url']).query, request['body'] or ''
            of_deribit = headers.get('Authorization', '').partition('sig=')[2].partition(',')[0] or None
            of_headers = (headers.get('OK-ACCESS-SIGN'), headers.get('X-BAPI-SIGN'), of_deribit)
            for name in (*of_headers, *parse_qs(query).get('signature', ())):
                self.signatures |= {name} - {None}
            self.signatures |= {each for each in parse_qs(body).get('signature', ()) if isinstance(body, str)}
            return request

        exchange.sign = signed

    def error(self, error):
        """An error as programs print it, and all that it came from."""
        self.texts += traceback.format_exception(error, limit=0)  # the lines of source take long and hold no value
        errors = [error]
        for each in errors:
            self.texts += [str(each), repr(each), repr(each.args)]
            self.texts += [repr(vars(each))] if isinstance(each, ccxt.BaseError) else []
            errors += [other for other in (each.__cause__, each.__context__) if other and other not in errors]

    def read(self):
        # urllib3 logs the URLs of what it sends by itself, and werkzeug is the server here
        logged = [record for record in self.caplog.records if not record.name.startswith(('urllib3', 'werkzeug'))]
        formatter = logging.Formatter()
        return '\n'.join(
            [
                *self.texts,
                *self.capfd.readouterr(),
                *(formatter.format(record) + repr(vars(record)) for record in logged),
                *(str(warning.message) for warning in self.recwarn),
            ]
        )


@pytest.fixture
def watch(capfd, caplog, recwarn):
    return Watch(capfd, caplog, recwarn)


@pytest.fixture
def account(simulator):
    """Other credentials in each run; the passphrase has all that has to be escaped."""
    key, secret, passphrase = (secrets.token_hex(16) for _ in range(3))
    return simulator.add_account(key, secret, f'it\'s "{passphrase}" \\ &=')


def exchange_of(flavour, simulator, exchange_id, account, situation='accepted'):
    credentials = {'apiKey': account.key, 'secret': account.secret, 'password': account.passphrase}
    if situation == 'wrong secret':
        credentials['secret'] = secrets.token_hex(16)
    elif situation == 'unknown key':
        credentials['apiKey'] = secrets.token_hex(16)
    settings = {'verbose': True, 'timeout': PATIENCE.get(situation, 10_000)}
    exchange = flavour.exchange(exchange_id, simulator.url, **settings, **credentials)
    if situation == 'status 429':
        exchange.options.update(USED_UP)
    return with_markets(exchange)


def calls(exchange, order_ids):
    """Every method, and some of ccxt's own."""
    underlying = UNIFIED[exchange.id]
    symbol, other = symbols(exchange, UNDERLYING[exchange.id])[:2]
    terms = {'type': 'limit', 'side': 'buy', 'amount': 1, 'price': 5, 'params': {'mmp': True}}
    way = 'emulate' if exchange.id == 'okx' else 'includeNonMmp'
    after = {'okx': (10_000,), 'binance': (10_000, {'underlying': underlying})}
    yield from (
        ('set_mmp', underlying, *LIMITS[exchange.id]),
        ('fetch_mmp', underlying),
        ('fetch_mmps', [underlying]),
        ('reset_mmp', underlying),
        ('create_order', symbol, 'limit', 'buy', 1, 5, {'mmp': True}),
        ('create_orders', [{'symbol': each, **terms} for each in (symbol, other)]),
        ('fetch_open_orders', symbol, None, None, {'mmp': True}),
        ('fetch_open_orders', symbol),
        ('fetch_canceled_orders', symbol),
        ('cancel_orders', order_ids, symbol),
        ('cancel_all_orders_after', *after.get(exchange.id, ())),
        ('mass_cancel_mmp', underlying),
        ('mass_cancel_mmp', underlying, {way: True}),
        ('warm_up',),
        ('fetch_balance',),
    )


def run_all(flavour, exchange, order_ids, watch):
    """Call every method, and keep what it answers or raises; the names of those that failed."""
    failed = []
    for name, *arguments in calls(exchange, order_ids):
        if name in NOT_THERE.get(exchange.id, ()):
            continue
        try:
            answer = flavour.take(getattr(exchange, name)(*arguments))
            watch.texts.append(repr(answer))
        except Exception as error:  # noqa: BLE001 - of whatever kind
            failed.append(name)
            watch.error(error)
    watch.texts += [repr(exchange), str(exchange), repr(exchange._mmp_fences)]
    return failed


def assert_kept(watch, simulator, account, exchange):
    text = watch.read()
    assert 'RequestHeaders' in text, 'nothing was printed'
    assert 'Request: ' in text, 'nothing was logged'
    assert watch.signatures
    token = re.search('[0-9a-f]{32}', account.passphrase)[0]
    # what the simulator keeps is read by others, too
    text += repr(simulator.requests) + repr(account)
    for what, secret in (
        ('key', exchange.apiKey),
        ('secret', exchange.secret),
        ('passphrase', token),
        *(('signature', each) for each in watch.signatures),
    ):
        place = text.find(secret)
        assert place < 0, f'the {what}: {text[max(place - 300, 0) : place + 100]}'


@pytest.mark.parametrize('situation', SITUATIONS)
def test_secrets_are_neither_printed_nor_logged_nor_raised(flavour, simulator, account, watch, exchange_id, situation):
    exchange = exchange_of(flavour, simulator, exchange_id, account, situation)
    quoted = simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True, account=account)
    watch.sign(exchange)
    if situation in FAULTS:
        kind, details = FAULTS[situation]
        simulator.fault(kind, times=ALL, **details)
    with nowhere() as url:
        if situation == 'nobody there':
            redirect(exchange, url)
        failed = run_all(flavour, exchange, [quoted.order_id, '1'], watch)
    assert bool(failed) == (situation not in ('accepted', 'half_batch')), failed
    assert_kept(watch, simulator, account, exchange)


def test_incomplete_mass_cancel_tells_no_secret(flavour, simulator, account, watch, exchange_id):
    exchange = exchange_of(flavour, simulator, exchange_id, account)
    watch.sign(exchange)
    quoted = simulator.rest(exchange_id, UNDERLYING[exchange_id], mmp=True, account=account)
    simulator.refuse_cancel(quoted.order_id)
    params = {'emulate': True} if exchange_id == 'okx' else {}
    simulator.fault('drop_before', times=2)
    with pytest.raises(MassCancelIncomplete) as caught:
        flavour.take(exchange.mass_cancel_mmp(UNIFIED[exchange_id], params))
    watch.error(caught.value)
    assert_kept(watch, simulator, account, exchange)


def test_secrets_of_an_extended_object_are_kept_too(flavour, simulator, account, watch, exchange_id):
    credentials = {'apiKey': account.key, 'secret': account.secret, 'password': account.passphrase}
    stock = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}[flavour.name]
    exchange = getattr(stock, exchange_id)({**credentials, 'verbose': True, 'enableRateLimit': False})
    flavour.opened.append(exchange)
    redirect(ccxt_mmp.extend(exchange), simulator.url)
    watch.sign(exchange)
    simulator.fault('drop_before', times=ALL)
    with pytest.raises(ccxt.NetworkError) as caught:
        flavour.take(exchange.fetch_mmp(UNIFIED[exchange_id]))
    watch.error(caught.value)
    assert_kept(watch, simulator, account, exchange)


@pytest.mark.parametrize('as_text', [False, True], ids=['as a dict', 'as JSON'])
def test_login_of_a_websocket_is_printed_without_secrets(flavour, capfd, as_text):
    """As ccxt's clients print with verbose what they send, by the exchange's own method."""
    argument = {
        'apiKey': 'the-key',  # pragma: allowlist secret
        'passphrase': 'the "pass\\',
        'timestamp': '1597026383',
        'sign': 'c2lnbg+/=',
    }
    login = {'op': 'login', 'args': [argument]}
    flavour.exchange('okx').log('sending', json.dumps(login) if as_text else login)
    printed = capfd.readouterr().out
    assert '1597026383' in printed
    assert not [each for each in ('the-key', 'pass', 'c2lnbg') if each in printed.replace('passphrase', '')]


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('GET https://x/y?a=1&signature=ab%2Bc%3D', 'GET https://x/y?a=1&signature=***'),
        ('{"op":"auth","args":["key","1662350400000","ab"]}', '{"op":"auth","args":***}'),
        ("{'X-BAPI-API-KEY': 'key', 'X-BAPI-SIGN': 'ab'}", "{'X-BAPI-API-KEY': '***', 'X-BAPI-SIGN': '***'}"),
        ('GET https://x/y?signature=abc&a=1 500', 'GET https://x/y?signature=***&a=1 500'),
        (
            'https://proxy/?https%3A%2F%2Fx%3Fa%3D1%26signature%3Dabc',
            'https://proxy/?https%3A%2F%2Fx%3Fa%3D1%26signature%3D***',
        ),
        ("{'X-MBX-APIKEY': 'a'}", "{'X-MBX-APIKEY': '***'}"),
        ('Signature for this request is not valid.', 'Signature for this request is not valid.'),
        ('{"designs": "a", "resign": "b"}', '{"designs": "a", "resign": "b"}'),
    ],
)
def test_what_is_taken_out_of_a_text(text, expected):
    assert redacted(text) == expected


def test_logger_of_the_user_is_left_alone(flavour):
    own = logging.getLogger('tests.own')
    assert flavour.exchange('okx', logger=own).logger is own
    stock = {'sync': ccxt, 'async': ccxt.async_support, 'pro': ccxt.pro}[flavour.name]
    exchange = stock.okx({'logger': own})
    flavour.opened.append(exchange)
    assert ccxt_mmp.extend(exchange).logger is own


def test_log_has_the_level_and_the_handlers_of_ccxts(flavour, caplog):
    exchange = flavour.exchange('okx')
    assert exchange.logger is LOGGER
    assert LOGGER.parent.name == 'ccxt.base.exchange'
    with caplog.at_level(logging.WARNING, 'ccxt.base.exchange'):
        assert not exchange.logger.isEnabledFor(logging.DEBUG)


def test_cassettes_have_no_signature():
    """Nor what looks like one; their keys and passphrases are looked for where the cassettes are tested."""
    for path in CASSETTES.glob('*/*.yaml'):
        assert not re.search('[0-9a-f]{64}|[A-Za-z0-9+/]{43}=', path.read_text())


def test_error_that_the_user_handles_is_left_as_it_is(flavour, simulator):
    @dataclasses.dataclass(frozen=True)
    class RiskLimit(Exception):  # noqa: N818 - of a user
        desk: str

    exchange = flavour.exchange('okx', simulator.url)
    simulator.rest('okx', 'BTC-USD', mmp=True)
    simulator.fault('drop_before', 'mass-cancel')
    try:
        raise RiskLimit('mine')
    except RiskLimit:
        flavour.take(exchange.mass_cancel_mmp('BTC/USD'))
    assert simulator.resting('okx', 'BTC-USD') == []
    simulator.fault('drop_before', 'mmp-config', times=9)
    mine = ValueError('sign: mine')
    try:
        raise mine
    except ValueError:
        with pytest.raises(ccxt.NetworkError):
            flavour.take(exchange.fetch_mmp('BTC/USD'))
    assert mine.args == ('sign: mine',)


def test_error_that_has_them_where_they_cannot_be_taken_out_is_left_out():
    class WithHeaders(Exception):  # noqa: N818 - as aiohttp's after redirects without end
        def __str__(self):
            return 'signature=abc'

    error = ccxt.ExchangeError('GET https://eapi.binance.com/eapi/v1/mmp?signature=abc')
    error.__cause__ = WithHeaders()
    error.__context__ = OSError('signature=abc')
    redact(error, None)
    assert error.args == ('GET https://eapi.binance.com/eapi/v1/mmp?signature=***',)
    assert error.__cause__ is None
    assert str(error.__context__) == 'signature=***'
