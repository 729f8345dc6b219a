"""The short examples do on the simulator what they say: a rule on all exchanges, a dead man's switch, a halt."""

import asyncio

import ccxt
import pytest
from ccxt.base.errors import ExchangeError

from ccxt_mmp import async_support
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import Simulator
from tests.test_examples import EXAMPLES, load, until
from tests.trading import UNDERLYING

arm_all, dead_mans_switch, halts, keys = map(load, ('arm_all', 'dead_mans_switch', 'halt_across_processes', 'keys'))


def arm(simulator, ids=tuple(arm_all.UNDERLYINGS), coins=2, delta=0.5):
    return asyncio.run(arm_all.run(simulator.connect, ids, coins, delta))


def test_all_are_armed_with_one_rule_in_coins(simulator, capsys):
    assert arm(simulator)
    rules = {each: simulator.protection(each, UNDERLYING[each]).rule for each in EXCHANGES}
    assert {each: float(rule.qty_limit) for each, rule in rules.items()} == {
        'okx': 200,
        'binance': 2,
        'deribit': 2,
        'bybit': 2,
    }
    assert {(rule.window, rule.frozen_time) for rule in rules.values()} == {(3000, 10_000)}
    printed = capsys.readouterr()
    assert 'armed      okx BTC/USD:BTC: 2 BTC, 200 contracts, delta none here\n' in printed.out
    assert printed.out.count('armed') == 4
    assert printed.err == ''


def test_one_that_is_not_armed_is_told_loudly_and_keeps_no_other(simulator, capsys):
    refused = {'code': '59509', 'data': [], 'msg': 'no'}
    simulator.answer('POST', '/api/v5/account/mmp-config', refused)
    assert not arm(simulator)
    printed = capsys.readouterr()
    assert 'NOT ARMED  okx: MmpNotEnabled: ' in printed.err
    assert printed.out.count('armed') == 3


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_rule_is_read_back(simulator, capsys, exchange_id, monkeypatch):
    """Not taken for set because the exchange said so, nor for not set because nobody answered."""
    paths = {'okx': 'mmp-config', 'binance': 'mmpSet', 'deribit': 'set_mmp_config', 'bybit': 'mmp-modify'}
    simulator.fault('drop_after', paths[exchange_id])
    assert arm(simulator, [exchange_id])
    assert 'reads what is set' in capsys.readouterr().err

    async def set_another(self, *arguments, **rule):
        rule['window'] += 1000
        return await set_mmp(self, *arguments, **rule)

    exchange_class = getattr(async_support, exchange_id)
    set_mmp = exchange_class.set_mmp
    monkeypatch.setattr(exchange_class, 'set_mmp', set_another)
    assert not arm(simulator, [exchange_id])
    assert f'{exchange_id} has another rule: window is 4000\n' in capsys.readouterr().err


@pytest.mark.parametrize('is_armed', [True, False])
def test_exit_status_says_whether_all_are_armed(is_armed):
    assert arm_all.main(['--simulate', '--exchanges', 'okx', '--coins', '2' if is_armed else '0.001']) == (not is_armed)


# --- the dead man's switch


class Guarded:
    """A bot with two orders, one of them with the flag, and a switch beside it."""

    def __init__(self, simulator, exchange):
        self.simulator, self.exchange, self.said = simulator, exchange, []
        self.age, self.looks = 0, 0
        self.underlying = UNDERLYING[exchange.id]
        self.quote = simulator.rest(exchange.id, self.underlying, mmp=True, client_order_id='mmp-1')
        self.other = simulator.rest(exchange.id, self.underlying, mmp=False, client_order_id='other')
        self.guarding = asyncio.ensure_future(
            dead_mans_switch.guard(
                exchange,
                dead_mans_switch.UNDERLYINGS[exchange.id],
                self.look,
                sleep=simulator.async_sleep,
                say=self.said.append,
            )
        )

    @property
    def resting(self):
        return self.simulator.resting(self.exchange.id, self.underlying)

    def look(self):
        self.looks += 1
        return self.age

    async def live(self, seconds):
        for _ in range(seconds):
            await self.live_a_second()
        await until(lambda: self.simulator.sleepers or self.guarding.done())

    async def live_a_second(self):
        await until(lambda: self.simulator.sleepers)
        looks = self.looks
        self.simulator.advance(1000)
        await until(lambda: self.looks > looks or self.guarding.done())


def guard(exchange_id, story):
    async def told():
        with Simulator(enforce_limits=False) as simulator:
            exchange_class = getattr(async_support, exchange_id)
            async with simulator.connect(exchange_class, enableRateLimit=False) as exchange:
                guarded = Guarded(simulator, exchange)
                try:
                    await story(guarded)
                finally:
                    guarded.guarding.cancel()

    asyncio.run(told())


@pytest.mark.parametrize('exchange_id', EXCHANGES)
def test_bot_that_died_loses_its_orders(exchange_id):
    async def story(bot):
        await bot.live(20)  # longer than the countdown
        assert len(bot.resting) == 2
        bot.age = 4
        await bot.live(1)
        await asyncio.wait_for(bot.guarding, 30)
        assert bot.resting == [bot.other]
        has_countdown = exchange_id in ('okx', 'binance')
        assert ('has no countdown' in bot.said[0]) != has_countdown
        bot.simulator.advance(15_000)
        assert bot.resting == ([] if has_countdown else [bot.other])

    guard(exchange_id, story)


@pytest.mark.parametrize('exchange_id', ['okx', 'binance'])
def test_exchange_cancels_when_the_switch_died_too(exchange_id):
    async def story(bot):
        await bot.live(2)
        bot.guarding.cancel()
        bot.simulator.advance(14_000)
        assert len(bot.resting) == 2
        bot.simulator.advance(1000)
        assert bot.resting == []

    guard(exchange_id, story)


def test_renewal_and_cancel_that_fail_are_tried_again():
    async def story(bot):
        bot.simulator.fault('drop_before', 'cancel-all-after')
        await bot.live(2)
        [said] = bot.said
        assert said.startswith('the countdown was not renewed: ')
        asked = bot.exchange.mass_cancel_mmp

        async def failing(underlying):
            bot.exchange.mass_cancel_mmp = asked
            raise ExchangeError('no')

        bot.exchange.mass_cancel_mmp = failing
        bot.age = 4
        await bot.live(2)
        await asyncio.wait_for(bot.guarding, 30)
        assert bot.resting == [bot.other]
        assert 'NOT CERTAIN, tries again: ExchangeError: no' in bot.said

    guard('okx', story)


def test_age_of_a_heartbeat(tmp_path):
    heartbeat = tmp_path / 'bot.alive'
    assert dead_mans_switch.age_of(heartbeat) == float('inf')
    heartbeat.touch()
    assert dead_mans_switch.age_of(heartbeat) < 60


@pytest.fixture
def hasten(monkeypatch):
    """Let all times of the dead man's switch pass some times as fast."""
    age_of, sleep, renewal = dead_mans_switch.age_of, asyncio.sleep, dead_mans_switch.RENEWAL

    def hastened(times):
        monkeypatch.setattr(dead_mans_switch, 'RENEWAL', renewal / times)
        monkeypatch.setattr(dead_mans_switch, 'age_of', lambda heartbeat: times * age_of(heartbeat))
        monkeypatch.setattr(asyncio, 'sleep', lambda seconds, *rest: sleep(seconds / times, *rest))

    return hastened


def test_dead_mans_switch_is_shown(capsys, hasten):
    for times in (10, 1):  # on a busy machine a heartbeat comes too late if it is to come ten times as soon
        hasten(times)
        dead_mans_switch.main(['--simulate', '--exchange', 'deribit'])
        shown = capsys.readouterr().out
        if shown.endswith('\n0 quotes rest\n'):
            break
    assert shown.endswith('no MMP order rests\n0 quotes rest\n')


# --- the halt


@pytest.fixture
def path_of_examples(monkeypatch):
    """For a process that is started."""
    monkeypatch.syspath_prepend(EXAMPLES)


@pytest.mark.usefixtures('path_of_examples')
def test_halt_stops_another_process(tmp_path):
    assert halts.simulate(tmp_path) == [1, 0, 0, 1]


@pytest.mark.usefixtures('path_of_examples')
def test_bot_that_ended_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.setattr(halts, 'simulated_bot', print)
    with pytest.raises(SystemExit, match='the bot has ended'):
        halts.simulate(tmp_path)


# --- keys


def test_keys_are_those_of_the_environment(monkeypatch):
    names = {'OKX_APIKEY': 'k', 'OKX_SECRET': 's', 'OKX_PASSWORD': 'p'}  # pragma: allowlist secret
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    exchange = keys.with_keys(ccxt.okx, options={'a': 1})
    assert [exchange.apiKey, exchange.secret, exchange.password, exchange.options['a']] == ['k', 's', 'p', 1]
    monkeypatch.delenv('OKX_SECRET')
    with pytest.raises(SystemExit, match='OKX_SECRET is not in the environment'):
        keys.with_keys(ccxt.okx)


@pytest.mark.parametrize('example', [dead_mans_switch, halts])
def test_what_is_needed_with_keys_is_told(example, capsys):
    with pytest.raises(SystemExit):
        example.main([])
    assert 'are needed without --simulate' in capsys.readouterr().err
