"""OKX's private websocket on loopback, as far as orders go over it: login, and an answer to each operation.

The simulator's own lets an order take effect at once; this one is as slow as its subclass wants it.
"""

import asyncio
import json
from contextlib import asynccontextmanager

from aiohttp import WSMsgType, web


class OkxSocket:
    """``reply(socket, message)`` answers an operation."""

    def __init__(self):
        self.url = ''

    async def handle(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        replies = []
        async for frame in socket:
            if frame.type is not WSMsgType.TEXT or frame.data == 'ping':
                continue
            message = json.loads(frame.data)
            if message['op'] == 'login':
                await socket.send_json({'event': 'login', 'code': '0', 'msg': '', 'connId': 'a4d3ae55'})
                continue
            replies.append(asyncio.ensure_future(self.reply(socket, message)))
            replies = [each for each in replies if not each.done()]
        for each in replies:
            each.cancel()
        return socket


def placed(message):
    """Every order and every edit is accepted, in the thin form that is documented."""
    item = {'ordId': '12345689', 'clOrdId': message['args'][0].get('clOrdId', ''), 'tag': '', 'sCode': '0', 'sMsg': ''}
    return {'code': '0', 'msg': '', 'data': [item]}


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
