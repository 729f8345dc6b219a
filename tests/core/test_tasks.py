"""Tasks that several calls wait for."""

import asyncio

from ccxt_mmp.core.tasks import Tasks


def test_calls_of_one_name_share_a_task_until_it_is_done():
    async def main():
        tasks, gate, begun = Tasks(), asyncio.Event(), []

        async def work():
            begun.append(1)
            await gate.wait()

        first = tasks.join('login', work)
        assert tasks.join('login', work) is first
        assert tasks.join('another', work) is not first
        gate.set()
        await first
        assert tasks.join('login', work) is not first
        await tasks.end()
        assert len(begun) == 2  # the last one ended before it began

    asyncio.run(main())
