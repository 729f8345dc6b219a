"""What a client's request goes through: its fault, the venues in turn, the log and the latency."""

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import Any

from ccxt_mmp.simulator.faults import Fault, next_fault, page
from ccxt_mmp.simulator.log import Log
from ccxt_mmp.simulator.state import State
from ccxt_mmp.simulator.wire import Answer, Request

BANNED = (418, 429)  # statuses that exchanges answer beyond their limits


METHODS = ('GET', 'POST', 'PUT', 'DELETE')
PATHS_OF_ITS_OWN = '/_control/'


@dataclass(frozen=True)
class Stub:
    """An answer that the control side ordered; ValueError if it could not be given."""

    method: str
    path: str
    body: Any
    status: int
    text: str = field(init=False)

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f'a method is one of {", ".join(METHODS)}, not {self.method!r}')
        path = self.path
        if not isinstance(path, str) or path[:1] != '/' or '?' in path or path.startswith(PATHS_OF_ITS_OWN):
            raise ValueError(f'a path is a whole one of an exchange, such as /api/v5/account/risk-state, not {path!r}')
        if type(self.status) is not int or not 200 <= self.status <= 599:
            raise ValueError(f'a status is an integer from 200 to 599, not {self.status!r}')
        try:
            object.__setattr__(self, 'text', json.dumps(self.body))
        except (TypeError, RecursionError) as error:
            raise ValueError(f'the body of an answer is JSON: {error}') from error


class Gateway:
    def __init__(self, state: State, log: Log) -> None:
        self.faults: list[Fault] = []
        self.stubs: dict[tuple[str, str], Stub] = {}  # by method and path
        self.latency = 0  # ms by which every answer is late
        self._state = state
        self._log = log

    async def answer(self, request: Request) -> Answer | None:
        """The answer, or None if the connection is to be dropped."""
        with self._state.lock:
            fault = next_fault(self.faults, request.method, request.path)
        if fault is None:
            answer = self._effect(request)
            await self._be_late(self.latency)
            return answer
        if fault.kind == 'drop_before':
            self._log.add(request, None, self._state.now())
            return None
        if fault.kind == 'hold':
            await asyncio.sleep(fault.milliseconds / 1000)
        answer = self._answer_without_effect(fault, request) or self._effect(request, fault)
        await self._be_late(self.latency + (fault.milliseconds if fault.kind == 'delay' else 0))
        return None if fault.kind == 'drop_after' else fault.spoil(answer)

    @staticmethod
    async def _be_late(milliseconds: int) -> None:
        if milliseconds:
            await asyncio.sleep(milliseconds / 1000)

    def _answer_without_effect(self, fault: Fault, request: Request) -> Answer | None:
        """The answer of a fault that keeps a request from taking effect."""
        if fault.kind not in ('status', 'result_false'):
            return None
        venue = next((each for each in self._state.venues if each.serves(request.path)), None)
        if fault.kind == 'result_false':
            answer = Answer({'result': False} if venue is None else venue.result_false)
        elif fault.status in BANNED and venue is not None:
            answer = Answer(venue.too_many_requests, fault.status, {'Retry-After': str(fault.retry_after)})
        else:
            answer = page(fault.status)
        self._log.add(request, answer.status, self._state.now())
        return answer

    def _effect(self, request: Request, fault: Fault | None = None) -> Answer:
        """What a venue does about a request."""
        if fault is not None and fault.kind == 'half_batch':
            request = replace(request, refuse_every_second=True)
        stub = self.stubs.get((request.method, request.path))
        if stub is not None:
            self._log.add(request, stub.status, self._state.now())
            return Answer(json.loads(stub.text), stub.status)
        with self._state.held() as now:
            times = self._state.times(now)
            try:
                each_in_turn = (venue.answer(request, times) for venue in self._state.venues)
                answered = next((each for each in each_in_turn if each is not None), None)
            except Exception:
                self._log.add(request, 500, self._state.now())
                raise
        if answered is not None:
            answer, unknown = answered
            self._log.add(request, answer.status, self._state.now(), unknown)
            return answer
        self._log.add_unexpected(request, 404, self._state.now())
        return Answer({'msg': f'the simulator has no {request.method} {request.path}'}, 404)
