"""How soon the installed command is on the wire: a kill switch must not wait for imports."""

import json
import subprocess
import sys

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET
from tests.terminal import environment

# what only other commands, flavours and screens need
NEEDLESS = ('aiohttp', 'ccxt.async_support', 'ccxt.pro', 'ccxt_mmp.simulator', 'dotenv', 'redis', 'rich', 'sqlite3')

IMPORT = """
import gc, json, sys
searches = []
gc.callbacks.append(lambda *_: searches.append('ccxt' in sys.modules))
import ccxt_mmp_command
print(json.dumps([any(searches), gc.isenabled(), gc.get_freeze_count() > 0]))
"""
CANCEL = """
import json, os, sys, threading
import ccxt_mmp_command
import requests

first = threading.Lock()

def send(*_, **__):
    first.acquire()  # for good: of several targets one tells
    print(json.dumps([*sys.modules]), flush=True)
    os._exit(0)

requests.Session.send = send
ccxt_mmp_command.main(sys.argv[1:])
"""


def told(*arguments, env=None):
    """What a process that imports everything itself says in JSON."""
    run = subprocess.run([sys.executable, '-c', *arguments], capture_output=True, check=False, env=env, timeout=120)
    assert run.returncode == 0, run.stderr.decode()
    return json.loads(run.stdout)


def test_command_is_imported_without_the_garbage_collector():
    has_searched, is_enabled, is_frozen = told(IMPORT)
    assert not has_searched
    assert is_enabled
    assert is_frozen


def test_cancel_imports_nothing_needless_before_its_first_request(tmp_path):
    keys = {'APIKEY': KEY, 'SECRET': SECRET, 'PASSWORD': PASSPHRASE}
    env = environment(tmp_path, with_rich=True) | {
        f'{exchange_id.upper()}_{name}': value for exchange_id in EXCHANGES for name, value in keys.items()
    }
    targets = [f'{each.id}:{each.underlying}' for each in EXCHANGES.values()]
    modules = told(CANCEL, 'cancel', *targets, env=env)
    assert 'ccxt_mmp.cli.cancelling' in modules
    assert [name for name in modules if name in NEEDLESS] == []
