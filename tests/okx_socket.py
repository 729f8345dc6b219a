"""OKX's private websocket on loopback, as far as orders go over it: login, and an answer to each operation.

It answers an order with an id, or as it is told, or not at all.
"""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web

REFUSED = {'ordId': '', 'clOrdId': '', 'tag': '', 'sCode': '51034', 'sMsg': 'Fill rate exceeds the limit.'}


class OkxSocket:
    """What it received, and what it answers: ``answer(message)`` makes the answer, None for none."""

    def __init__(self):
        self.url = ''
        self.connections = 0
        self.received = []
        self.answer = placed
        self.arrived = asyncio.Event()

    @property
    def orders(self):
        return [message for message in self.received if message['op'] != 'login']

    async def handle(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.connections += 1
        replies = []
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT or frame.data == 'ping':
                continue
            message = json.loads(frame.data)
            self.received.append(message)
            if message['op'] == 'login':
                await socket.send_json({'event': 'login', 'code': '0', 'msg': '', 'connId': 'a4d3ae55'})
                continue
            self.arrived.set()
            replies.append(asyncio.ensure_future(self.reply(socket, message)))
            replies = [each for each in replies if not each.done()]
        for each in replies:
            each.cancel()
        return socket

    async def reply(self, socket, message):
        answer = self.answer(message)
        if answer is not None:
            await socket.send_json({'id': message['id'], 'op': message['op'], **answer})


def placed(message):
    """Every order and every edit is accepted, in the thin form that is documented."""
    item = {'ordId': '12345689', 'clOrdId': message['args'][0].get('clOrdId', ''), 'tag': '', 'sCode': '0', 'sMsg': ''}
    return {'code': '0', 'msg': '', 'data': [item]}


def refused(message):
    return {'code': '1', 'msg': '', 'data': [REFUSED]}


def nothing(message):
    return None


@asynccontextmanager
async def serve(served):
    """A socket at its ``url``."""
    app = web.Application()
    app.router.add_get('/{tail:.*}', served.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, '127.0.0.1', 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    served.url = f'ws://127.0.0.1:{port}/ws/v5'
    try:
        yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def okx_socket(exchange):
    """A socket to which a pro exchange connects."""
    served = OkxSocket()
    async with serve(served):
        exchange.urls['api']['ws'] = served.url
        try:
            yield served
        finally:
            await exchange.close()
