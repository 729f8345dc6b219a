"""What happens to protections that nobody watches, and on the connection meanwhile."""

import ccxt
import pytest

from tests.core.fencing import until
from tests.fault_matrix.methods import OTHER
from tests.trading import RULES


def test_protections_that_nobody_watches_are_left_alone(watcher):
    other = OTHER[watcher.exchange_id]

    async def main(exchange):
        watcher.set_rule()
        await watcher.watch()
        await exchange.set_mmp(other, 5000, 2000, **RULES[watcher.exchange_id])
        await exchange.reset_mmp(other)
        assert [*exchange._mmp_watched.watched] == [watcher.underlying]

    watcher.run(main)


def test_push_of_a_protection_that_nobody_watches_is_nothing(okx):
    async def main(exchange):
        okx.set_rule()
        await okx.watch()
        task = await okx.waiting()
        okx.simulator.set_rule('okx', 'ETH-USD')
        okx.simulator.rest('okx', 'ETH-USD', mmp=True)
        frames = len(okx.simulator.frames)
        okx.simulator.trip('okx', 'ETH-USD')
        await until(lambda: len(okx.simulator.frames) > frames)
        assert (await okx.tripped(task, orders=1))['underlyingId'] == okx.underlying

    okx.run(main)


def test_rule_of_block_trading_is_none_that_is_watched(okx):
    async def main(exchange):
        okx.set_rule()
        await okx.watch()
        state = await exchange.set_mmp(None, 5000, 2000, params={'scope': 'rfq', 'countLimit': 3})
        assert (state['scope'], state['countLimit']) == ('rfq', 3)

    okx.run(main)


def test_change_without_a_connection_wakes_nobody(okx):
    async def main(exchange):
        okx.set_rule()
        await okx.watch()
        exchange._mmp_watched._client = None
        await exchange.set_mmp(okx.name, 4000, 3000, 7)
        exchange._mmp_watched._client = exchange.client(exchange.get_url('orders', 'private'))
        assert (await okx.watch())['window'] == 4000

    okx.run(main)


def test_reads_wait_in_the_limiter_of_ccxt_where_it_is_on(watcher):
    async def main(exchange):
        watcher.set_rule()
        assert (await watcher.watch())['frozen'] is False

    watcher.run(main, enableRateLimit=True)


def test_connection_that_ends_with_the_acknowledgement_is_an_error(okx):
    async def main(exchange):
        async def subscribe(client):
            client.error = ccxt.NetworkError('gone')

        exchange._subscribe = subscribe
        with pytest.raises(ccxt.NetworkError, match='gone'):
            await okx.watch()

    okx.run(main)
