"""The kill switch's own sessions send what the exchange's would send, with less work."""

import aiohttp
import requests
from requests.adapters import BaseAdapter

from ccxt_mmp.core.connections import Connections, _AsyncSession
from tests.rows import rows

URL = 'https://www.okx.com/api/v5/trade/mass-cancel?a=1&b=%7B%22x%22%3A2%7D'


class Kept(BaseAdapter):
    """Keeps what it is to send."""

    def __init__(self):
        super().__init__()
        self.sent = []

    def send(self, request, **about):
        about['cert'] = about.get('cert')
        self.sent.append((request.method, request.url, dict(request.headers.lower_items()), request.body, about))
        response = requests.Response()
        response.status_code, response.url, response.request, response._content = 200, request.url, request, b'{}'
        response.raw = None
        return response

    def close(self):
        pass


def authorized(request):
    request.headers['X-Auth'] = 'yes'
    return request


def answered(response, **_):
    response.reason = 'seen'


ASKED = {
    'plain': {},
    'a body': {'data': b'{"a":1}', 'headers': {'Content-Type': 'application/json', 'X-Key': 'k'}},
    'an empty body': {'data': b''},
    'a text': {'data': 'a=1'},
    'a form': {'data': None, 'files': {'a': (None, '1')}},
    'no header of that name': {'headers': {'user-agent': None}},
    'a header of its own': {'headers': {'ACCEPT': 'text/plain'}},
    'no headers': {'headers': None},
    'a proxy': {'proxies': {'https': 'http://127.0.0.1:9'}},
    'a user in the URL': {'url': 'https://me:word@www.okx.com/'},  # pragma: allowlist secret
    'a space in the URL': {'url': 'https://www.okx.com/a b?c=d e'},
    'no certificate': {'verify': False},
}
SETTINGS = {
    'nothing': {},
    'headers': {'headers': {'X-Desk': 'seven'}},
    'auth': {'auth': authorized},
    'params': {'params': {'desk': '7'}},
    'proxies': {'proxies': {'https': 'http://127.0.0.1:9'}},
    'cert': {'cert': 'client.pem'},
    'environment': {'trust_env': True},
    'hooks': {'hooks': {'response': [answered]}},
}


@rows('settings', SETTINGS.values(), ids=SETTINGS)
@rows('asked', ASKED.values(), ids=ASKED)
def test_request_is_the_same_over_the_session_of_the_exchange(settings, asked, monkeypatch):
    monkeypatch.setenv('HTTPS_PROXY', 'http://127.0.0.1:8')
    monkeypatch.setattr('urllib3.filepost.choose_boundary', lambda: 'boundary')
    stock = requests.Session()
    stock.trust_env = False  # as ccxt has it
    for name, value in settings.items():
        if name == 'headers':
            stock.headers.update(value)
        else:
            setattr(stock, name, value)
    asked = {'headers': {'X-Key': 'k'}, 'timeout': 1.5, 'verify': True, 'files': None, **asked}
    url = asked.pop('url', URL)
    with Connections().lend(stock) as own:
        assert own is not stock
        for method in ('GET', 'POST', 'DELETE'):
            assert seen(own, method, url, asked) == seen(stock, method, url, asked)


def seen(session, method, url, asked):
    """What a request sends, and what comes of it."""
    kept = Kept()
    session.adapters = {'https://': kept}
    try:
        return kept.sent, session.request(method, url, **asked).reason
    except requests.RequestException as error:
        return kept.sent, type(error)


@rows('method', ['get', 'post', 'delete'])
@rows('timeout', [2.5, aiohttp.ClientTimeout(total=2.5, sock_connect=2.5, sock_read=2.5)])
def test_answer_has_one_timer(method, timeout):
    class Session:
        headers = 'of the session'

        def request(self, url, **about):
            return url, about

    setattr(Session, method, Session.request)
    session = _AsyncSession(Session())
    url, about = getattr(session, method)(URL, timeout=timeout, data=b'1')
    assert (url, about['data'], session.headers) == (URL, b'1', 'of the session')
    assert about['timeout'] in (2.5, aiohttp.ClientTimeout(total=2.5))
