"""What became of a cancel: the first line says it all, a line for each target says more."""

from collections.abc import Sequence

from ccxt.base.errors import ArgumentsRequired, AuthenticationError, BadRequest, BadSymbol, NotSupported

from ccxt_mmp.cli.report import Result, counted, each_part, moment, resting_orders
from ccxt_mmp.errors import MassCancelIncomplete
from ccxt_mmp.registry import EXCHANGES

NOTHING_WAS_DONE = (ArgumentsRequired, AuthenticationError, BadRequest, BadSymbol, NotSupported, OSError, ImportError)
SHOWN_ORDERS = 5

# where a cancel of all of an exchange finds orders
WHERE_A_RULE_IS = 'where a rule is set'
WHERE_MMP_ORDERS_WERE = 'where MMP orders were'
WHERE_TAGGED_ORDERS_WERE = 'where tagged MMP orders were'


def count_cancelled(result: Result) -> None:
    """How many orders there were and are, where the cancel itself lists them."""
    if result.cancelled is not None and result.cancelled['orders'] is not None:
        result.orders_before, result.orders = len(result.cancelled['orders']), 0


def verdict(results: Sequence[Result]) -> tuple[str, str]:
    """The first line of a cancel, and its style."""
    parts = each_part(results)
    undone = [each for each in parts if is_undone(each)]
    uncertain = [each for each in parts if each not in undone and not is_certain(each)]
    said = []
    if uncertain:
        said.append(f'NOT CERTAIN, run it again: {_names(uncertain)}')
    if undone:
        said.append(f'NOT CANCELLED: {_names(undone)}')
    certain = [each for each in parts if each not in undone and each not in uncertain]
    if certain or not said:
        done = _cancelled(certain, is_whole=True)
        said.append(f'{"cancelled" if said else "CANCELLED"} {done}{": none was there" if done[:2] == "0 " else ""}')
    untagged = [each for each in parts if each.untagged]
    if untagged:
        said.append(
            f'{resting_orders(sum(each.untagged or 0 for each in untagged))} without the tag: {_names(untagged)}'
        )
    return '; '.join(said), 'bold red' if uncertain or undone else 'bold yellow' if untagged else 'bold green'


def is_undone(result: Result) -> bool:
    """Whether nothing was cancelled, and it helps nothing to run it again as it is."""
    return result.cancelled is None and result.parts is None and isinstance(result.error, NOTHING_WAS_DONE)


def is_certain(result: Result) -> bool:
    """Whether it was cancelled and nothing rests, as far as the exchange lists orders."""
    return result.parts == [] or (result.cancelled is not None and not result.orders)


def _names(results: Sequence[Result]) -> str:
    return ', '.join(result.target.text for result in results)


def _cancelled(results: Sequence[Result], *, is_whole: bool = False) -> str:
    """What was cancelled; as a whole it says where alone orders were found."""
    tags = ['the tagged ones' if each.is_of_tagged else '' for each in results]
    wheres = [each.where if is_whole else '' for each in results]
    noun = 'MMP order'
    if results and all(result.is_of_all_orders for result in results):
        noun = 'order'
    elif results and all(tags):
        noun = 'tagged MMP order'
    where = f' {wheres[0]}' if len({*wheres}) == 1 and wheres[0] else ''
    asides = '; '.join([*_asides(results, wheres), *_asides(results, tags)])
    number = sum(result.orders_before or 0 for result in results)
    if all(result.cancelled is None or result.cancelled['orders'] is not None for result in results):
        done = f'{counted(number, noun)}{where}'
    else:  # the exchange does not say how many; those that a list had while they were cancelled are the least
        done = f'all {noun}s{where}' + (f', {number} or more' if number else '')
    return f'{done} ({asides})' if asides else done


def _asides(results: Sequence[Result], limits: Sequence[str]) -> list[str]:
    """The limits that are not those of all results, each with the names of its exchanges."""
    names: dict[str, dict[str, None]] = {}
    for result, limit in zip(results, limits, strict=True):
        names.setdefault(limit, {})[EXCHANGES[result.target.exchange_id].name] = None
    return [f'{", ".join(names[limit])}: {limit}' for limit in names if limit and len(names) > 1]


def details(result: Result) -> str:
    """The line of one target."""
    name = result.target.text
    if result.parts == []:
        if result.where == WHERE_A_RULE_IS:
            return f'{name}: no rule is set there, so nothing was cancelled: name underlyings'
        found = 'tagged MMP order' if EXCHANGES[result.target.exchange_id].mmp_tag else 'MMP order'
        return f'{name}: no {found} was there to cancel'
    if is_undone(result):
        return f'{name}: NOT CANCELLED: {result.message}'
    if result.cancelled is None:
        return f'{name}: NOT CERTAIN: {_left(result)}'
    done = f'{name}: cancelled {_cancelled([result])}'
    if result.cancelled['lockedUntil']:
        done += f', locked until {moment(result.cancelled["lockedUntil"])}'
    if result.orders:
        done += f'; {resting_orders(result.orders, "MMP order")} NOW: {_some([*result.contracts], result)}'
    if result.untagged:
        tag = EXCHANGES[result.target.exchange_id].mmp_tag
        done += f'; {resting_orders(result.untagged)} without the tag {tag}, maybe of MMP: see --include-non-mmp'
    return done


def _left(result: Result) -> str:
    error = result.error
    if not isinstance(error, MassCancelIncomplete):
        return result.message
    said = []
    if error.remaining:
        said.append(f'{counted(len(error.remaining), "order")} left: {_some(error.remaining, result)}')
    if error.unknown:
        said.append(f'{counted(len(error.unknown), "order")} not known: {_some(error.unknown, result)}')
    return '; '.join(said) or result.message


def _some(ids: Sequence[str], result: Result) -> str:
    """Some orders, with their contracts where these are known."""
    named = [f'{result.contracts[each]} {each}' if each in result.contracts else each for each in ids[:SHOWN_ORDERS]]
    return ', '.join([*named, *([f'and {len(ids) - SHOWN_ORDERS} more'] if len(ids) > SHOWN_ORDERS else ())])
