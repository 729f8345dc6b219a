"""The request and response tables, in the format of ccxt's own static tests, over real HTTP.

The answers are the examples of the exchanges' pages as they are, and variations of them where the description says so.
"""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from ccxt_mmp.simulator import redirect
from tests.rows import rows

NOW = 1_700_000_000_000


def entries(kind):
    return list(_entries(kind))


def _entries(kind):
    for path in sorted((Path(__file__).parent.parent / 'static' / kind).glob('*.json')):
        table = json.loads(path.read_text())
        for method, listed in table['methods'].items():
            for entry in listed:
                name = f'{table["exchange"]} {method}: {entry["description"]}'
                yield pytest.param(table['exchange'], table['skipKeys'], entry, id=name)


def without(pairs, skipped):
    return {name: value for name, value in pairs if name not in skipped}


def as_text(value):
    """Every number as a string: older versions of ccxt hand on JSON numbers as strings."""
    if isinstance(value, dict):
        return {key: as_text(each) for key, each in value.items()}
    if isinstance(value, list):
        return [as_text(each) for each in value]
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value


@rows(('exchange_id', 'skipped', 'row'), entries('request'))
def test_request(flavour, canned, exchange_id, skipped, row):
    canned.answer('{}')
    exchange = flavour.exchange(exchange_id)
    # the public address that the table names, before the exchange is directed to the loopback server
    apis = exchange.urls['api']
    public = exchange.implode_hostname(next(apis[each] for each in ('rest', 'eapiPrivate', 'private') if each in apis))
    redirect(exchange, canned.url)
    expected = urlsplit(row['url'])

    with pytest.raises(ccxt.BaseError):  # {} is no answer to anything
        flavour.take(getattr(exchange, row['method'])(*row['input']))

    [request] = canned.received()
    assert row['url'].startswith(public)
    assert request.method == row['httpMethod']
    assert request.path == expected.path
    sent_query = without(parse_qsl(request.query_string.decode()), skipped)
    assert sent_query == without(parse_qsl(expected.query), skipped)
    body = request.get_data(as_text=True)
    if 'output' not in row:
        assert body == ''
    elif row['output'].startswith('{'):
        assert json.loads(body) == json.loads(row['output'])
    else:
        assert without(parse_qsl(body), skipped) == without(parse_qsl(row['output']), skipped)


@rows(('exchange_id', 'skipped', 'row'), entries('response'))
def test_response(flavour, canned, exchange_id, skipped, row):
    canned.answer(json.dumps(row['httpResponse']))
    exchange = flavour.exchange(exchange_id, canned.url)
    exchange.milliseconds = lambda: NOW
    result = flavour.take(getattr(exchange, row['method'])(*row['input']))
    assert list(result) == list(row['parsedResponse'])
    assert infos_as_text(result) == infos_as_text(row['parsedResponse'])


def infos_as_text(result):
    """The result with its raw parts as text, all else as it is."""
    if 'info' in result:
        return {**result, 'info': as_text(result['info'])}
    return {underlying: infos_as_text(state) for underlying, state in result.items()}
