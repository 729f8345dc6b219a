"""``ccxt-mmp cancel okx``: everything of an exchange, and what is said of what it does not tell."""

import json

import pytest

from ccxt_mmp.registry import EXCHANGES
from tests.core.mass_cancel.several import ids, protect_both, rest_both, resting_of


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_everything_goes(simulator, ccxt_mmp_command, exchange_id):
    rest_both(simulator, exchange_id)
    protect_both(simulator, exchange_id)
    status, out, err = ccxt_mmp_command('cancel', exchange_id)
    assert (status, err) == (0, '')
    assert out.startswith('CANCELLED ')
    assert resting_of(simulator, exchange_id) == []


def test_list_that_tells_not_all_leaves_it_uncertain(simulator, ccxt_mmp_command):
    rest_both(simulator, 'okx')
    rules = [{}, *({'instFamily': each} for each in ids('okx'))]
    simulator.answer('GET', '/api/v5/account/mmp-config', {'code': '0', 'msg': '', 'data': rules})
    status, out, err = ccxt_mmp_command('cancel', 'okx')
    assert status == 1
    assert out.startswith('NOT CERTAIN, run it again: okx; cancelled ')
    assert 'whether others have MMP orders is not known' in err
    assert resting_of(simulator, 'okx') == []
    status, out, _ = ccxt_mmp_command('cancel', 'okx', '--json')
    *_, others = json.loads(out)
    assert (status, others['target'], others['error']['type']) == (1, 'okx', 'MassCancelIncomplete')


def test_one_that_fails_is_told_once(simulator, ccxt_mmp_command):
    _, second = rest_both(simulator, 'binance')
    simulator.refuse_cancel(second[0])
    status, out, err = ccxt_mmp_command('cancel', 'binance')
    assert status == 1
    assert out.startswith('NOT CERTAIN, run it again: binance:ETH/USDT:USDT; cancelled ')
    assert len(err.splitlines()) == 1
