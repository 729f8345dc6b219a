"""The control side as JSON under ``/_control/``, for bots in another process or language.

Commands are POSTs of a JSON object with the content type ``application/json``. A page of another origin cannot send
that without asking first, and this server allows it to nobody. The names are those of the methods of ``Simulator``::

    POST /_control/fill        {"order_id": "312269865356374016", "quantity": "5"}
    POST /_control/trip        {"venue": "okx", "underlying": "BTC/USD"}
    POST /_control/advance     {"milliseconds": 2000}
    POST /_control/fault       {"kind": "drop_after", "path": "mass-cancel"}
    POST /_control/fault       {"kind": "lose", "channel": "orders", "times": 2}
    POST /_control/clear_faults    {}
    POST /_control/privilege   {"granted": false}
    POST /_control/refuse_cancel   {"order_id": "312269865356374016"}
    POST /_control/allow_cancel    {"order_id": "312269865356374016"}
    POST /_control/use_weight      {"weight": 1800}
    POST /_control/latency         {"milliseconds": 50}
    POST /_control/processing_time {"milliseconds": 150}
    POST /_control/execute_block_trades   {"attempts": 3}
    POST /_control/answer      {"method": "GET", "path": "/api/v5/account/risk-state", "body": {"code": "0"}}
    POST /_control/set_index   {"venue": "okx", "underlying": "BTC/USD", "price": 105000}
    POST /_control/clear       {}
    GET  /_control/requests
    GET  /_control/frames
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from decimal import DecimalException
from typing import Any

from ccxt_mmp.simulator.log import Log
from ccxt_mmp.simulator.wire import Answer, Request, parse_json

PREFIX = '/_control/'
Commands = Mapping[str, Callable[..., Any]]


def answer(request: Request, commands: Commands, log: Log, now: Callable[[], int]) -> Answer:
    """The answer to a request whose path begins with the prefix."""
    name = request.path.removeprefix(PREFIX)
    if (request.method, name) == ('GET', 'requests'):
        return Answer({'requests': [asdict(each) for each in log.requests]})
    if (request.method, name) == ('GET', 'frames'):
        return Answer({'frames': [asdict(each) for each in log.frames.all()]})
    if request.method != 'POST' or name not in commands:
        known = f'POST {", ".join(commands)} and GET requests, frames'
        return _refused(404, f'there is no {request.method} {name}, but {known}')
    if _content_type(request) != 'application/json':
        return _refused(415, 'the content type must be application/json')
    try:
        arguments = parse_json(request.body or '{}')
        if not isinstance(arguments, dict):
            raise TypeError('the body must be a JSON object')
        commands[name](**arguments)
    except (TypeError, ValueError, DecimalException) as error:
        return _refused(400, str(error))
    return Answer({'done': name, 'now': now()})


def _content_type(request: Request) -> str:
    return request.headers.get('Content-Type', '').partition(';')[0].strip().lower()


def _refused(status: int, message: str) -> Answer:
    return Answer({'error': message}, status)
