"""The protection on Deribit: set, reset and fetch its rule, and how a rule reads.

https://docs.deribit.com/api-reference/trading/private-set_mmp_config
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ccxt.base.errors import ArgumentsRequired, BadRequest, BadResponse, NotSupported, OperationFailed

from ccxt_mmp.core.awaiting import gather, succeeded
from ccxt_mmp.core.text import date_of, shown
from ccxt_mmp.exchanges.deribit.answers import DeribitAnswers
from ccxt_mmp.exchanges.deribit.tables import ALL, MAX_LABEL, SECOND
from ccxt_mmp.types import MmpState, Number, Params, Scope

LIMITS = ('quantity_limit', 'delta_limit', 'vega_limit', 'trade_count_limit')


class DeribitProtection(DeribitAnswers):
    """``set_mmp``, ``reset_mmp``, ``fetch_mmp`` and ``fetch_mmps``."""

    async def _set_mmp(
        self,
        underlying: str | None,
        window: Number | None,
        frozenTime: Number | None,
        qtyLimit: Number | None,
        deltaLimit: Number | None,
        params: Params,
    ) -> MmpState:
        scope, params = self._mmp_scope('setMmp', params)
        named, params = self._mmp_underlying('setMmp', scope, underlying, params)
        protection, params = self._protection('setMmp', scope, named, params)
        if scope == 'orders' and params.get('max_quote_quantity') is None:
            max_quote, params = self._mmp_option('setMmp', 'maxQuoteQuantity', None, params)
            params = {**params, 'maxQuoteQuantity': max_quote}
        rule = self._mmp_rule(
            'setMmp',
            scope,
            named,
            {'window': window, 'frozenTime': frozenTime, 'qtyLimit': qtyLimit, 'deltaLimit': deltaLimit},
            params,
        )
        if named is not None and 'trade_count_limit' in rule:
            raise NotSupported(f'{self.id} setMmp() has a countLimit only in the scope rfq without an underlying')
        if str(rule['interval']) != '0' and not any(name in rule for name in LIMITS):
            raise ArgumentsRequired(f'{self.id} setMmp() requires a limit: what is not set is switched off')
        asked = self._resets_so_far()
        with self._explaining(scope, protection['index_name']):
            response = await self._mmp_request('POST set_mmp_config', {**protection, **rule})
        #
        #     {"jsonrpc":"2.0","id":7859,"result":
        #         {"index_name":"btc_usd","mmp_group":"MassQuoteBot7","interval":60,"frozen_time":0,
        #          "quantity_limit":3,"max_quote_quantity":2.5}}
        #
        result = self._result('setMmp', response)  # an object or, as its schema says, a list of one
        entry = result[0] if isinstance(result, list) and len(result) == 1 else result
        state = self._parse_mmp_state('setMmp', scope, protection, entry)
        return self._remembered({**state, **self._answered_at(response)}, protection, asked)

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('resetMmp', params)
        named, params = self._mmp_underlying('resetMmp', scope, underlying, params)
        protection, params = self._protection('resetMmp', scope, named, params)
        index = protection['index_name']
        with self._explaining(scope, index):
            response = await self._mmp_request('POST reset_mmp', {**protection, **self._sent(params)})
        #
        #     {"jsonrpc":"2.0","id":1569,"result":"ok"}
        #
        if self._result('resetMmp', response) != 'ok':
            raise OperationFailed(f'{self.id} resetMmp() was not done: {shown(response)}')
        if 'mmp_group' not in protection:
            self._freeze(scope, index).reset()
        return {
            **self._unknown_mmp_state(response, scope, index),
            'frozen': False,
            **self._answered_at(response),
        }

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('fetchMmp', params)
        named, params = self._mmp_underlying('fetchMmp', scope, underlying, params)
        protection, params = self._protection('fetchMmp', scope, named, params)
        asked = self._resets_so_far()
        with self._explaining(scope, protection['index_name']):
            rules, frozen, when = await self._fetch_rules('fetchMmp', scope, {**protection, **self._sent(params)})
        group = protection.get('mmp_group')
        entries = [each for each in rules if each.get('mmp_group') == group]
        if not entries:
            return {**self._no_mmp_rule(scope, protection['index_name']), **when}
        state = self._parse_mmp_state('fetchMmp', scope, protection, entries[0])
        return self._remembered({**self._with_freeze('fetchMmp', state, protection, frozen), **when}, protection, asked)

    async def _fetch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        scope, params = self._mmp_scope('fetchMmps', params)
        names, params = self._mmp_underlyings('fetchMmps', scope, underlyings, params)
        of_scope = {'block_rfq': True} if scope == 'rfq' else {}
        group, params = self._group('fetchMmps', scope, params)
        if group is not None:
            raise NotSupported(f'{self.id} fetchMmps() lists the rules of orders: fetchMmp() has those of groups')
        asked = self._resets_so_far()
        rules, frozen, when = await self._fetch_rules('fetchMmps', scope, {**of_scope, **self._sent(params)})
        listed: dict[str, MmpState] = {}
        for entry in rules:
            if entry.get('mmp_group') is not None:
                continue
            protection: Params = {'index_name': self._index_of('fetchMmps', entry), **of_scope}
            state = self._parse_mmp_state('fetchMmps', scope, protection, entry)
            state = {**self._with_freeze('fetchMmps', state, protection, frozen), **when}
            listed[protection['index_name']] = self._remembered(state, protection, asked)
        wanted = [ALL if each is None else each for each in names.values()] or list(listed)
        states = [listed.get(each) or {**self._no_mmp_rule(scope, each), **when} for each in dict.fromkeys(wanted)]
        return self._by_name(names, states)

    # --- which protection

    def _protection(self, method: str, scope: Scope, named: str | None, params: Params) -> tuple[Params, Params]:
        """The fields that name a protection, and the other params."""
        group, params = self._group(method, scope, params)
        protection: Params = {'index_name': ALL if named is None else named}
        if scope == 'rfq':
            protection['block_rfq'] = True
        if group is not None:
            protection['mmp_group'] = group
        return protection, params

    def _group(self, method: str, scope: Scope, params: Params) -> tuple[str | None, Params]:
        """The group of mass quotes that is meant, by either name."""
        given = [params[name] for name in ('mmpGroup', 'mmp_group') if params.get(name) is not None]
        rest = self.omit(params, ['mmpGroup', 'mmp_group'])
        if not given:
            return None, rest
        if scope == 'rfq':
            raise NotSupported(f'{self.id} {method}() has no groups of mass quotes in the scope rfq')
        group = given[0]
        if given[-1] != group or not isinstance(group, str) or not 0 < len(group) <= MAX_LABEL:
            raise BadRequest(
                f'{self.id} {method}() mmpGroup must be a name of at most {MAX_LABEL} characters, '
                f'received {shown(given)}'
            )
        return group, rest

    # --- answers

    async def _fetch_rules(self, method: str, scope: Scope, request: Params) -> tuple[list[Params], list[Params], Any]:
        """Rules of a scope, protections of it that are frozen, and when that was."""
        await self._adjust_clock()  # once, not once for each
        answers = await gather(
            self.synchronous,
            [
                partial(self._mmp_request, endpoint, request, is_repeatable=True)
                for endpoint in ('POST get_mmp_config', 'POST get_mmp_status')
            ],
        )
        config, status = succeeded(answers)
        #
        #     {"jsonrpc":"2.0","id":3,"result":[
        #         {"id":144790485158858750,"max_quote_quantity":5,"quantity_limit":5,"delta_limit":0.5,"vega_limit":0.2,
        #          "frozen_time":5,"index_name":"btc_usd","interval":2}]}
        #     {"jsonrpc":"2.0","id":7851,"result":[
        #         {"index_name":"btc_usd","frozen_until":1744275841861,"mmp_group":"MassQuoteBot7"}]}
        #
        rules, frozen = (of_scope(scope, self._entries(method, each)) for each in (config, status))
        return rules, frozen, self._answered_at(status)

    def _answered_at(self, response: Any) -> Any:
        microseconds = self._safe_integer(response, 'usOut')
        timestamp = None if microseconds is None else microseconds // 1000
        return {'timestamp': timestamp, 'datetime': date_of(self, timestamp)}

    def _remembered(self, state: Any, protection: Params, asked: Any) -> MmpState:
        """What is remembered of freezes is of orders and of Block RFQ, not of groups of mass quotes."""
        noted: MmpState = state if 'mmp_group' in protection else self._remember(state, asked)
        return noted

    def _with_freeze(self, method: str, state: MmpState, protection: Params, frozen: list[Params]) -> MmpState:
        """A state that says whether it is frozen: what is not listed is not."""
        index, group = protection['index_name'], protection.get('mmp_group')
        for entry in frozen:
            if (self._index_of(method, entry), entry.get('mmp_group')) == (index, group):
                until = self._safe_integer(entry, 'frozen_until')
                if until is None:
                    raise BadResponse(f'{self.id} {method}() received a freeze without a frozen_until: {shown(entry)}')
                return {**state, 'info': {**state['info'], **entry}, 'frozen': True, 'frozenUntil': until or None}
        return {**state, 'frozen': False}

    def _parse_mmp_state(self, method: str, scope: Scope, protection: Params, response: object) -> MmpState:
        index = protection['index_name']
        entry, seconds = self._mmp_entry(method, response, index, 'interval')
        frozen_time = self._safe_integer(entry, 'frozen_time')
        return {
            **self._unknown_mmp_state(entry, scope, index),
            'enabled': seconds > 0,
            'window': seconds * SECOND,
            'frozenTime': None if frozen_time is None else frozen_time * SECOND,
            'qtyLimit': self._safe_number(entry, 'quantity_limit'),
            'qtyLimitBase': self._qty_limit_base(entry, 'quantity_limit', index),
            'deltaLimit': self._safe_number(entry, 'delta_limit'),
            'vegaLimit': self._safe_number(entry, 'vega_limit'),
            'countLimit': self._safe_integer(entry, 'trade_count_limit'),
            'maxQuoteQuantity': self._safe_number(entry, 'max_quote_quantity'),
        }


def of_scope(scope: Scope, entries: list[Params]) -> list[Params]:
    """The entries of a scope: one that does not say is of the scope that was asked for."""
    return [each for each in entries if each.get('block_rfq') in (None, scope == 'rfq')]
