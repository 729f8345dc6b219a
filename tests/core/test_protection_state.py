"""The state of one protection, without I/O: what is a change, what is thrown away, and when the exchange is asked."""

import math

import pytest

from ccxt_mmp.core.protection_state import AGAIN, LATER, ProtectionState, Trip
from ccxt_mmp.types import MmpState

START = 1_700_000_000_000  # ms
UNKNOWN = {**dict.fromkeys(MmpState.__annotations__), 'info': {}, 'underlying': 'BTC/USD:BTC', 'scope': 'orders'}
RULE = {'enabled': True, 'window': 5000, 'frozenTime': 2000, 'qtyLimit': 100.0}


def answer(**said):
    return {**UNKNOWN, **RULE, 'frozen': False, **said}


def row(at, placed=START - 10_000, **further):
    return Trip({'uTime': str(at)}, at=at, placed=placed, **further)


class Known(ProtectionState):
    """One whose reads are answered at once."""

    def __init__(self, **said):
        super().__init__(UNKNOWN)
        if said.pop('read', True):
            self.ask_and_read(START - 5000, **said)

    def ask_and_read(self, now, **said):
        return self.read(self.ask(), answer(**said), now, now)

    def reset(self, info, asked, answered):
        self.own_reset(self.ask(), info, asked, answered)

    def said(self, *names):
        return tuple(self.state[name] for name in names)


FREEZE = ('frozen', 'frozenUntil', 'lastTriggerTimestamp')


# --- trips


def test_first_answer_is_what_is_known_and_no_change():
    known = Known()
    assert (known.version, known.is_read, known.said('window', 'frozen')) == (0, True, (5000, False))
    assert known.asks_at(START) is None


def test_trip_is_known_by_its_push_alone():
    known = Known()
    known.pushed(row(START), START + 5)
    assert known.said(*FREEZE) == (True, START + 2000, START)
    assert (known.version, known.state['info']) == (1, {'uTime': str(START)})
    assert known.asks_at(START + 5) == START + 2000


@pytest.mark.parametrize(('frozen_time', 'asks_at'), [(0, None), (None, START)])
def test_end_of_a_freeze_is_not_made_up(frozen_time, asks_at):
    """Of a rule that is not known a read tells."""
    known = Known(frozenTime=frozen_time)
    known.pushed(row(START), START)
    assert known.said('frozen', 'frozenUntil') == (True, None)
    assert known.asks_at(START) == asks_at


@pytest.mark.parametrize(('until', 'expected'), [(START + 700, START + 700), (0, None)])
def test_push_may_say_when_the_freeze_ends(until, expected):
    known = Known()
    known.pushed(Trip({}, until=until), START)
    assert known.said(*FREEZE) == (True, expected, None)


def test_further_rows_are_of_the_same_trip():
    known = Known()
    for at in (START, START, START + 3, START - 1):
        known.pushed(row(at), START + 3)
    assert known.version == 1
    assert known.state['lastTriggerTimestamp'] == START


def test_row_that_comes_again_later_is_of_the_same_trip():
    known = Known()
    known.pushed(row(START), START)
    known.ask_and_read(START + 2001)
    known.pushed(row(START + 5), START + 3000)
    assert (known.version, known.is_frozen) == (2, False)


@pytest.mark.parametrize('further', [row(START, placed=None), row(START + 5, placed=START - 1)])
@pytest.mark.parametrize('is_over', [False, True])
def test_row_of_a_known_trip_is_no_news(further, is_over):
    """Not even a doubt: an answer on its way counts, and none is wanted."""
    known = Known()
    known.pushed(row(START), START)
    if is_over:
        known.ask_and_read(START + 2001)
    asks_at, question = known.asks_at(START + 2002), known.ask()
    known.pushed(further, START + 2002)
    assert known.asks_at(START + 2002) == asks_at
    assert known.read(question, answer(), START + 2001, START + 2003) is True
    assert (known.version, known.is_frozen) == (2, False)


@pytest.mark.parametrize('thaws_first', [True, False])
def test_order_that_was_placed_after_a_trip_is_of_another_one(thaws_first):
    """Also where the reset in between was another program's, and nobody knows of it yet."""
    known = Known()
    known.pushed(row(START), START)
    if thaws_first:
        known.reset({}, START + 10, START + 20)
    known.pushed(row(START + 50, placed=START + 30), START + 50)
    assert known.version == 2 + thaws_first
    assert known.said(*FREEZE) == (True, START + 2050, START + 50)


def test_row_without_the_time_of_its_order_is_of_another_trip_by_its_own_time():
    known = Known()
    known.pushed(row(START, placed=None), START)
    known.pushed(row(START + 100, placed=None), START + 100)
    known.ask_and_read(START + 2001)
    assert known.version == 2
    known.pushed(row(START + 500, placed=None), START + 2500)  # too near to tell
    assert (known.version, known.asks_at(START + 2500)) == (2, START + 2500)
    known.ask_and_read(START + 2501)
    known.pushed(row(START + 9000, placed=None), START + 9000)
    assert (known.version, known.is_frozen) == (3, True)


def test_order_of_the_same_millisecond_is_in_doubt():
    known = Known()
    known.pushed(row(START), START)
    known.pushed(row(START + 1, placed=START), START + 1)
    assert known.version == 1
    known.reset({}, START + 2, START + 3)
    known.pushed(row(START + 4, placed=START), START + 4)
    assert (known.version, known.asks_at(START + 4)) == (2, START + 4)
    known.ask_and_read(START + 5, frozen=True, frozenUntil=START + 2004)
    assert (known.version, known.is_frozen) == (3, True)


def test_row_says_when_a_freeze_began_that_a_read_told_of():
    known = Known(frozen=True, frozenUntil=START + 500)
    known.pushed(row(START), START + 5)
    assert (known.version, known.state['lastTriggerTimestamp']) == (0, START)


def test_row_of_a_freeze_that_a_read_told_of_comes_after_its_end():
    known = Known()
    known.ask_and_read(START, frozen=True, frozenUntil=START + 2000)
    known.ask_and_read(START + 2001)
    known.pushed(row(START - 1), START + 2002)
    assert (known.version, known.is_frozen, known.asks_at(START + 2002)) == (2, False, None)
    known.pushed(row(START + 6000, placed=START + 5000), START + 6000)
    assert (known.version, known.is_frozen) == (3, True)


def test_row_of_a_freeze_that_a_slow_answer_told_of_is_no_other_trip():
    known = Known()
    known.read(known.ask(), answer(frozen=True, frozenUntil=START + 3600), START, START + 1700)
    known.ask_and_read(START + 3700)
    known.pushed(row(START + 1600, placed=START + 1599), START + 3701)
    known.ask_and_read(START + 3702)
    assert (known.version, known.is_frozen) == (2, False)


def test_push_of_another_end_is_another_trip():
    known = Known()
    known.pushed(Trip({}, until=START + 2000), START)
    known.pushed(Trip({}, until=START + 2001), START + 1)
    assert known.version == 1
    known.pushed(Trip({}, until=START + 5000), START + 3000)
    assert (known.version, known.until) == (2, START + 5000)


@pytest.mark.parametrize('is_pushed_first', [True, False])
def test_push_of_a_freeze_that_is_over_is_no_other_trip(is_pushed_first):
    known = Known()
    trip = Trip({}, until=START + 60_000)
    if is_pushed_first:
        known.pushed(trip, START)
    else:
        known.read(known.ask(), answer(frozen=True, frozenUntil=trip.until), START, START + 1)
    known.own_reset(known.ask(), {}, START + 5, START + 6)
    version = known.version
    known.pushed(trip, START + 5000)
    assert (known.version, known.is_frozen) == (version, False)
    assert known.asks_at(START + 5000) is None
    known.pushed(Trip({}, until=START + 65_000), START + 5001)
    assert (known.version, known.until) == (version + 1, START + 65_000)


def test_late_row_of_a_trip_that_was_over_before_the_last_answer_is_in_doubt():
    known = Known()
    known.ask_and_read(START + 5000)
    known.pushed(row(START), START + 5001)
    assert (known.version, known.asks_at(START + 5001)) == (0, START + 5001)
    known.ask_and_read(START + 5002)
    assert known.said(*FREEZE) == (False, None, START)
    assert (known.version, known.asks_at(START + 5002)) == (1, None)


# --- answers


def test_answer_that_was_asked_for_before_a_push_is_thrown_away():
    """It says that nothing is frozen: a thaw that never was."""
    known = Known()
    question = known.ask()
    known.pushed(row(START), START)
    assert known.read(question, answer(), START - 1, START + 5) is False
    assert (known.version, known.is_frozen) == (1, True)


def test_answer_that_was_overtaken_by_a_later_one_is_thrown_away():
    known = Known()
    earlier, later = known.ask(), known.ask()
    assert known.read(later, answer(frozen=True, frozenUntil=START + 1000), START, START) is True
    assert known.read(earlier, answer(), START - 1, START + 1) is False
    assert known.is_frozen


def test_none_keeps_what_was_known():
    known = Known(deltaLimit=3.0)
    known.pushed(row(START), START)
    said = known.state
    known.ask_and_read(START + 10, enabled=None, window=None, frozenTime=None, qtyLimit=None, frozen=None)
    assert known.version == 1
    assert {**said, 'info': {}} == known.state


@pytest.mark.parametrize('name', ['enabled', 'window', 'frozenTime', 'qtyLimit', 'deltaLimit', 'vegaLimit'])
def test_other_rule_is_a_change(name):
    known = Known()
    known.ask_and_read(START, **{name: 7})
    assert (known.version, known.state[name]) == (1, 7)
    known.ask_and_read(START, **{name: 7})
    assert known.version == 1


def test_rule_that_is_gone_ends_what_was_known_of_its_freeze():
    known = Known(frozen=True, frozenUntil=START)
    known.read(known.ask(), {**UNKNOWN, 'enabled': False}, START, START)
    assert known.said('enabled', 'frozen', 'frozenUntil') == (False, None, None)
    assert (known.version, known.asks_at(START)) == (1, None)


@pytest.mark.parametrize(('took', 'more', 'is_change'), [(3000, 3999, False), (3000, 4000, True), (0, 3999, True)])
@pytest.mark.parametrize('is_first', [True, False])
def test_remaining_time_of_a_slow_answer_is_no_change(took, more, is_change, is_first):
    """It is counted from when the answer came, and may be as old as the question."""
    known, until = Known(), START + 60_000
    slow = answer(frozen=True, frozenUntil=until + more)
    quick = answer(frozen=True, frozenUntil=until)
    for said in (slow, quick) if is_first else (quick, slow):
        known.read(known.ask(), said, START - (took if said is slow else 0), START)
    assert known.version == 1 + is_change


def test_remaining_time_that_wobbles_is_no_change():
    rule = {'frozenTime': 3000}
    known = Known(**rule)
    known.ask_and_read(START, frozen=True, frozenUntil=START + 2000, **rule)
    known.ask_and_read(START + 500, frozen=True, frozenUntil=START + 2999, **rule)
    assert (known.version, known.until) == (1, START + 2000)
    known.ask_and_read(START + 600, frozen=True, frozenUntil=START + 3000, **rule)
    assert (known.version, known.until, known.asks_at(START + 600)) == (2, START + 3000, START + 3000)


def test_later_trigger_is_a_change_though_it_is_over():
    known = Known(lastTriggerTimestamp=START - 9000)
    known.ask_and_read(START, lastTriggerTimestamp=START - 3000)
    assert known.said(*FREEZE) == (False, None, START - 3000)
    known.ask_and_read(START + 1, lastTriggerTimestamp=START - 9000)  # such as one that a reset has cleared
    assert (known.version, known.state['lastTriggerTimestamp']) == (1, START - 3000)


def test_later_trigger_in_a_freeze_is_another_one():
    known = Known(frozen=True, frozenUntil=START + 100, lastTriggerTimestamp=START - 1900)
    known.ask_and_read(START, frozen=True, frozenUntil=START + 1990, lastTriggerTimestamp=START - 10)
    assert (known.version, known.said(*FREEZE)) == (1, (True, START + 1990, START - 10))


# --- thaws and resets


def test_thaw_is_a_read_at_the_end_of_the_freeze():
    known = Known()
    known.pushed(row(START), START)
    assert known.asks_at(START + 2000) == START + 2000
    known.ask_and_read(START + 2000, frozen=True, frozenUntil=START + 2001)
    assert (known.version, known.asks_at(START + 2000)) == (1, START + 2000 + AGAIN)
    known.ask_and_read(START + 2050)
    assert (known.version, known.said('frozen', 'frozenUntil')) == (2, (False, None))
    assert known.asks_at(START + 2050) is None


LATE = 3_600_000  # ms by which the clock is behind the exchange's


@pytest.mark.parametrize('is_pushed', [True, False])
def test_freeze_is_asked_about_when_its_time_is_over_by_a_clock_that_is_late(is_pushed):
    known = Known()
    if is_pushed:
        known.pushed(row(START + LATE), START)
    else:
        known.ask_and_read(START, frozen=True, frozenUntil=START + LATE + 2000)
    assert known.until == START + LATE + 2000
    assert (known.asks_at(START), known.lasts(START)) == (START + 2000, 2000)
    known.ask_and_read(START + 2000, frozen=True, frozenUntil=START + LATE + 2000)
    assert known.asks_at(START + 2000) == START + 2000 + LATER
    known.ask_and_read(START + 2500, frozen=True, frozenUntil=START + LATE + 4500)  # another one
    assert known.asks_at(START + 2500) == START + 4500


def test_freeze_is_asked_about_earlier_once_the_clock_was_set_back():
    known = Known()
    known.hasten(LATE)
    assert known.asks_at(START) is None
    known.pushed(row(START), START)
    known.hasten(LATE)
    assert (known.until, known.asks_at(START - LATE)) == (START + 2000, START + 2000 - LATE)


@pytest.mark.parametrize(
    ('frozen_time', 'until', 'lasts'),
    [
        (2000, START + 500, 500),
        (2000, START + 9000, 2000),
        (2000, START - 1, 0),
        (0, START + 9000, 9000),
        (None, None, math.inf),
    ],
)
def test_freeze_lasts_no_longer_than_its_time_and_until_its_end(frozen_time, until, lasts):
    known = Known(read=False)
    known.ask_and_read(START, frozen=True, frozenTime=frozen_time, frozenUntil=until)
    assert known.lasts(START) == lasts


@pytest.mark.parametrize('frozen', [True, None])
def test_freeze_that_should_be_over_and_does_not_say_until_when_is_asked_about_later(frozen):
    known = Known()
    known.pushed(row(START), START)
    known.ask_and_read(START + 1000, frozen=frozen)
    assert known.asks_at(START + 1000) == START + 2000
    known.ask_and_read(START + 2000, frozen=frozen)
    assert (known.version, known.asks_at(START + 2000)) == (1, START + 2000 + LATER)


def test_end_that_becomes_known_is_a_change():
    known = Known(frozenTime=0)
    known.pushed(row(START), START)
    known.ask_and_read(START, frozenTime=0, frozen=True, frozenUntil=START + 500)
    assert (known.version, known.asks_at(START)) == (2, START + 500)


def test_own_reset_is_known_at_once():
    known = Known(frozenTime=0)
    known.pushed(row(START), START)
    known.reset({'result': True}, START + 10, START + 20)
    assert known.said(*FREEZE, 'info') == (False, None, START, {'result': True})
    assert (known.version, known.asks_at(START + 20)) == (2, None)


def test_own_reset_of_nothing_is_no_change():
    known = Known()
    known.reset({}, START, START)
    assert known.version == 0


def test_answer_that_crossed_an_own_reset_is_thrown_away():
    """It says that it is frozen: a trip that never was."""
    known = Known()
    known.pushed(row(START), START)
    question = known.ask()
    known.reset({}, START + 10, START + 20)
    assert known.read(question, answer(frozen=True, frozenUntil=START + 2000), START + 5, START + 21) is False
    assert not known.is_frozen


@pytest.mark.parametrize('frozen', [True, False])
def test_trip_that_crossed_an_own_reset_is_asked_about(frozen):
    known = Known()
    known.reset({}, START, START + 10)
    known.pushed(row(START + 5), START + 11)
    assert (known.version, known.asks_at(START + 11)) == (0, START + 11)
    known.ask_and_read(START + 12, frozen=frozen, frozenUntil=START + 2005 if frozen else None)
    assert (known.version, known.said('frozen', 'lastTriggerTimestamp')) == (1, (frozen, START + 5))


def test_trip_in_doubt_is_told_after_a_reset_too():
    known = Known()
    known.reset({}, START, START + 10)
    known.pushed(row(START + 5), START + 11)
    known.reset({}, START + 12, START + 13)
    assert (known.version, known.asks_at(START + 13)) == (0, START + 13)
    known.ask_and_read(START + 14)
    assert (known.version, known.said('frozen', 'lastTriggerTimestamp')) == (1, (False, START + 5))


def test_reset_that_a_trip_came_during_may_not_have_ended_it():
    known = Known()
    question = known.ask()
    known.pushed(row(START), START)
    known.own_reset(question, {}, START - 5, START + 5)
    assert (known.version, known.is_frozen, known.asks_at(START + 5)) == (1, True, START + 5)
    known.ask_and_read(START + 6, frozen=True, frozenUntil=START + 2000)
    assert (known.version, known.is_frozen) == (1, True)


@pytest.mark.parametrize('frozen_time', [0, 2000, 10_000])
def test_reset_that_a_row_came_during_may_not_have_ended_its_freeze(frozen_time):
    """The freeze that a read told of was over, and the row is of the next trip."""
    known = Known(frozenTime=frozen_time)
    known.ask_and_read(START, frozen=True, frozenUntil=START + frozen_time if frozen_time else None)
    question = known.ask()
    known.pushed(row(START + 4, placed=START + 3), START + 4)
    known.own_reset(question, {}, START, START + 5)
    assert (known.version, known.is_frozen, known.asks_at(START + 5)) == (1, True, START + 5)
    known.ask_and_read(START + 6)
    assert (known.version, known.is_frozen, known.asks_at(START + 6)) == (2, False, None)


def test_answer_that_a_row_of_a_known_freeze_crossed_is_thrown_away():
    """It says that the freeze is over, and the row may be of the next one: a trip that is missed."""
    known = Known()
    known.ask_and_read(START, frozen=True, frozenUntil=START + 2000)
    question = known.ask()
    known.pushed(row(START + 4, placed=START + 3), START + 4)
    assert known.read(question, answer(), START + 2, START + 5) is False
    assert (known.version, known.is_frozen, known.asks_at(START + 2000)) == (1, True, START + 2000)


def test_trip_soon_after_a_freeze_that_a_read_told_of_is_in_doubt():
    """Its row may be a late one of that freeze, and no answer tells of a trip that is over by then."""
    known = Known()
    known.ask_and_read(START, frozen=True, frozenUntil=START + 2000)
    known.ask_and_read(START + 2)
    known.pushed(row(START + 4, placed=START + 3), START + 4)
    assert (known.version, known.asks_at(START + 4)) == (2, START + 4)
    known.ask_and_read(START + 6)
    assert (known.version, known.is_frozen, known.asks_at(START + 6)) == (2, False, None)


def test_trip_long_after_a_reset_is_in_no_doubt():
    known = Known()
    known.reset({}, START, START + 10)
    known.pushed(row(START + 1011, placed=START + 500), START + 1020)
    assert (known.version, known.is_frozen) == (1, True)


def test_own_rule_is_known_at_once_and_a_read_tells_what_it_did_to_a_freeze():
    known = Known(frozen=True, frozenUntil=START + 1000)
    question = known.ask()
    known.own_rule({**UNKNOWN, **RULE, 'qtyLimit': 50.0})
    assert (known.version, known.said('qtyLimit', 'frozen')) == (1, (50.0, True))
    assert known.asks_at(START) == START
    assert known.read(question, answer(), START, START) is False  # it may be older than the rule
    known.ask_and_read(START, qtyLimit=50.0)
    assert (known.version, known.is_frozen, known.asks_at(START)) == (2, False, None)


def test_lost_connection_wants_an_answer_that_was_asked_for_after_it():
    known = Known()
    question = known.ask()
    known.lost()
    assert known.read(question, answer(), START, START) is False
    assert known.asks_at(START) == START
    known.ask_and_read(START, frozen=True, frozenUntil=START + 900)
    assert (known.version, known.asks_at(START)) == (1, START + 900)


def test_nothing_that_was_unknown_is_a_change_in_the_first_answer():
    known = Known(read=False)
    known.pushed(row(START), START)
    assert (known.version, known.said('frozen', 'frozenUntil')) == (1, (True, None))
    known.ask_and_read(START + 1, frozen=True, frozenUntil=START + 2000)
    assert (known.version, known.said('window', 'frozenUntil')) == (1, (5000, START + 2000))


def test_state_that_was_given_does_not_change():
    known = Known()
    given = known.state
    known.pushed(row(START), START)
    given['window'] = 1
    assert (given['frozen'], known.state['window']) == (False, 5000)
