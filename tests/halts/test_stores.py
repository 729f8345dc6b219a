"""What every store does, whatever its engine."""

import os

import pytest

from ccxt_mmp.halts import ALL, HaltStoreError, open_store
from tests.halts.conftest import halt


def test_what_is_written_is_read_by_another_connection(store, opened, url, kind, account):
    written = halt(reason='Größe "x" \\ \U0001f600', until=5000)
    assert store.write(account, written) == written
    other = opened(url, kind == 'redis async')
    assert other.read(account, (ALL, 'BTC-USD')) == [written]
    assert other.read_all(account) == [written]


def test_nothing_is_read_of_other_underlyings_and_accounts(store, account):
    store.write(account, halt())
    assert store.read(account, (ALL, 'ETH-USD')) == []
    assert store.read(f'{account}2', (ALL, 'BTC-USD')) == []
    assert store.read_all(f'{account}2') == []


def test_halt_of_all_is_read_beside_that_of_the_underlying(store, account):
    store.write(account, halt())
    store.write(account, halt(ALL))
    assert {each.underlying for each in store.read(account, (ALL, 'BTC-USD'))} == {ALL, 'BTC-USD'}
    assert [each.underlying for each in store.read(account, (ALL, 'ETH-USD'))] == [ALL]


@pytest.mark.parametrize(
    ('first', 'second', 'stands'),
    [
        (None, None, 'first'),
        (None, 9000, 'first'),
        (5000, 4000, 'first'),
        (5000, 5000, 'first'),
        (5000, 9000, 'second'),
        (5000, None, 'second'),
    ],
)
def test_halt_never_shortens_another(store, account, first, second, stands):
    halts = {'first': halt(until=first, reason='first'), 'second': halt(since=2000, until=second, reason='second')}
    store.write(account, halts['first'])
    assert store.write(account, halts['second']) == halts[stands]
    assert store.read_all(account) == [halts[stands]]


def test_ended_halt_is_returned_and_gone(store, account):
    store.write(account, halt())
    store.write(account, halt('ETH-USD'))
    assert store.end(account, 'BTC-USD') == [halt()]
    assert store.end(account, 'BTC-USD') == []
    assert store.read_all(account) == [halt('ETH-USD')]


def test_all_halts_are_ended_at_once(store, account):
    for name in (ALL, 'BTC-USD'):
        store.write(account, halt(name))
    assert {each.underlying for each in store.end(account, None)} == {ALL, 'BTC-USD'}
    assert store.end(account, None) == []
    assert store.read_all(account) == []


def test_store_that_was_closed_opens_again(store, account):
    store.write(account, halt())
    store.close()
    store.close()
    assert store.read_all(account) == [halt()]


def test_child_process_opens_connections_of_its_own(store, account, kind):
    if kind == 'redis async':
        pytest.skip('a loop does not outlive a fork')
    store.write(account, halt())

    def write_and_read():
        store.write(account, halt('ETH-USD'))
        return len(store.read_all(account)) == 2

    assert in_child(write_and_read)() == 0
    store.write(account, halt('SOL-USD'))
    assert len(store.read_all(account)) == 3


def in_child(work):
    """Begin it in a forked process; what waits for its end returns the exit status, 0 if the work returned True."""
    child = os.fork()
    if not child:
        try:
            os._exit(0 if work() else 1)
        finally:
            os._exit(2)
    return lambda: os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_child_process_sees_halts_after_its_parent_has_closed(store, account, kind):
    if kind == 'redis async':
        pytest.skip('a loop does not outlive a fork')
    assert store.read_all(account) == []
    has_read, has_written = os.pipe(), os.pipe()

    def read_before_and_after():
        try:
            is_new = store.read_all(account) == []
        finally:
            os.write(has_read[1], b'.')
        os.read(has_written[0], 1)
        return is_new and store.read_all(account) == [halt()]

    exit_status = in_child(read_before_and_after)
    os.read(has_read[0], 1)
    store.close()
    store.write(account, halt())
    os.write(has_written[1], b'.')
    assert exit_status() == 0
    for each in (*has_read, *has_written):
        os.close(each)


def test_child_process_of_a_thread_s_work_trusts_no_store(store, account, kind):
    """SQLite's notes of its locks are copied with the rest."""
    if kind != 'sqlite':
        pytest.skip('has no such notes')
    used = store.store._with_cursor

    def fork_meanwhile(cursor):
        def read():
            with pytest.raises(HaltStoreError, match='forked while a thread used a store'):
                open_store(f'sqlite:{store.store._path}', 5, is_async=False).read_all(account)
            return True

        return in_child(read)()

    assert used(fork_meanwhile) == 0
    assert store.read_all(account) == []


def test_store_that_another_process_was_using_opens_no_connection(store, account, kind):
    """As after a fork."""
    if kind != 'sqlite':
        pytest.skip('has no such notes')
    store.read_all(account)
    [(_, cursor)] = store.store._idle
    store.store._all.add((0, cursor))
    store.close()
    with pytest.raises(HaltStoreError, match='forked while a thread used a store'):
        store.read_all(account)
    store.store._all.clear()
    assert store.read_all(account) == []


def test_connection_of_another_process_is_left_alone(store, account, kind):
    if kind == 'redis async':
        pytest.skip('a loop does not outlive a fork')
    store.write(account, halt())
    idle = store.store._idle
    for use in (lambda: store.read_all(account), store.close):
        [(_, connection)] = idle
        idle[:] = [(0, connection)]
        use()
        assert not any(each is connection for _, each in idle)
        if kind == 'redis':
            connection.disconnect()
        store.read_all(account)


def test_connection_that_another_thread_takes_first_is_replaced(store, account, kind):
    if kind == 'redis async':
        pytest.skip('has none to take')

    class Taken(list):
        def pop(self):
            super().pop()
            raise IndexError

    store.write(account, halt())
    idle = store.store._idle
    store.store._idle = Taken(idle)
    assert store.read_all(account) == [halt()]
    store.store._idle = idle + list(store.store._idle)
