"""The shortest of halt soaks, and whether its judge would notice; ``python -m tests.halt_soak`` takes longer."""

import pytest

from tests.halt_soak.__main__ import STORES, main, soak
from tests.halt_soak.judge import Judge
from tests.redis_server import need_redis

PROCESSES, HALTS = 4, 2


@pytest.mark.parametrize('store', STORES)
def test_no_process_quotes_while_halted(store):
    if store == 'redis':
        need_redis()
    judge = soak(store, PROCESSES, HALTS, seed=1)
    assert judge.violations == []
    assert judge.halts == HALTS
    assert min(judge.met[what] for what in ('accepted', 'halted', 'lost')) > 0


def test_judge_notices_a_process_that_quotes_while_halted(tmp_path):
    with Judge(f'sqlite:{tmp_path}/halt.db', 1, seed=1, grace=50, account='another') as judge:
        while not judge.violations:
            judge.halt_and_resume()
    assert 'rest while halted' in ' '.join(judge.violations) or 'rest after halt_mmp returned' in judge.violations[0]


def test_judge_notices_what_a_bot_should_not_meet(tmp_path):
    with Judge(f'sqlite:{tmp_path}/halt.db', 1, seed=1) as judge:
        judge.wait_for_quotes('okx')
        judge.simulator.fault('status', 'batch-orders', status=503, times=3)
        judge.wait_until(lambda: judge.simulator.log_faults == [])
    assert 'ExchangeNotAvailable' in judge.violations[0]


def test_unknown_store_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(['--stores', 'mysql'])
    assert 'stores are sqlite, redis' in capsys.readouterr().err
