"""SQLite as the store: the file, who may read it, and when it counts as lost."""

import os
import resource
import signal
import sqlite3
import threading
from types import SimpleNamespace

import pytest

from ccxt_mmp.halts import BadUrlError, HaltStoreError, open_store, sqlite
from ccxt_mmp.halts.sqlite import SELECT
from tests.halts.conftest import halt

DESK = 'okx:desk1'


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'halt.db'


@pytest.fixture
def store(path, opened):
    return opened(f'sqlite:{path}')


def is_lost(store):
    with pytest.raises(HaltStoreError):
        store.read(DESK, ('BTC-USD',))
    with pytest.raises(HaltStoreError):
        store.write(DESK, halt())
    return True


def test_missing_file_is_created_for_its_owner_alone(store, path):
    assert store.read_all(DESK) == []
    assert path.stat().st_mode & 0o777 == 0o600
    assert all(each.stat().st_mode & 0o077 == 0 for each in path.parent.iterdir())


def test_readers_do_not_wait_for_a_writer(store, path, opened):
    store.write(DESK, halt())
    with sqlite3.connect(path, isolation_level=None) as writer:
        writer.execute('BEGIN EXCLUSIVE')
        writer.execute("UPDATE halts SET reason = 'late'")
        assert opened(f'sqlite:{path}', timeout=0.01).read_all(DESK) == [halt()]
        writer.execute('COMMIT')
    writer.close()


def test_nothing_is_held_between_two_calls(store, path):
    """A statement that is not at its end keeps its connection at what was true then, and the log from being emptied."""
    calls = (
        lambda: store.write(DESK, halt()),
        lambda: store.read(DESK, ('BTC-USD',)),
        lambda: store.read_all(DESK),
        lambda: store.end(DESK, None),
    )
    for call in calls:
        call()
        with sqlite3.connect(path) as other:
            other.execute("INSERT INTO halts VALUES ('another', 'ETH-USD', 1, NULL, NULL, 'h') ON CONFLICT DO NOTHING")
            other.commit()
            [is_busy, *_] = other.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()
        other.close()
        assert not is_busy


def test_read_that_was_broken_off_hides_no_later_halt(store, path, opened):
    other = opened(f'sqlite:{path}')
    other.write(DESK, halt())
    assert store.read_all(DESK) == [halt()]
    [(_, cursor)] = store.store._idle
    for read, change, expected in (
        (store.read_all, lambda: other.write(DESK, halt('ETH-USD')), [halt(), halt('ETH-USD')]),
        (lambda desk: store.read(desk, ('BTC-USD',)), lambda: other.end(DESK, 'BTC-USD'), []),
    ):
        cursor.execute(SELECT, (DESK,))  # by a signal handler that raises, before it has fetched
        change()
        assert read(DESK) == expected


def test_many_may_create_it_at_the_same_time(path, opened):
    stores = [opened(f'sqlite:{path}') for _ in range(8)]
    start, failures = threading.Barrier(8), []

    def work(store, number):
        start.wait()
        try:
            store.write(DESK, halt(f'U{number}'))
        except HaltStoreError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(store, number)) for number, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(stores[0].read_all(DESK)) == 8


def test_refusal_while_another_creates_it_is_not_the_last_word(store, path, monkeypatch):
    """SQLite refuses it at once, whatever the timeout."""
    other, pauses = sqlite3.connect(path, isolation_level=None), []

    def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            other.rollback()

    monkeypatch.setattr(sqlite, 'time', SimpleNamespace(monotonic=lambda: 0, sleep=sleep))
    other.execute('BEGIN IMMEDIATE')
    assert store.read_all(DESK) == []
    assert pauses == [sqlite.PAUSE] * 3
    other.close()


def test_threads_have_connections_of_their_own(store):
    store.write(DESK, halt())
    found = []
    threads = [threading.Thread(target=lambda: found.append(store.read_all(DESK))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[halt()]] * 8


@pytest.mark.parametrize('content', [b'no database at all' * 500, b'SQLite format 3\0' + b'\xff' * 9000])
def test_damaged_file_is_lost(path, store, content):
    path.write_bytes(content)
    assert is_lost(store)
    assert path.read_bytes() == content


def test_table_of_something_else_is_lost(path, store):
    with sqlite3.connect(path) as other:
        other.execute('CREATE TABLE halts (account TEXT, underlying TEXT)')
    other.close()
    assert is_lost(store)


@pytest.mark.parametrize(
    'row',
    [
        ('x', None, None, 'h'),
        (1, 'x', None, 'h'),
        (1, None, b'x', 'h'),
        (1, None, None, b'x'),
        (1.5, 2, None, 'h'),
    ],
)
def test_row_of_other_values_is_lost_until_it_is_ended(path, store, row):
    store.read_all(DESK)
    with sqlite3.connect(path) as other:
        other.execute('INSERT INTO halts VALUES (?, ?, ?, ?, ?, ?)', (DESK, 'BTC-USD', *row))
    other.close()
    with pytest.raises(HaltStoreError, match='the halt of BTC-USD cannot be read'):
        store.read(DESK, ('BTC-USD',))
    with pytest.raises(HaltStoreError):
        store.end(DESK, None)
    assert store.read_all(DESK) == []


@pytest.mark.parametrize('error', [LookupError, ValueError, OverflowError, MemoryError])
def test_whatever_the_engine_raises_loses_the_store(store, monkeypatch, error):
    def fail(*arguments):
        raise error('no')

    with monkeypatch.context() as broken:
        broken.setattr(store.store, '_take', fail)
        for call in (
            lambda: store.read(DESK, ('*',)),
            lambda: store.read_all(DESK),
            lambda: store.write(DESK, halt()),
            lambda: store.end(DESK, None),
        ):
            with pytest.raises(HaltStoreError, match=f'{error.__name__}: no'):
                call()
    for beyond in (halt(until=2**63), halt(reason='\ud800')):
        with pytest.raises(HaltStoreError):
            store.write(DESK, beyond)
    assert store.read_all(DESK) == []


def test_nobody_writes_between_the_steps_of_a_change(store, path, opened, monkeypatch):
    """Else a resume between them would fail the halt, and end halts that it does not tell."""
    store.write(DESK, halt())
    other, refused, stock = opened(f'sqlite:{path}', timeout=0.001), [], sqlite._select
    other.read_all(DESK)

    def select(*arguments):
        if not refused:
            refused.append(None)
            with pytest.raises(HaltStoreError, match='locked'):
                other.end(DESK, None)
        return stock(*arguments)

    monkeypatch.setattr(sqlite, '_select', select)
    assert store.write(DESK, halt('ETH-USD')) == halt('ETH-USD')
    refused.clear()
    assert store.end(DESK, None) == [halt(), halt('ETH-USD')]
    assert store.read_all(DESK) == []


def test_change_that_fails_leaves_no_lock(store, path, opened, monkeypatch):
    def fail(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(sqlite, '_select', fail)
        with pytest.raises(KeyboardInterrupt):
            store.write(DESK, halt())
    other = opened(f'sqlite:{path}', timeout=0.001)
    assert other.read_all(DESK) == []
    assert other.write(DESK, halt()) == halt()


def test_signal_handler_that_halts_does_not_wait_for_what_it_interrupts(store, path, monkeypatch):
    """It would wait for a lock that cannot end before it returns."""
    stock = sqlite._select
    seen = []

    def halts(*arguments):
        seen.append(store.write(DESK, halt('*')))

    def interrupted(*arguments):
        monkeypatch.setattr(sqlite, '_select', stock)
        os.kill(os.getpid(), signal.SIGUSR1)
        return stock(*arguments)

    before = signal.signal(signal.SIGUSR1, halts)
    try:
        for change in (lambda: store.write(DESK, halt()), lambda: store.end(DESK, 'BTC-USD')):
            monkeypatch.setattr(sqlite, '_select', interrupted)
            change()
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [halt('*')] * 2
    assert store.read_all(DESK) == [halt('*')]


def test_relative_path_in_a_directory_that_is_gone_is_refused(tmp_path, monkeypatch):
    (tmp_path / 'gone').mkdir()
    monkeypatch.chdir(tmp_path / 'gone')
    (tmp_path / 'gone').rmdir()
    with pytest.raises(BadUrlError, match='working directory'):
        open_store('sqlite:halt.db', 1, is_async=False)


def test_missing_directory_is_lost(tmp_path, opened):
    store = opened(f'sqlite:{tmp_path}/no/halt.db')
    with pytest.raises(HaltStoreError, match=f'there is no directory {tmp_path}/no, make it first'):
        store.read_all(DESK)
    (tmp_path / 'no').mkdir()
    assert store.read_all(DESK) == []


def test_deleted_file_is_lost_for_good(store, path):
    store.write(DESK, halt())
    path.unlink()
    assert is_lost(store)
    assert is_lost(store)
    assert not path.exists()  # who opens it next makes a new one, which this object does not trust


def test_replaced_file_is_lost_and_left_alone(store, path):
    store.write(DESK, halt())
    path.rename(f'{path}.old')
    path.write_bytes(b'')
    assert is_lost(store)
    assert path.read_bytes() == b''


def test_locked_file_is_lost_within_the_timeout(path, opened):
    store = opened(f'sqlite:{path}')
    store.write(DESK, halt())
    store.close()
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute('PRAGMA locking_mode = EXCLUSIVE')
        other.execute("UPDATE halts SET reason = 'mine'")
        assert is_lost(opened(f'sqlite:{path}', timeout=0.01))
    other.close()


def test_full_disk_fails_the_write_and_not_the_reads(store, path):
    store.write(DESK, halt())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (os.stat(f'{path}-wal').st_size, hard))  # noqa: PTH116 - as it is now
    try:
        with pytest.raises(HaltStoreError):
            store.write(DESK, halt('ETH-USD', reason='x' * 200))
        assert store.read_all(DESK) == [halt()]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert store.write(DESK, halt('ETH-USD')) == halt('ETH-USD')


@pytest.mark.parametrize('url', ['sqlite:', 'sqlite::memory:', 'sqlite:file::memory:?cache=shared', 'sqlite:a\n.db'])
def test_url_of_no_file_is_refused(url):
    with pytest.raises(BadUrlError, match='path'):
        open_store(url, 1, is_async=False)
