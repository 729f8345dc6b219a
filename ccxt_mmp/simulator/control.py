"""The control side as JSON under ``/_control/``, for bots in another process or language.

Commands are POSTs of a JSON object with the content type ``application/json``, which a page of another origin cannot
send without asking first, and this server allows it to nobody. The names are those of the methods of ``Simulator``::

    POST /_control/fill        {"order_id": "312269865356374016", "quantity": "5"}
    POST /_control/trip        {"venue": "okx", "underlying": "BTC/USD"}
    POST /_control/advance     {"milliseconds": 2000}
    POST /_control/fault       {"kind": "drop_after", "path": "mass-cancel"}
    POST /_control/clear_faults    {}
    POST /_control/privilege   {"granted": false}
    POST /_control/refuse_cancel   {"order_id": "312269865356374016"}
    POST /_control/allow_cancel    {"order_id": "312269865356374016"}
    POST /_control/use_weight      {"weight": 1800}
    POST /_control/latency         {"milliseconds": 50}
    POST /_control/execute_block_trades   {"attempts": 3}
    POST /_control/clear       {}
    GET  /_control/requests
"""

from collections.abc import Callable
from dataclasses import asdict
from decimal import DecimalException
from typing import TYPE_CHECKING, Any

from ccxt_mmp.simulator.wire import Answer, parse_json

if TYPE_CHECKING:
    from ccxt_mmp.simulator.server import Simulator


def answer(simulator: 'Simulator', method: str, name: str, content_type: str, body: str) -> Answer:
    """The answer to a request of the control side."""
    if (method, name) == ('GET', 'requests'):
        return Answer({'requests': [asdict(request) for request in simulator.requests]})
    commands: dict[str, Callable[..., Any]] = {
        'fill': simulator.fill,
        'trip': simulator.trip,
        'advance': simulator.advance,
        'fault': simulator.fault,
        'clear_faults': simulator.clear_faults,
        'privilege': lambda granted: setattr(simulator, 'privileged', granted),
        'refuse_cancel': simulator.refuse_cancel,
        'allow_cancel': simulator.allow_cancel,
        'use_weight': simulator.use_weight,
        'latency': lambda milliseconds: setattr(simulator, 'latency', milliseconds),
        'execute_block_trades': simulator.execute_block_trades,
        'clear': simulator.clear,
    }
    if method != 'POST' or name not in commands:
        return _refused(404, f'there is no {method} {name}, but POST {", ".join(commands)} and GET requests')
    if content_type != 'application/json':
        return _refused(415, 'the content type must be application/json')
    try:
        arguments = parse_json(body or '{}')
        if not isinstance(arguments, dict):
            raise TypeError('the body must be a JSON object')
        commands[name](**arguments)
    except (TypeError, ValueError, KeyError, DecimalException) as error:
        return _refused(400, str(error))
    return Answer({'done': name, 'now': simulator.now()})


def _refused(status: int, message: str) -> Answer:
    return Answer({'error': message}, status)
