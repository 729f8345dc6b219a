"""The shortest of halt soaks, and whether its judge would notice; ``python -m tests.halt_soak`` takes longer."""

import time

import pytest

from tests.halt_soak.__main__ import STORES, main, soak
from tests.halt_soak.bot import LOOPS, QUOTES
from tests.halt_soak.judge import WAIT, Judge
from tests.redis_server import need_redis

PROCESSES, HALTS = 4, 2
PAUSE = 50  # ms, so that the other tests have their share of the processors


@pytest.mark.parametrize('store', STORES)
def test_no_process_quotes_while_halted(store):
    if store == 'redis':
        need_redis()
    judge = soak(store, PROCESSES, HALTS, seed=1, pause=PAUSE)
    assert judge.violations == []
    assert judge.halts == HALTS
    assert 0 < judge.most <= LOOPS * (QUOTES + 1)  # of one process; more of them take a mass cancel too long
    assert min(judge.met[what] for what in ('accepted', 'halted', 'lost')) > 0


def test_judge_notices_what_should_not_be(tmp_path):
    """A process that quotes while halted, as its account is another one, and an error of another kind."""
    with Judge(f'sqlite:{tmp_path}/halt.db', 1, seed=1, grace=50, account='another') as judge:
        while not judge.violations:
            judge.halt_and_resume()
        judge.simulator.fault('status', 'batch-orders', status=503, times=3)
        ends = time.monotonic() + WAIT
        while sum(fault.times for fault in judge.simulator._faults):
            assert time.monotonic() < ends
            time.sleep(0.005)
    assert any('rest while halted' in each or 'rest after halt_mmp' in each for each in judge.violations)
    assert 'ExchangeNotAvailable' in judge.violations[-1]


def test_unknown_store_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(['--stores', 'mysql'])
    assert 'stores are sqlite, redis' in capsys.readouterr().err
