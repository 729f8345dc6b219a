"""What Deribit's websocket tells of trips: a trigger of each index, in a channel of its own.

https://docs.deribit.com/subscriptions/market-maker-protection/usermmp_triggerindex_name
"""

from collections.abc import Iterator, Sequence
from typing import Any

from ccxt.base.errors import BadRequest

from ccxt_mmp.core.protection_state import Trip
from ccxt_mmp.core.socket_state import state_of
from ccxt_mmp.core.text import shown
from ccxt_mmp.core.watching import in_time
from ccxt_mmp.exchanges.deribit.answers import DeribitAnswers
from ccxt_mmp.exchanges.deribit.sockets import channel_of

TRIGGER = 'user.mmp_trigger.'


class DeribitWatching(DeribitAnswers):
    """The channels ``user.mmp_trigger.*``. ccxt knows none of them, and would receive nothing more after a push."""

    _lists_mmps = True
    _reads_mmps_at_once = True
    _has_mmp_channels = True
    _least_poll_interval = 500  # two requests of the 20 that credits come back for in a second

    def _has_mmp_stream(self) -> bool:
        return True

    async def _open_mmp_stream(self, seconds: float) -> Any:
        client = self.client(self._socket_url())
        await in_time(self.authenticate(), seconds, client, f'{self.id} watchMmp() the login')
        if client.error:
            raise client.error
        return client

    async def _subscribe_mmps(self, client: Any, ids: Sequence[str], seconds: float) -> None:
        channels = [f'{TRIGGER}{each}' for each in ids]
        request_id, message = self._rpc('private/subscribe', {'channels': channels})
        asked = self._ask(client, request_id, message, None)
        answer = await in_time(asked, seconds, client, f'{self.id} watchMmp() the subscription')
        #
        #     {"jsonrpc":"2.0","id":3,"result":["user.mmp_trigger.btc_usd"],"usIn":...,"usOut":...,"usDiff":122}
        #
        self._read_answer_of_socket('', answer)
        subscribed = self._result('watchMmp', answer)
        missing = [each for each in channels if each not in subscribed]
        if missing:
            raise BadRequest(f'{self.id} watchMmp() could not subscribe {", ".join(missing)}: {shown(answer)}')
        state_of(client).channels.update(channels)

    async def _close_mmp_stream(self, client: Any) -> None:
        channels = state_of(client).channels
        ended = [each for each in channels if each not in client.subscriptions]  # else the user watches it, too
        channels.clear()
        if ended:
            await self._send_to_stream(client, self._rpc('private/unsubscribe', {'channels': ended})[1])

    def _mmp_pushes(self, message: Any) -> Iterator[tuple[str, Trip | None]]:
        #
        #     {"jsonrpc":"2.0","method":"subscription","params":{"channel":"user.mmp_trigger.btc_usd",
        #         "data":{"frozen_until":1594390902986,"index_name":"btc_usd"}}}
        #
        data = message['params']['data']
        if data.get('mmp_group') is None and not data.get('block_rfq'):
            yield data['index_name'], Trip(data, until=int(data['frozen_until']))

    def _take_trigger(self, client: Any, message: Any) -> bool:
        channel = channel_of(message)
        if channel is None or not channel.startswith(TRIGGER):
            return False
        self._note_mmp_pushes(message)
        client.resolve(message['params'].get('data'), channel)  # for who watches the channel by itself
        return True
