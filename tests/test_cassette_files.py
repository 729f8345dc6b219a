"""Every cassette says where it came from, and holds no secret."""

import os
import re
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace

import ccxt
import pytest
import yaml

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET
from tests.exchanges.test_cassettes import BEHAVIOURS, CASSETTES, DEMO_HOST, LIFE_CYCLES, PUBLIC_HOSTS, at_public_host
from tests.recording import BY_THE_ACCOUNT_ALONE, READS, exchange_to_record, is_recordable
from tests.rows import rows
from tests.warm import python

ROOT = Path(__file__).parent.parent
PATHS = sorted(CASSETTES.glob('*/*.yaml'))


def test_every_cassette_is_of_a_behaviour():
    assert {(path.parent.name, path.stem) for path in PATHS} == {
        parameter.values for parameter in BEHAVIOURS + LIFE_CYCLES
    }


@rows('path', PATHS, ids=lambda path: f'{path.parent.name}-{path.stem}')
def test_cassette_says_where_it_came_from(path):
    for interaction in yaml.safe_load(path.read_text())['interactions']:
        [server] = interaction['response']['headers']['Server']
        assert server.startswith('ccxt-mmp-simulator/')
        assert interaction['request']['uri'].startswith(tuple(PUBLIC_HOSTS.values()))


@rows('path', PATHS, ids=lambda path: f'{path.parent.name}-{path.stem}')
def test_cassette_holds_no_secret_and_nothing_of_a_machine(path):
    text = path.read_text()
    for forbidden in (KEY, SECRET, PASSPHRASE, 'another-secret', 'ACCESS', 'APIKEY', 'signature=', 'timestamp='):
        assert forbidden not in text
    for forbidden in ('127.0.0.1', 'localhost', 'User-Agent', 'Date:'):
        assert forbidden not in text


def test_the_network_is_blocked_but_for_the_loopback_address_of_the_tests():
    with socket.socket() as client, pytest.raises(RuntimeError, match='Network is disabled'):
        client.connect(('127.0.0.2', 9))


@pytest.mark.parametrize(('source', 'selected'), [('demo', BY_THE_ACCOUNT_ALONE), ('live', READS), ('simulator', None)])
def test_source_can_bring_about(source, selected):
    names = {parameter.values[1] for parameter in BEHAVIOURS}
    assert {name for name in names if is_recordable(name, source)} == (names if selected is None else selected)


def test_recording_selects_what_its_source_can_bring_about():
    # the package is imported already, and no assertions are to be rewritten
    options = ('--record-mode=rewrite', '--collect-only', '-q', '--assert=plain')
    command = python('-m', 'pytest', 'tests/exchanges/test_cassettes.py', *options)
    environ = {**os.environ, 'MMP_RECORD': 'live'}
    listed = subprocess.run(command, capture_output=True, text=True, check=True, env=environ, cwd=ROOT).stdout
    names = re.findall(r'test_behaviour\[(\w+)-\w+?-(\w+)\]', listed)
    assert {name for _, name in names} == READS
    assert {flavour for flavour, _ in names} == {'sync'}


def test_recording_on_the_exchanges_uses_their_demo_mode_and_the_users_credentials(flavour):
    environ = {f'{each}_{name}': f'{each}-{name}' for each in ('OKX', 'BINANCE') for name in ('APIKEY', 'SECRET')}
    exchange = exchange_to_record(flavour, 'okx', 'demo', environ)
    assert exchange.headers['x-simulated-trading'] == '1'
    assert (exchange.apiKey, exchange.secret) == ('OKX-APIKEY', 'OKX-SECRET')
    assert 'x-simulated-trading' not in exchange_to_record(flavour, 'okx', 'live', environ).headers
    if hasattr(ccxt.binance, 'enable_demo_trading') and 'fapiPublic' in exchange_to_record(
        flavour, 'binance', 'live', environ
    ).urls.get('demo', {}):
        exchange = exchange_to_record(flavour, 'binance', 'demo', environ)
        assert exchange.urls['api']['eapiPrivate'].startswith(DEMO_HOST)


def test_recorded_demo_host_is_written_as_the_public_one():
    request = SimpleNamespace(
        scheme='https',
        host='demo-fapi.binance.com',
        port=443,
        path='/eapi/v1/mmp',
        headers={'X-MBX-APIKEY': 'key'},  # pragma: allowlist secret
    )
    request.uri = f'{DEMO_HOST}/eapi/v1/mmp?underlying=BTCUSDT'
    assert at_public_host(request).uri == 'https://eapi.binance.com/eapi/v1/mmp?underlying=BTCUSDT'
    assert request.headers == {}
