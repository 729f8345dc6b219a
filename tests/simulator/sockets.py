"""A bare websocket client of the simulator, for what ccxt's would hide."""

import asyncio
import base64
import hashlib
import hmac
import json
from contextlib import asynccontextmanager

import aiohttp

from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.simulator import KEY, PASSPHRASE, SECRET

PATIENCE = 10  # s that anything is waited for
OKX = '/ws/v5/private'
OPTIONS = {'channel': 'orders', 'instType': 'OPTION'}


class Client:
    def __init__(self, socket):
        self.socket = socket

    async def send(self, message):
        await self.socket.send_str(message if isinstance(message, str) else json.dumps(message))

    async def frame(self):
        return await asyncio.wait_for(self.socket.receive(), PATIENCE)

    async def receive(self):
        """The next frame, of JSON."""
        frame = await self.frame()
        assert frame.type is aiohttp.WSMsgType.TEXT, frame
        return json.loads(frame.data)

    async def ask(self, message):
        await self.send(message)
        return await self.receive()

    async def ended(self):
        """The code with which the simulator closed; None if the connection ended without."""
        while True:
            frame = await self.frame()
            if frame.type is aiohttp.WSMsgType.CLOSE:
                return frame.data
            if frame.type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.ERROR):
                return None

    async def is_silent(self):
        """Whether nothing comes before the answer to what is asked for now."""
        await self.send('ping')
        frame = await self.frame()
        return frame.data == 'pong'


@asynccontextmanager
async def opened(simulator, path=OKX, **options):
    async with aiohttp.ClientSession() as session, session.ws_connect(simulator.url + path, **options) as socket:
        yield Client(socket)


@asynccontextmanager
async def logged_in(simulator, *channels, key=KEY, **options):
    """A client of OKX that has subscribed some channels."""
    async with opened(simulator, **options) as client:
        assert (await client.ask(login(simulator.now(), key)))['event'] == 'login'
        for channel in channels:
            await subscribe(client, channel)
        yield client


async def subscribe(client, channel=OPTIONS):
    acknowledged = await client.ask({'op': 'subscribe', 'args': [channel]})
    assert acknowledged['event'] == 'subscribe', acknowledged
    assert (await client.receive())['event'] == 'channel-conn-count'


def login(now, key=KEY, *, secret=SECRET, passphrase=PASSPHRASE, **further):
    timestamp = str(now // 1000)
    sign = signature(secret, timestamp)
    values = {'apiKey': key, 'passphrase': passphrase, 'timestamp': timestamp, 'sign': sign}
    return {'op': 'login', 'args': [{**values, **further}]}


def signature(secret, timestamp):
    signed = f'{timestamp}GET/users/self/verify'.encode()
    return base64.b64encode(hmac.new(secret.encode(), signed, hashlib.sha256).digest()).decode()


def venue_of(simulator, exchange_id='deribit'):
    return next(each for each in simulator._state.venues if isinstance(each, EXCHANGES[exchange_id].venue))


async def until(condition):
    """Wait for a condition of the simulator, or of what its own thread does."""

    async def wait():
        while not condition():  # noqa: ASYNC110 - the simulator's thread sets no event of this loop
            await asyncio.sleep(0.005)

    await asyncio.wait_for(wait(), PATIENCE)


def rows(frames, channel='orders'):
    """The rows that were pushed, by order and state."""
    pushed = [frame for frame in frames if frame.get('arg', {}).get('channel') == channel and 'data' in frame]
    return [(row['ordId'], row['state']) for frame in pushed for row in frame['data']]
