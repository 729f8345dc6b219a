"""``ccxt-mmp check``: whether all is right to begin, and what to do where it is not. It changes nothing."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from typing import Any

from ccxt.base.errors import AuthenticationError, BadSymbol, ExchangeError, InvalidNonce, NetworkError, PermissionDenied

from ccxt_mmp.cli.accounts import ACCOUNT, ASKED, KEY, MODE, NO_WORD, PRIVILEGE, TAKEN, TRADING, Ask, Finding
from ccxt_mmp.cli.commands import Command
from ccxt_mmp.cli.layout import FROZEN, STATE
from ccxt_mmp.cli.output import say
from ccxt_mmp.cli.report import EVERYTHING, Result, counted, document, printable, state_of
from ccxt_mmp.cli.screens import Shown, screen
from ccxt_mmp.cli.targets import Target
from ccxt_mmp.errors import MmpNotEnabled
from ccxt_mmp.registry import EXCHANGES
from ccxt_mmp.types import MmpState

COLUMNS = ('exchange', 'check', STATE, 'found')
WORDS = {True: 'ok', False: 'NO', None: 'not known'}
MAX_SKEW = 1000  # ms: freezes of a second are timed by this clock
CLOCK_READS = 3  # the first has to connect
CLOCK, OPTIONS = 'clock', 'options'
REACHED = 'the exchange'
OF_ACCOUNT = (REACHED, CLOCK, KEY, TRADING, ACCOUNT, MODE, PRIVILEGE)  # in the order of the table
OPTIONS_SETTING = "options={'fetchMarkets': ['option']}"  # as every version of ccxt takes it
SLOW_CLOCK = "set the clock of this machine (NTP), or options['adjustForTimeDifference'] = True in the bot"
NO_RESET = 'it has no reset: the freeze ends with its frozen time'
QUANTITIES = ('qtyLimit', 'countLimit')
LIMIT_OPTIONS = {
    'qtyLimit': '--qty-limit N',
    'deltaLimit': '--delta-limit N',
    'countLimit': '--count-limit N',
    'maxQuoteQuantity': '--max-quote-quantity N',
}


class Check(Command):
    """Checks each account once, and each target."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        super().__init__(arguments)
        self.found: dict[Result, list[Finding]] = {result: [] for result in self.results}
        self.notes: list[str] = []

    @property
    def exit_status(self) -> int:
        is_wrong = any(finding.is_right is False for findings in self.found.values() for finding in findings)
        return int(is_wrong or any(result.error is not None for result in self.results))

    async def work(self) -> None:
        places: dict[str, list[Result]] = {}
        for result in self.results:
            if result.error is None:
                places.setdefault(result.target.place, []).append(result)
        await asyncio.gather(*(self._check(results) for results in places.values()))

    async def _check(self, results: list[Result]) -> None:
        """The targets of one account."""
        first, findings = results[0], self.found[results[0]]
        try:
            exchange = self.exchanges.of(first.target)
        except AuthenticationError as error:
            findings.append(Finding(KEY, False, 'it is missing', self.exchanges.in_one_line(error)))
            return
        except Exception as error:  # noqa: BLE001 - such as an exchange that there is not
            self.fail(first, error)
            return
        of_account = await self._look_at_clock(exchange)
        if of_account[0].what != REACHED:
            of_account += await self._look_at_account(exchange)
            if not any(finding.what == KEY and finding.is_right is False for finding in of_account):
                for told in await asyncio.gather(*(self._look_at_target(exchange, result) for result in results)):
                    of_account += told
                await self._look_at_options(exchange, results)
        findings[:0] = sorted(most_certain(of_account), key=lambda finding: OF_ACCOUNT.index(finding.what))

    # --- the account

    async def _look_at_clock(self, exchange: Any) -> list[Finding]:
        measured: list[tuple[float, float]] = []
        for _ in range(CLOCK_READS):
            before = exchange.milliseconds()
            try:
                await exchange._load_time_difference()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                said = self.exchanges.in_one_line(error)
                return [Finding(REACHED, False, 'it is not reached', f'check the network and the proxy: {said}')]
            half = (exchange.milliseconds() - before) / 2
            measured.append((half, exchange.options['timeDifference'] - half))
        half, skew = min(measured)  # the fastest is the most exact; above 0 if this clock is ahead
        is_right = abs(skew) <= MAX_SKEW + half
        way = 'ahead' if skew > 0 else 'behind'
        return [Finding(CLOCK, is_right, f'{abs(skew):.0f} ms {way}', SLOW_CLOCK)]

    async def _look_at_account(self, exchange: Any) -> list[Finding]:
        findings = [finding for ask in ASKED.get(exchange.id, ()) for finding in await self._ask(ask, exchange)]
        unsaid = [Finding(each, None, NO_WORD) for each in (KEY, TRADING, MODE)]
        return [*findings, *unsaid, Finding(PRIVILEGE, None, NO_WORD, exchange._mmp_access)]

    async def _ask(self, ask: Ask, exchange: Any) -> list[Finding]:
        try:
            return await ask(exchange)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            if isinstance(error, PermissionDenied) and not isinstance(error, MmpNotEnabled):
                todo = f'let the API key read the account: {self.exchanges.in_one_line(error)}'
                return [Finding(MODE, None, 'not readable', todo)]
            return [self._refused(error, exchange)]

    def _refused(self, error: Exception, exchange: Any) -> Finding:
        """What a refusal says of the key and the account."""
        said = self.exchanges.in_one_line(error)
        if isinstance(error, InvalidNonce):
            return Finding(CLOCK, False, 'it is refused', SLOW_CLOCK)
        if isinstance(error, MmpNotEnabled):
            return Finding(PRIVILEGE, False, 'there is none', exchange._mmp_access)
        if isinstance(error, AuthenticationError) and not isinstance(error, PermissionDenied):
            return Finding(KEY, False, 'it is refused', f'check key, secret, passphrase and allowed addresses: {said}')
        if isinstance(error, PermissionDenied):
            return Finding(TRADING, False, 'no permission', f'let the API key trade options: {said}')
        if isinstance(error, NetworkError):
            return Finding(REACHED, False, 'no answer', f'run it again, or see its status page: {said}')
        return Finding(KEY, None, 'not checked', said)

    # --- a target

    async def _look_at_target(self, exchange: Any, result: Result) -> list[Finding]:
        """Check the rules of a target, and return what that says of the account."""
        findings, target = self.found[result], result.target
        try:
            if not target.is_all:
                states = [await exchange.fetch_mmp(target.underlying, {'scope': target.scope})]
            elif exchange.has['fetchMmps'] is True:
                states = list((await exchange.fetch_mmps()).values())
            else:
                findings.append(Finding('rules', None, 'not listed', f'name one: {target.place}:UNDERLYING'))
                await exchange.fetch_mmp(EXCHANGES[target.exchange_id].underlying)
                return [Finding(KEY, True, TAKEN)]
        except BadSymbol as error:
            said = self.exchanges.in_one_line(error)
            findings.append(Finding(f'rule {_name(target)}', False, 'not known there', f'check the name: {said}'))
            return []
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            return [self._refused(error, exchange)]
        findings += [_rule(exchange, target, state) for state in states]
        if not states:
            todo = set_a_rule(exchange, target, f'{target.place}:UNDERLYING')
            findings.append(Finding('rules', False, 'none is set', todo))
        is_used = any(state['enabled'] for state in states)
        return [Finding(KEY, True, TAKEN), *([Finding(PRIVILEGE, True, 'a rule is set')] if is_used else ())]

    async def _look_at_options(self, exchange: Any, results: list[Result]) -> None:
        """Whether the options of the targets are listed, and whether ccxt loads them unasked."""
        wanted = [result for result in results if result.target.scope == 'orders']
        if not wanted:
            return
        if not exchange._loads_options:
            exchange.options['fetchMarkets'] = ['option']
        try:
            markets = (await exchange.load_markets()).values()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told
            said = self.exchanges.in_one_line(error)
            self.found[wanted[0]].append(Finding(OPTIONS, False, 'not loaded', f'run it again: {said}'))
            return
        options = [market['symbol'] for market in markets if market['option']]
        if not exchange._loads_options:
            self.notes.append(
                f'{wanted[0].target.place}: ccxt loads its options only with {OPTIONS_SETTING} in the bot.'
            )
        for result in wanted:
            name, target = _name(result.target), result.target
            try:
                underlying_id = None if target.is_all else exchange._resolve_underlying('check', target.underlying)
            except ExchangeError:
                continue  # its rule tells
            count = sum(underlying_id in (None, exchange._listed_underlying(each)) for each in options)
            todo = f'the exchange lists no options of {name}: check the name'
            what = OPTIONS if target.is_all else f'{OPTIONS} {name}'
            self.found[result].append(Finding(what, count > 0, f'{count} listed', todo))

    # --- output

    def draw(self, parts: list[Result]) -> None:
        shown, rows = screen(), list(self._rows())
        wrong = sum(row[2] == WORDS[False] for row in rows)
        if wrong:
            shown.headline(f'NOT READY: {counted(wrong, "check")} of {len(rows)} failed', 'bold red')
        elif rows and self.exit_status == 0:
            shown.headline('READY: nothing that can be checked is wrong', 'bold green')
        if rows:
            shown.table(Shown(COLUMNS, rows))
        shown.notes([*self._advice(), *self.notes])

    def _rows(self) -> Iterator[list[str]]:
        for result, findings in self.found.items():
            for finding in findings:
                cells = (result.target.place, finding.what, WORDS[finding.is_right], finding.says)
                yield [printable(cell) for cell in cells]

    def _advice(self) -> Iterator[str]:
        """What to do, of what is wrong first."""
        for is_right in (False, None):
            for result, findings in self.found.items():
                for finding in findings:
                    if finding.is_right is is_right and finding.todo:
                        word = WORDS[is_right]
                        yield f'{word}: {result.target.place} {finding.what}: {finding.todo}'

    def say_document(self, indent: int | None = None) -> None:
        self.has_shown = True
        entries = document(self.results)
        for entry, result in zip(entries, self.results, strict=True):
            names = ('check', 'right', 'found', 'todo')
            entry['checks'] = [
                dict(zip(names, (*finding[:3], (finding.todo or None) if not finding.is_right else None), strict=True))
                for finding in self.found[result]
            ]
        say(json.dumps(entries, indent=indent), sys.stdout)


def _name(target: Target) -> str:
    return EVERYTHING if target.is_all else target.underlying or target.scope


def set_a_rule(exchange: Any, target: Target, text: str) -> str:
    """A command with the limits that the exchange requires."""
    limits = exchange._mmp_limits(target.scope)
    required = [name for name, rule in limits.items() if rule and rule.get('required', True)]
    if not any(name in QUANTITIES for name in required):
        required += [name for name in QUANTITIES if limits.get(name)][:1]  # at least one limit
    given = ' '.join(option for name, option in LIMIT_OPTIONS.items() if name in required)
    return f'ccxt-mmp set {text} --window 5s --frozen-time 0 {given}'


def _rule(exchange: Any, target: Target, state: MmpState) -> Finding:
    name = state['underlying'] or state['underlyingId'] or target.scope
    text = f'{target.place}:{state["underlying"] or target.scope}'
    word = state_of(state)
    can_reset = exchange.has['resetMmp']
    if word == FROZEN:
        todo = f'ccxt-mmp reset {text}, when it is clear why' if can_reset else NO_RESET
        return Finding(f'rule {name}', False, FROZEN, todo)
    if word == 'off':
        return Finding(f'rule {name}', False, 'none is set', set_a_rule(exchange, target, text))
    if word == 'unknown':
        todo = f'ccxt-mmp reset {text} makes it certain' if can_reset else NO_RESET
        return Finding(f'rule {name}', None, 'maybe frozen', todo)
    return Finding(f'rule {name}', True, word)


def most_certain(findings: list[Finding]) -> list[Finding]:
    """One finding for each check: what is wrong wins, then what is right, over what is not known."""
    ranks = {None: 0, True: 1, False: 2}
    best: dict[str, Finding] = {}
    for finding in findings:
        known = best.get(finding.what)
        if known is None or ranks[finding.is_right] > ranks[known.is_right]:
            best[finding.what] = finding
    return list(best.values())
