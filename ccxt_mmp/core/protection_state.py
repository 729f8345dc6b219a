"""What is known of one protection: a state machine without I/O and without a clock.

It is told of pushes, answers, this object's own resets and rules, and lost connections. It says what is known, whether
that changed (``version``), and when the exchange has to be asked (``asks_at``). Times are ms since the epoch and always
passed in.
"""

import math
from typing import Any

from ccxt_mmp.types import MmpState

RULE = ('enabled', 'window', 'frozenTime', 'qtyLimit', 'deltaLimit', 'vegaLimit', 'countLimit', 'maxQuoteQuantity')
SILENT = ('info', 'qtyLimitBase', 'timestamp', 'datetime')  # taken over, but no change by themselves

JITTER = 1000  # ms by which the same end of a freeze may differ from answer to answer: some count what is left of it
SKEW = 1000  # ms by which this clock and the exchange's may differ
AGAIN = 50  # ms until a freeze that should be over is asked about again
LATER = 1000  # ms, where the exchange does not say when it ends


class Trip:
    """What a push says of a trigger.

    info: as it came
    at: the exchange's time of it; None: not said
    placed: when the order that it cancelled was placed; None: not said, or the push is of no order
    until: when the freeze ends by itself, 0 = never; None: not said
    """

    def __init__(
        self, info: dict[str, Any], at: int | None = None, placed: int | None = None, until: int | None = None
    ) -> None:
        self.info = info
        self.at = at
        self.placed = placed
        self.until = until


class Question:
    """A read or a reset, when it was asked for: it tells what came before it and what after it."""

    def __init__(self, number: int, news: int, freezes_said: int) -> None:
        self.number = number
        self.news = news
        self.freezes_said = freezes_said


class Doubt:
    """A push of which only a read can tell whether it is of a freeze that lasts.

    is_new: it is of a trip that was not known
    """

    def __init__(self, at: int, is_new: bool) -> None:
        self.at = at
        self.is_new = is_new


class ProtectionState:
    """One protection, as far as it is known.

    What an answer leaves out (None) keeps what was known, and is no change.
    """

    def __init__(self, unknown: MmpState) -> None:
        self.version = 0  # how often what is known has changed
        self.is_read = False  # an answer has come
        self._state = unknown
        self._asks_at: int | None = None
        self._trip_at: int | None = None  # of the last trip, as pushes say
        self._seen: tuple[int, int] | None = (
            None  # asked and answered; of the answer that told of a freeze before a push
        )
        self._doubt: Doubt | None = None
        self._last_until: int | None = None  # until when the last freeze was to last, of which that was told
        self._slack = 0  # ms by which the freeze may end earlier: as long as the answer took that told of its end
        self._is_unsure = False  # something may have happened that nobody told
        self._reset: tuple[int, int] | None = None  # asked and answered; of the last reset, if it ended no known trip
        self._thawed_at: int | None = None  # when the last answer was asked for that said so
        self._news = 0  # after which older questions are of no use
        self.freezes_said = 0  # how often it was said that it is frozen
        self._questions = 0
        self._answered = 0

    @property
    def state(self) -> MmpState:
        return self._state.copy()

    @property
    def is_frozen(self) -> bool:
        return self._state['frozen'] is True

    @property
    def until(self) -> int | None:
        return self._state['frozenUntil']

    def lasts(self, now: int) -> float:
        """ms that a freeze can last at most, of which it was just told."""
        return max(min(math.inf if self.until is None else self.until - now, self._state['frozenTime'] or math.inf), 0)

    def hasten(self, milliseconds: int) -> None:
        """The clock was set back: the exchange is asked as much earlier by it."""
        if self._asks_at is not None:
            self._asks_at -= milliseconds

    def asks_at(self, now: int) -> int | None:
        """When the exchange has to be asked, apart from polls; None: a push or a poll will tell."""
        if self._doubt is not None or self._is_unsure:
            return now
        return self._asks_at

    # --- answers

    def ask(self) -> Question:
        """A read or a reset that is asked for now."""
        self._questions += 1
        return Question(self._questions, self._news, self.freezes_said)

    def read(self, question: Question, answer: MmpState, asked: int, now: int) -> bool:
        """An answer. False if it is thrown away: something happened since it was asked for, or a later one has come.

        asked: when it was asked for
        """
        if question.news != self._news or question.number < self._answered:
            return False
        self._answered = question.number
        changes = self._changed_rule(answer) | self._changed_freeze(answer, asked, now)
        if changes.get('frozenUntil') is not None:
            self._slack = now - asked
        if answer['frozen'] is False:
            self._thawed_at = asked
        self.freezes_said += answer['frozen'] is True
        self._doubt, self._is_unsure = None, False
        # what was not known before the first answer is no change
        told = [name for name in changes if self.is_read or self._state[name] is not None]  # type: ignore[literal-required]
        self.is_read = True
        self._take(answer, changes, is_change=bool(told))
        return True

    def _changed_rule(self, answer: MmpState) -> dict[str, Any]:
        said = {name: answer[name] for name in RULE if answer[name] is not None}  # type: ignore[literal-required]
        return {name: value for name, value in said.items() if value != self._state[name]}  # type: ignore[literal-required]

    def _changed_freeze(self, answer: MmpState, asked: int, now: int) -> dict[str, Any]:
        frozen, until, trigger = answer['frozen'], answer['frozenUntil'], answer['lastTriggerTimestamp']
        changes: dict[str, Any] = {}
        doubt = self._doubt
        if doubt is not None and doubt.is_new and frozen is not None:
            trigger = max(trigger or 0, doubt.at)
        is_later = trigger is not None and trigger > (self._state['lastTriggerTimestamp'] or 0)
        if is_later:
            changes['lastTriggerTimestamp'] = self._trip_at = trigger
        if frozen is None and (is_later or answer['enabled'] is False):  # a trip it cannot tell the end of, or no rule
            return changes | self._changes_to(None, None)
        if frozen is None:
            self._ask_later(now)
        elif not frozen:
            changes |= self._changes_to(False, None)
        elif not self.is_frozen or is_later:
            self._seen = None if is_later else (asked, now)
            changes |= self._changes_to(True, until)
            self._ask_at_end(until, answer['frozenTime'], now)
        elif until is None:
            self._ask_later(now)
        elif self.until is None or not self._is_same_end(until, now - asked):
            changes |= self._changes_to(True, until)
            self._ask_at_end(until, answer['frozenTime'], now)
        elif self._asks_at is not None and self._asks_at <= now:
            self._asks_at = min(max(until, now + AGAIN), now + LATER)
        return changes

    def _is_same_end(self, until: int, slack: int) -> bool:
        """Whether an end that an answer tells may be the one that is known. slack: ms that the answer took"""
        known = self.until or 0
        return until - slack - JITTER < known and known - self._slack - JITTER < until

    def _changes_to(self, frozen: bool | None, until: int | None) -> dict[str, Any]:
        self._asks_at = until
        to = {'frozen': frozen, 'frozenUntil': until}
        return {name: value for name, value in to.items() if value != self._state[name]}  # type: ignore[literal-required]

    def _ask_at_end(self, until: int | None, frozen_time: int | None, now: int) -> None:
        """Ask when a freeze is over: by a clock that is late, too, it lasts no longer than its time from now on."""
        self._asks_at = min(until, now + frozen_time) if until is not None and frozen_time else until

    def _ask_later(self, now: int) -> None:
        if self._asks_at is not None and self._asks_at <= now:
            self._asks_at = now + LATER

    # --- pushes

    def pushed(self, trip: Trip, now: int) -> None:
        """A trigger, or one more of the rows that tell of it."""
        at = now if trip.at is None else trip.at
        known = self._trip_at
        if known is not None and (at <= known or (trip.placed is not None and trip.placed < known)):
            return
        if trip.until and trip.until == self._last_until and not self.is_frozen:
            return  # of a freeze that is over: it comes late, or twice
        is_new = self._is_new(trip, at)
        if is_new is False:
            if self.is_frozen:  # it may be of another trip, after a reset that is not known yet
                self._news += 1
                self.freezes_said += 1
            if self._seen is not None and at >= (self._thawed_at or 0) + SKEW:  # this tells when the freeze began
                self._trip_at, self._seen = at, None
                self._state = {**self._state, 'lastTriggerTimestamp': trip.at or self._state['lastTriggerTimestamp']}
            return
        self._news += 1
        if is_new is None or self._may_be_over(at):
            self._doubt = Doubt(at, is_new is not None)
            return
        frozen_time = self._state['frozenTime']
        until = (at + frozen_time if frozen_time else None) if trip.until is None else trip.until or None
        self._doubt = self._reset = self._seen = None
        self._trip_at, self._slack = at, 0
        self.freezes_said += 1
        changes = {'frozen': True, 'frozenUntil': until, 'info': trip.info, 'timestamp': None, 'datetime': None}
        if trip.at is not None:
            changes['lastTriggerTimestamp'] = at
        # without a rule that is known, only a read tells when it ends
        is_known = trip.until is not None or frozen_time is not None
        self._ask_at_end(until if is_known else now, frozen_time, now)
        self._change(changes)

    def _is_new(self, trip: Trip, at: int) -> bool | None:
        """Whether a push is of a trip that is not known yet; None: that is not certain.

        A trip cancels every order, so that an order which was placed after it is of another one.
        """
        if trip.until is not None and self.is_frozen:
            return abs(trip.until - (self.until or 0)) >= JITTER
        if self._seen is not None:
            if self.is_frozen or _is_after(self._seen[0], trip, at, SKEW) is False:
                return False
            return _is_after(self._seen[1], trip, at, SKEW) or None
        known = self._trip_at
        if known is None:
            return True
        if trip.placed is None:
            return False if self.is_frozen else _is_after(known, trip, at, SKEW)
        is_after = _is_after(known, trip, at, 0)
        return is_after or (False if self.is_frozen else None)

    def _may_be_over(self, at: int) -> bool:
        """Whether a reset or a thaw that is known of may have come after a trip."""
        is_before_reset = self._reset is not None and at <= self._reset[1] + SKEW
        is_before_thaw = self._thawed_at is not None and at < self._thawed_at - SKEW
        return is_before_reset or is_before_thaw

    # --- what this object does, and what it misses

    def own_reset(self, question: Question, info: dict[str, Any], asked: int, answered: int) -> None:
        """A reset of this object that succeeded. What it ended is not certain if a freeze was told of meanwhile."""
        self._news += 1
        if self._doubt is not None or self.freezes_said != question.freezes_said:
            self._reset, self._is_unsure = (asked, answered), True
            return
        ended_known_trip = self.is_frozen and self._trip_at is not None and self._seen is None
        self._reset = None if ended_known_trip else (asked, answered)
        changes = self._changes_to(False, None)
        self._state = {**self._state, 'info': info}
        if changes:
            self._change(changes)

    def own_rule(self, answer: MmpState) -> None:
        """The answer to a rule that this object has set; what it did to a freeze only a read can tell."""
        self._news += 1
        self._is_unsure = True
        changes = self._changed_rule(answer)
        self._take(answer, changes, is_change=bool(changes))

    def lost(self) -> None:
        """Pushes were missed until now, when they come again."""
        self._news += 1
        self._is_unsure = True

    # --- what is known

    def _take(self, answer: MmpState, changes: dict[str, Any], *, is_change: bool) -> None:
        silent = {name: answer[name] for name in SILENT if answer[name] is not None}  # type: ignore[literal-required]
        self._change({**silent, **changes}, is_change=is_change)

    def _change(self, changes: dict[str, Any], *, is_change: bool = True) -> None:
        self._state = {**self._state, **changes}  # type: ignore[typeddict-item]
        self._last_until = self._state['frozenUntil'] or self._last_until
        self.version += is_change


def _is_after(known: int, trip: Trip, at: int, margin: int) -> bool | None:
    """Whether the order of a trip was placed, or the trip came, after a time; None: too near to tell."""
    moment = at if trip.placed is None else trip.placed
    return None if abs(moment - known) <= margin else moment > known
