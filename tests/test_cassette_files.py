"""SPEC 10: every cassette says where it came from, and holds no secret."""

import socket

import pytest
import yaml

from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET
from tests.test_cassettes import BEHAVIOURS, CASSETTES, PUBLIC_HOSTS

PATHS = sorted(CASSETTES.glob('*/*.yaml'))


def test_every_cassette_is_of_a_behaviour():
    assert {(path.parent.name, path.stem) for path in PATHS} == {parameter.values for parameter in BEHAVIOURS}


@pytest.mark.parametrize('path', PATHS, ids=lambda path: f'{path.parent.name}-{path.stem}')
def test_cassette_says_where_it_came_from(path):
    for interaction in yaml.safe_load(path.read_text())['interactions']:
        [server] = interaction['response']['headers']['Server']
        assert server.startswith('ccxt-mmp-simulator/')
        assert interaction['request']['uri'].startswith(tuple(PUBLIC_HOSTS.values()))


@pytest.mark.parametrize('path', PATHS, ids=lambda path: f'{path.parent.name}-{path.stem}')
def test_cassette_holds_no_secret_and_nothing_of_a_machine(path):
    text = path.read_text()
    for forbidden in (KEY, SECRET, PASSPHRASE, 'another-secret', 'ACCESS', 'APIKEY', 'signature=', 'timestamp='):
        assert forbidden not in text
    for forbidden in ('127.0.0.1', 'localhost', 'User-Agent', 'Date'):
        assert forbidden not in text


def test_the_network_is_blocked_but_for_the_loopback_address_of_the_tests():
    with socket.socket() as client, pytest.raises(RuntimeError, match='Network is disabled'):
        client.connect(('127.0.0.2', 9))
