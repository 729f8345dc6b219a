"""Halts in Redis or Valkey, for several machines: one hash for each account, one round trip for each call."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import redis
import redis.asyncio
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Closed
from redis.exceptions import ResponseError

from ccxt_mmp._patterns import Pattern
from ccxt_mmp.halts import BadUrlError, HaltStoreError, StoredHalt, checked

# as redis-py, which needs the other one, too: that of Python has a defect before 3.11.3
time_limit: Any = import_module('asyncio' if sys.version_info >= (3, 11, 3) else 'async_timeout').timeout

KEY = 'ccxt_mmp:halts:{}'

# of a url, and which values they have. redis-py takes any, and fails with Python's own errors when it uses them
_TEXT = Pattern(r'(?s).+')
OPTIONS = {
    'db': Pattern(r'[0-9]{1,5}'),
    'username': _TEXT,
    'password': _TEXT,
    'client_name': Pattern(r'[!-~]+'),
    'protocol': Pattern(r'[23]'),
    'ssl_cert_reqs': Pattern(r'none|optional|required'),
    'ssl_check_hostname': Pattern(r'(?i)true|false|yes|no|t|f|y|n|1|0'),
    **dict.fromkeys(('ssl_ca_certs', 'ssl_ca_data', 'ssl_ca_path'), _TEXT),
    **dict.fromkeys(('ssl_certfile', 'ssl_keyfile', 'ssl_password'), _TEXT),
}
_DB = Pattern(r'/?|/[0-9]{1,5}/?')

# a halt never shortens another; what cannot be read is replaced
WRITE = """
local old = redis.call('HGET', KEYS[1], ARGV[1])
if old then
    local is_read, was = pcall(cjson.decode, old)
    if is_read and type(was) == 'table' and was['until'] then
        if was['until'] == cjson.null or (ARGV[3] ~= '' and tonumber(ARGV[3]) <= was['until']) then
            return old
        end
    end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return ARGV[2]
"""
END_ONE = """
local old = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[1], ARGV[1])
return {ARGV[1], old}
"""
END_ALL = """
local old = redis.call('HGETALL', KEYS[1])
redis.call('DEL', KEYS[1])
return old
"""


def opened(url: str, timeout: float, *, is_async: bool) -> 'RedisStore | AsyncRedisStore':
    check_url(url)
    store = (AsyncRedisStore if is_async else RedisStore)(url, timeout)
    try:
        store.new_connection()
    except Exception:  # noqa: BLE001 - whatever it is, and its text may have a password
        raise BadUrlError('cannot be used with the redis-py that is installed') from None
    return store


def check_url(url: str) -> None:
    """BadUrlError for one that redis-py would take and not use, or of which it would use something else."""
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True) if parts.query else []
        names_server = bool(parts.path and not parts.hostname) if parts.scheme == 'unix' else _DB.fullmatch(parts.path)
        # a special character that is not % coded ends the password; in place of a port 0 redis-py takes its default
        is_right = names_server and '://' in url and '@' not in parts.query and not parts.fragment and parts.port != 0
    except ValueError:  # its text may have a password
        is_right, given = False, []
    if not is_right or _ends_password(given):
        raise BadUrlError(
            'cannot be read: it is redis://host:port/db or unix:///path, with user:password@ after the slashes where '
            'they are needed, and with % codes in place of special characters'
        )
    options = [each for each in OPTIONS if url.startswith('rediss:') or not each.startswith('ssl_')]
    for name, value in given:
        if name not in options:
            raise BadUrlError(f'has no option {name!r:.50}, it has {", ".join(options)}')
        if not OPTIONS[name].fullmatch(value):
            raise BadUrlError(f'has an option {name} with a value that cannot be used')


def _ends_password(given: Sequence[tuple[str, str]]) -> bool:
    """Whether an unknown option may be the rest of a password that has an &."""
    names = [name for name, _ in given]
    unknown = next((index for index, name in enumerate(names) if name not in OPTIONS), 0)
    return any(name in ('password', 'ssl_password') for name in names[:unknown])


class _Redis:
    """What both have: the commands, and how their answers read.

    They use redis-py's connections without its client and its pool, which double the time of a read. A connection whose
    answer was not read to its end is closed: the next call would take it for its own. The server, or what is in between
    them, may have closed an idle one: the command is sent again over a new one, and to do it twice does no harm.
    """

    _module: Any  # of redis-py

    def __init__(self, url: str, timeout: float) -> None:
        self._url = url
        self._timeout = timeout

    def options(self) -> dict[str, Any]:
        """For a connection. What the url says of time, retries and pools does not count."""
        options = {
            **self._module.connection.parse_url(self._url),
            'socket_timeout': self._timeout,
            'socket_connect_timeout': self._timeout,
            'retry': self._module.retry.Retry(NoBackoff(), 0),
            'retry_on_error': [],
            'decode_responses': True,
            'health_check_interval': 0,
        }
        options.pop('max_connections', None)
        return options

    def new_connection(self) -> Any:
        """It connects when it sends."""
        options = self.options()
        return options.pop('connection_class', self._module.Connection)(**options)

    def read(self, account: str, underlyings: Sequence[str]) -> Any:
        def read(values: Any) -> list[StoredHalt]:
            return [] if values == [None] * len(underlyings) else parsed(zip(underlyings, values, strict=True))

        return self._call(read, 'HMGET', KEY.format(account), *underlyings)

    def read_all(self, account: str) -> Any:
        return self._call(lambda values: parsed(pairs(values)), 'HGETALL', KEY.format(account))

    def write(self, account: str, halt: StoredHalt) -> Any:
        said = json.dumps({'since': halt.since, 'until': halt.until, 'reason': halt.reason, 'by': halt.by})
        return self._call(
            lambda value: parsed([(halt.underlying, value)])[0],
            *('EVAL', WRITE, 1, KEY.format(account)),
            *(halt.underlying, said, '' if halt.until is None else halt.until),
        )

    def end(self, account: str, underlying: str | None) -> Any:
        script, names = (END_ALL, ()) if underlying is None else (END_ONE, (underlying,))
        return self._call(lambda values: parsed(pairs(values)), 'EVAL', script, 1, KEY.format(account), *names)

    def _call(self, read: Callable[[Any], Any], *command: Any) -> Any:
        raise NotImplementedError

    def _lost(self, error: Exception) -> HaltStoreError:
        # redis-py names host and port, never the password; a server names what is in a command that it does not know
        if isinstance(error, ResponseError):
            error.args = (str(error).partition(', with args')[0],)
        said = str(error) or f'no answer within {self._timeout * 1000:.0f} ms'
        return HaltStoreError(f'the Redis server cannot be used: {type(error).__name__}: {said}')

    def _check_time(self, started: float) -> None:
        taken = time.monotonic() - started
        if taken > self._timeout:
            raise HaltStoreError(f'the Redis server took {taken * 1000:.0f} ms to answer')


class RedisStore(_Redis):
    """For sync exchanges. Each connection serves one thread of one process at a time, so that none waits for a lock."""

    is_async = False
    _module = redis

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, timeout)
        self._idle: list[tuple[int, Any]] = []  # the process that opened it

    def _call(self, read: Callable[[Any], Any], *command: Any) -> Any:
        started = time.monotonic()
        try:
            connection = self._take()
            try:
                try:
                    connection.send_command(*command)
                    answer = connection.read_response()
                except Closed:
                    connection.disconnect()
                    connection.send_command(*command)
                    answer = connection.read_response()
            except BaseException:  # also an interrupt: the answer may still come
                with suppress(Exception):
                    connection.disconnect()
                raise
            self._idle.append((os.getpid(), connection))
            self._check_time(started)
            return read(answer)
        except HaltStoreError:
            raise
        except Exception as error:  # whatever it is, the halts are not known
            raise self._lost(error) from error

    def _take(self) -> Any:
        process = os.getpid()
        while self._idle:
            try:
                opened_by, connection = self._idle.pop()
            except IndexError:  # another thread has taken it
                break
            if opened_by == process:  # after a fork both processes would share its socket
                return connection
        return self.new_connection()

    def close(self) -> None:
        with suppress(IndexError):  # none is left
            while True:
                self._idle.pop()[1].disconnect()


class AsyncRedisStore(_Redis):
    """For async exchanges. Each connection serves one call of the running loop at a time."""

    is_async = True
    _module = redis.asyncio

    def __init__(self, url: str, timeout: float) -> None:
        super().__init__(url, timeout)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._idle: list[Any] = []

    def options(self) -> dict[str, Any]:
        # one limit for all steps: for its own redis-py makes a task of each write
        return {**super().options(), 'socket_timeout': None}

    async def _call(self, read: Callable[[Any], Any], *command: Any) -> Any:
        started = time.monotonic()
        try:
            connection = self._take()
            try:
                async with time_limit(self._timeout):
                    try:
                        await connection.send_command(*command)
                        answer = await connection.read_response()
                    except Closed:
                        await connection.disconnect(nowait=True)
                        await connection.send_command(*command)
                        answer = await connection.read_response()
            except BaseException:  # also a cancellation: the answer may still come
                with suppress(Exception):
                    await connection.disconnect(nowait=True)
                raise
            self._idle.append(connection)
            self._check_time(started)
            return read(answer)
        except HaltStoreError:
            raise
        except Exception as error:  # as above
            raise self._lost(error) from error

    def _take(self) -> Any:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._idle = loop, []
        return self._idle.pop() if self._idle else self.new_connection()

    async def close(self) -> None:
        idle, self._idle = self._idle, []
        if self._loop is asyncio.get_running_loop():
            for each in idle:
                await each.disconnect()


def pairs(values: Any) -> list[tuple[str, Any]]:
    """The fields of a hash: a dict, or a list of names and values in turn."""
    if isinstance(values, Mapping):
        return list(values.items())
    return list(zip(values[::2], values[1::2], strict=True))


def parsed(found: Any) -> list[StoredHalt]:
    """Raises if one cannot be read: it may halt."""
    halts = []
    for underlying, value in found:
        if value is None:
            continue
        try:
            said = json.loads(value)
            halt = StoredHalt(underlying, said['since'], said['until'], said['reason'], said['by'])
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise HaltStoreError(f'the halt of {underlying} cannot be read') from error
        halts.append(checked(halt))
    return halts
