"""How things are timed: contestants take turns, so that noise hits all of them alike."""

import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice, permutations

WARM_UP = 20  # rounds that are not counted: connections, caches


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent of them do not exceed."""
    return sorted(values)[round((len(values) - 1) * percent / 100)]


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def take_turns(
    contestants: Mapping[str, Callable[[], object]],
    rounds: int,
    between: Callable[[], object] | None = None,
    every: int = 1,
) -> dict[str, list[float]]:
    """The seconds that each call of each contestant took; ``between`` every so many of them."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for count, name in enumerate(_turns(list(contestants), rounds)):
        if between is not None and count % every == 0:
            between()
        started = time.perf_counter()
        contestants[name]()
        times[name].append(time.perf_counter() - started)
    return {name: taken[WARM_UP:] for name, taken in times.items()}


async def take_turns_async(
    contestants: Mapping[str, Callable[[], Awaitable[object]]],
    rounds: int,
    between: Callable[[], object] | None = None,
    every: int = 1,
) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for count, name in enumerate(_turns(list(contestants), rounds)):
        if between is not None and count % every == 0:
            between()
        started = time.perf_counter()
        await contestants[name]()
        times[name].append(time.perf_counter() - started)
    return {name: taken[WARM_UP:] for name, taken in times.items()}


def _turns(names: list[str], rounds: int) -> Iterator[str]:
    """Each round in another order, so that none always comes after the same one, with what that left in the caches."""
    orders = cycle(permutations(names))
    for order in islice(orders, rounds + WARM_UP):
        yield from order
