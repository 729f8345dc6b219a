"""Where servers of the tests listen, and where nobody does."""

import socket
from urllib.parse import urlsplit

import pytest

from tests.ports import nowhere, port_for_a_server


def test_port_for_a_server_is_never_given_to_a_client():
    port = port_for_a_server()
    with socket.create_server(('127.0.0.1', port)):
        for _ in range(100):
            with socket.socket() as client:
                client.bind(('127.0.0.1', 0))
                assert client.getsockname()[1] > port


def test_port_that_is_taken_is_not_chosen(monkeypatch):
    with socket.create_server(('127.0.0.1', port_for_a_server())) as taken:
        ports = iter([taken.getsockname()[1], port_for_a_server()])
        monkeypatch.setattr('tests.ports.CHOICE.choice', lambda _: next(ports))
        assert port_for_a_server() != taken.getsockname()[1]


def test_nobody_is_or_comes_to_be_nowhere():
    with nowhere() as url:
        address = '127.0.0.1', urlsplit(url).port
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        with pytest.raises(OSError, match='in use'):
            socket.create_server(address, reuse_port=True)
