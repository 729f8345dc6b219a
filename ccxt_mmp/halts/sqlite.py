"""Halts in a file of SQLite, for processes that share a machine.

It is read inline, also in asyncio: a look-up takes microseconds, and writers delay no reader (WAL).
"""

import os
import sqlite3
import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from ccxt_mmp.halts import BadUrlError, HaltStoreError, StoredHalt, begun, checked, outcome

T = TypeVar('T')

TABLE = """CREATE TABLE IF NOT EXISTS halts (
    account TEXT NOT NULL, underlying TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER, reason TEXT,
    "by" TEXT NOT NULL, PRIMARY KEY (account, underlying)
) WITHOUT ROWID"""
ANY = 'SELECT 1 FROM halts LIMIT 1'
SELECT = 'SELECT underlying, since, until, reason, "by" FROM halts WHERE account = ?'
# a halt never shortens another
UPSERT = """INSERT INTO halts VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (account, underlying) DO UPDATE
    SET since = excluded.since, until = excluded.until, reason = excluded.reason, "by" = excluded."by"
    WHERE halts.until IS NOT NULL AND (excluded.until IS NULL OR excluded.until > halts.until)"""
DELETE = 'DELETE FROM halts WHERE account = ?'
ONE = ' AND underlying = ?'
PAUSE = 0.002  # s, between two attempts to set a new file up

# connections that a fork has copied: closing one would end locks and files of the other process
_OF_OTHER_PROCESSES: list[sqlite3.Cursor] = []

# the process that opened a connection, and its only cursor: to make one for each order takes as long as to read
Opened = tuple[int, sqlite3.Cursor]


def opened(url: str, timeout: float, *, is_async: bool) -> 'SqliteStore':
    path = url.removeprefix('sqlite:')
    if not path or ':memory:' in path or not path.isprintable():
        raise BadUrlError('must name a file: sqlite:/path/halt.db')
    try:
        return SqliteStore(Path(path).absolute(), timeout)
    except OSError as error:
        raise BadUrlError('must be the whole path: the working directory is gone') from error


class SqliteStore:
    """Each connection serves one thread of one process at a time."""

    is_async = False

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._name = str(self._path)
        self._timeout = timeout
        self._file: tuple[int, int] | None = None  # device and inode of the file that was opened first
        self._idle: list[Opened] = []
        self._all: set[Opened] = set()  # those and the ones in use
        weakref.finalize(self, _close_all, self._idle, self._all)
        _STORES[id(self)] = self

    def read(self, account: str, underlyings: Sequence[str]) -> list[StoredHalt]:
        # mostly there is no halt at all, and to ask for those of an account takes longer
        if not self._with_cursor(_any):
            return []
        return [halt for halt in self.read_all(account) if halt.underlying in underlyings]

    def read_all(self, account: str) -> list[StoredHalt]:
        return [checked(each) for each in self._with_cursor(lambda cursor: _select(cursor, SELECT, account))]

    def write(self, account: str, halt: StoredHalt) -> StoredHalt:
        def upsert(cursor: sqlite3.Cursor) -> StoredHalt:
            cursor.execute(UPSERT, (account, *halt))
            [stored] = _select(cursor, SELECT + ONE, account, halt.underlying)
            return stored

        return checked(self._change(upsert))

    def end(self, account: str, underlying: str | None) -> list[StoredHalt]:
        where, names = ('', (account,)) if underlying is None else (ONE, (account, underlying))

        def delete(cursor: sqlite3.Cursor) -> list[StoredHalt]:
            ended = _select(cursor, SELECT + where, *names)
            cursor.execute(DELETE + where, names)
            return ended

        return [checked(each) for each in self._change(delete)]

    def close(self) -> None:
        _close_all(self._idle, self._all)

    # --- connections

    def _change(self, work: Callable[[sqlite3.Cursor], T]) -> T:
        """In a thread that no signal interrupts: a handler that halts would wait for the lock of this one."""
        results: list[Any] = []
        wait = begun(lambda: results.append(outcome(lambda: self._with_cursor(_at_once(work)))))
        wait()
        [result] = results
        if isinstance(result, BaseException):
            raise result
        return result  # type: ignore[no-any-return]  # what the work returned

    def _with_cursor(self, work: Callable[[sqlite3.Cursor], T]) -> T:
        try:
            if self._file is not None:
                found = os.stat(self._name)  # noqa: PTH116 - for each order, and Path.stat takes twice as long
                if (found.st_dev, found.st_ino) != self._file:  # others may use another one by now
                    raise HaltStoreError(f'{self._name} was replaced while it was in use')
            opened = self._take()
            try:
                return work(opened[1])
            finally:
                self._idle.append(opened)  # also after a failure: another may not open any more
        except HaltStoreError:
            raise
        except Exception as error:  # whatever it is, the halts are not known
            raise HaltStoreError(f'{self._name} cannot be used: {type(error).__name__}: {error}') from error

    def _take(self) -> Opened:
        process = os.getpid()
        try:
            while True:
                opened = self._idle.pop()
                if opened[0] == process:
                    return opened
                _OF_OTHER_PROCESSES.append(opened[1])
        except IndexError:  # none is left
            pass
        opened = process, self._open()
        self._all.add(opened)
        return opened

    def _open(self) -> sqlite3.Cursor:
        if _has_copied_locks():
            raise HaltStoreError(f'{self._name} cannot be used: this process was forked while a thread used a store')
        if self._file is None:
            # one that exists must not be opened here: to close it would end the locks of other connections
            try:
                os.close(os.open(self._name, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            except FileExistsError:
                pass
            except FileNotFoundError as error:
                directory = self._path.parent
                raise HaltStoreError(
                    f'{self._name} cannot be used: there is no directory {directory}, make it first'
                ) from error
        connection = sqlite3.connect(
            f'{self._path.as_uri()}?mode=rw',
            uri=True,
            timeout=self._timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            self._set_up(connection)
            found = os.stat(self._name)  # noqa: PTH116 - the same
        except BaseException:
            connection.close()
            raise
        self._file = self._file or (found.st_dev, found.st_ino)
        return connection.cursor()

    def _set_up(self, connection: sqlite3.Connection) -> None:
        """Of processes that create it at the same time one is refused at once, whatever the timeout."""
        ends = time.monotonic() + self._timeout
        while not _is_set_up(connection, is_last=time.monotonic() > ends):
            time.sleep(PAUSE)


def _at_once(work: Callable[[sqlite3.Cursor], T]) -> Callable[[sqlite3.Cursor], T]:
    """Several statements as one: no other process writes in between."""

    def change(cursor: sqlite3.Cursor) -> T:
        with cursor.connection:  # takes all back if one fails
            cursor.execute('BEGIN IMMEDIATE')
            return work(cursor)

    return change


def _any(cursor: sqlite3.Cursor) -> list[Any]:
    return cursor.execute(ANY).fetchall()


def _select(cursor: sqlite3.Cursor, query: str, *values: str) -> list[StoredHalt]:
    # all: a row that is not fetched would keep the cursor at what was true then
    return [StoredHalt(*row) for row in cursor.execute(query, values).fetchall()]


def _is_set_up(connection: sqlite3.Connection, *, is_last: bool) -> bool:
    """Whether that could be done; False if another process is at it. is_last: raise then."""
    try:
        if connection.execute('PRAGMA journal_mode').fetchone() != ('wal',):
            connection.execute('PRAGMA journal_mode = WAL')
        connection.execute('PRAGMA synchronous = FULL')  # a halt outlives a loss of power
        connection.execute(TABLE)
        connection.execute(SELECT, ('',))  # a table of something else is none
    except sqlite3.OperationalError as error:
        if 'locked' not in str(error) or is_last:
            raise
        return False
    return True


_STORES: weakref.WeakValueDictionary[int, SqliteStore] = weakref.WeakValueDictionary()


def _opened_stores() -> list[SqliteStore]:
    return [store for store in (each() for each in _STORES.valuerefs()) if store is not None]


def _close_idle() -> None:
    """Before a fork: SQLite notes its locks in memory, and a child would believe that it has those of its parent.

    When the parent closed its last connection and deleted the log, the child would go on reading the deleted one.
    """
    for store in _opened_stores():
        store.close()


def _has_copied_locks() -> bool:
    """Whether a connection was in use when this process was forked: those that were idle had been closed."""
    return any(process != os.getpid() for store in _opened_stores() for process, _ in store._all.copy())


if hasattr(os, 'register_at_fork'):  # not on Windows, which has no fork
    os.register_at_fork(before=_close_idle)


def _close_all(idle: list[Opened], opened: set[Opened]) -> None:
    with suppress(IndexError):  # none is left
        while True:
            each = idle.pop()
            if each[0] == os.getpid():
                each[1].connection.close()
                opened.discard(each)
            else:
                _OF_OTHER_PROCESSES.append(each[1])
