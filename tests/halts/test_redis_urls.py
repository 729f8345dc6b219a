"""Urls of Redis: what cannot be used is refused before anything is sent, and no text has a value of them."""

import inspect
import traceback
from importlib import import_module

import pytest

from ccxt_mmp.halts import BadUrlError, HaltStoreError, open_store
from tests.halts.conftest import halt
from tests.redis_server import RedisServer
from tests.rows import rows

WORD = 'hunter'
SERVERS = ['redis://127.0.0.1:1/0', 'rediss://127.0.0.1:1/0', 'unix:///no/such.sock']


@pytest.fixture(params=[False, True], ids=['sync', 'async'])
def is_async(request):
    return request.param


@pytest.fixture
def options():
    """What our urls have; not every worker needs the module."""
    return import_module('ccxt_mmp.halts.redis').OPTIONS


def options_of_redis_py():
    """Every name that a url hands to redis-py's connections and pools."""
    names = set()
    for module in map(import_module, ('redis.connection', 'redis.asyncio.connection')):
        names |= {*module.URL_QUERY_ARGUMENT_PARSERS}
        for name in ('Connection', 'SSLConnection', 'UnixDomainSocketConnection', 'BlockingConnectionPool'):
            for kind in inspect.getmro(getattr(module, name))[:-1]:
                names |= {*inspect.signature(kind.__init__).parameters}
    return names


def refused(url, is_async):
    """The text of the refusal."""
    with pytest.raises(BadUrlError) as raised:
        open_store(url, 1, is_async=is_async)
    assert raised.value.__suppress_context__ or raised.value.__context__ is None
    assert WORD not in str(raised.value)
    return str(raised.value)


def test_option_that_is_not_listed_is_refused_by_name(is_async, options):
    others = {*options_of_redis_py(), 'tempo'} - {*options}
    assert {'encoding', 'socket_type', 'redis_connect_func', 'retry_on_error', 'decode_responses'} <= others
    for url in SERVERS:
        for name in others:
            assert refused(f'{url}?{name}={WORD}', is_async).startswith(f"has no option '{name}', it has db, ")


@rows(
    'query',
    [
        *(f'db={each}' for each in ('x', '-1', '1.5', '', '٣', '123456')),
        *(f'protocol={each}' for each in ('1', '4', '9', 'x', '')),
        *(f'client_name={each}' for each in ('a%20b', '%C3%A9', '')),
        *(f'ssl_cert_reqs={each}' for each in ('bogus', '0')),
        *(f'ssl_check_hostname={each}' for each in ('flase', '2')),
        'password=',
        'username=',
        'ssl_certfile=',
    ],
)
def test_value_that_cannot_be_used_is_refused_by_the_name_of_its_option(is_async, query):
    name, _, value = query.partition('=')
    text = refused(f'{SERVERS[1]}?{query}{WORD if len(value) > 4 else ""}', is_async)
    assert text == f'has an option {name} with a value that cannot be used'


def test_listed_options_open_a_store(is_async):
    query = 'db=3&username=u&password=p%40%00&client_name=desk-1&protocol=3'
    for url in SERVERS:
        store = open_store(f'{url}?{query}', 1, is_async=is_async)
        assert store.options()['username'] == 'u'
        assert store.new_connection().db == 3
    query = 'ssl_cert_reqs=none&ssl_check_hostname=False&ssl_ca_certs=/no/ca&ssl_certfile=/no/c&ssl_keyfile=/no/k'
    open_store(f'{SERVERS[1]}?{query}', 1, is_async=is_async)
    assert open_store('redis://127.0.0.1:1/2/', 1, is_async=is_async).new_connection().db == 2


def test_options_of_tls_are_those_of_its_scheme(is_async):
    for url in (SERVERS[0], SERVERS[2]):
        text = refused(f'{url}?ssl_cert_reqs=none', is_async)
        assert text == "has no option 'ssl_cert_reqs', it has db, username, password, client_name, protocol"


def test_option_that_the_installed_library_does_not_know_is_refused(is_async, monkeypatch):
    module = import_module('redis.asyncio' if is_async else 'redis')

    def fail(*arguments, **keywords):
        raise AttributeError(WORD)

    monkeypatch.setattr(module.connection, 'parse_url', fail)
    assert refused(f'redis://:{WORD}@127.0.0.1:1/0', is_async) == 'cannot be used with the redis-py that is installed'


@rows(
    'url',
    [
        f'redis://:{WORD}#x@127.0.0.1:1/0',
        f'redis://u:#{WORD}@127.0.0.1:1/0',
        f'redis://:{WORD}/x@127.0.0.1:1/0',
        f'redis://:1/{WORD}@127.0.0.1:1/0',
        f'redis://:{WORD}?x@127.0.0.1:1/0',
        f'redis://u:1?{WORD}=x@127.0.0.1:1/0',
        f'redis://u:1?{WORD}',
        f'redis://u:1?db=0&{WORD}',
        f'redis://u:1?password=a&{WORD}=x',
        f'rediss://u:1?ssl_password=a&{WORD}==',
        f'redis://:{WORD}@[::1/0',
        f'redis://:{WORD}@127.0.0.1:70000/0',
        f'redis://:{WORD}@127.0.0.1:0/0',
        f'redis://:{WORD}@127.0.0.1:1/desk',
        f'redis://:{WORD}@127.0.0.1:1/-1',
        f'redis:/{WORD}',
        f'redis:{WORD}',
        f'unix://:{WORD}@',
        f'unix://{WORD}/relative.sock',
    ],
)
def test_url_that_would_lead_elsewhere_is_refused_without_its_password(is_async, url):
    assert refused(url, is_async).startswith('cannot be read')


@pytest.mark.parametrize('error', [LookupError, TypeError, AttributeError, ValueError, OverflowError, RecursionError])
@pytest.mark.parametrize('step', ['new_connection', 'send_command', 'read_response'])
def test_whatever_the_library_raises_loses_the_store(is_async, redis_server, account, opened, monkeypatch, error, step):
    store = opened(redis_server.url, is_async)
    stock = import_module('redis.asyncio' if is_async else 'redis').Connection
    with monkeypatch.context() as broken:

        def fail(*arguments, **keywords):
            raise error('no')

        broken.setattr(store.store if step == 'new_connection' else stock, step, fail)
        for call in (
            lambda: store.read(account, ('*',)),
            lambda: store.read_all(account),
            lambda: store.write(account, halt()),
            lambda: store.end(account, None),
        ):
            with pytest.raises(HaltStoreError, match=f'{error.__name__}: no') as raised:
                call()
            assert type(raised.value.__cause__) is error
    assert store.read_all(account) == []


def test_failure_to_hang_up_hides_no_failure(is_async, redis_server, account, opened, monkeypatch):
    store = opened(redis_server.url, is_async)
    stock = import_module('redis.asyncio' if is_async else 'redis').Connection
    with monkeypatch.context() as broken:

        def fail(*arguments, **keywords):
            raise LookupError('no')

        def fail_too(*arguments, **keywords):
            raise RuntimeError('the loop is closed')

        broken.setattr(stock, 'send_command', fail)
        broken.setattr(stock, 'disconnect', fail_too)
        with pytest.raises(HaltStoreError, match='LookupError'):
            store.read_all(account)


@pytest.mark.parametrize('answer', [5, None, [None], ['{}', None, None]])
def test_answer_that_is_none_loses_the_store(is_async, redis_server, account, opened, monkeypatch, answer):
    """Of a server that only resembles Redis."""
    store = opened(redis_server.url, is_async)
    store.read_all(account)

    def answered(*arguments, **keywords):
        return answer

    async def answered_later(*arguments, **keywords):
        return answer

    with monkeypatch.context() as other:
        stock = import_module('redis.asyncio' if is_async else 'redis').Connection
        other.setattr(stock, 'read_response', answered_later if is_async else answered)
        with pytest.raises(HaltStoreError):
            store.read(account, ('*', 'BTC-USD'))
    store.close()  # the answers were not read


@pytest.mark.parametrize('protocol', [2, 3])
def test_server_that_repeats_the_password_shows_it_to_nobody(is_async, account, opened, tmp_path, protocol):
    """Redis before version 6 knows no HELLO, and names its arguments."""
    renamed = ('--rename-command', 'HELLO', '', '--rename-command', 'AUTH', '')
    with RedisServer(tmp_path, '--requirepass', WORD, *renamed) as server:
        store = opened(f'redis://:{WORD}@127.0.0.1:{server.port}/0?protocol={protocol}', is_async)
        with pytest.raises(HaltStoreError, match=r'ResponseError: unknown command .(HELLO|AUTH).$') as raised:
            store.read_all(account)
    assert not [line for line in traceback.format_exception(raised.value) if WORD in line.replace(__file__, '')]
