"""The protection on OKX: set, reset and fetch its rule, and how a rule reads.

https://www.okx.com/docs-v5/en/#trading-account-rest-api-set-mmp
"""

from collections.abc import Sequence
from typing import Any

from ccxt.base.errors import BadResponse, NotSupported

from ccxt_mmp.core.text import date_of, shown
from ccxt_mmp.exchanges.okx.answers import OkxAnswers
from ccxt_mmp.exchanges.okx.tables import EPOCH_FROM
from ccxt_mmp.types import MmpState, Number, Params, Scope


class OkxProtection(OkxAnswers):
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
        family, params = self._mmp_underlying('setMmp', scope, underlying, params)
        rule = self._mmp_rule(
            'setMmp',
            scope,
            family,
            {'window': window, 'frozenTime': frozenTime, 'qtyLimit': qtyLimit, 'deltaLimit': deltaLimit},
            params,
        )
        endpoint = 'POST rfq/mmp-config' if scope == 'rfq' else 'POST account/mmp-config'
        asked = self._resets_so_far()
        with self._explaining(scope, family):
            response = await self._mmp_request(endpoint, {**self._family(family), **rule})
        #
        #     {"code":"0","msg":"","data":[
        #         {"frozenInterval":"2000","instFamily":"BTC-USD","qtyLimit":"100","timeInterval":"5000"}
        #     ]}
        #
        state = self._parse_mmp_state('setMmp', scope, family, self._first_entry('setMmp', response))
        return self._remember(state, asked)

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        nothing_named = underlying is None and params.get('instFamily') is None
        scope, params = self._mmp_scope('resetMmp', params, 'rfq' if nothing_named else 'orders')
        family, params = self._mmp_underlying('resetMmp', scope, underlying, params)
        request = {**self._family(family), **self._sent(params)}
        with self._explaining(scope, family):
            if scope == 'rfq':
                response = await self._mmp_request('POST rfq/mmp-reset', request)
                #
                #     {"code":"0","msg":"","data":[{"ts":"1597026383085"}]}
                #
            else:
                response = await self._mmp_request('POST account/mmp-reset', {'instType': 'OPTION', **request})
                #
                #     {"code":"0","msg":"","data":[{"result":true}]}
                #
        entry = self._first_entry('resetMmp', response)
        if scope == 'orders':
            self._raise_unless_done('resetMmp', entry)
        timestamp = self._safe_integer(entry, 'ts')
        if scope == 'rfq' and timestamp is None:
            raise BadResponse(f'{self.id} resetMmp() received an answer without a ts: {shown(entry)}')
        self._freeze(scope, family).reset()
        return {
            **self._unknown_mmp_state(entry, scope, family),
            'frozen': False,
            'timestamp': timestamp,
            'datetime': date_of(self, timestamp),
        }

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('fetchMmp', params)
        family, params = self._mmp_underlying('fetchMmp', scope, underlying, params)
        asked = self._resets_so_far()
        endpoint = 'GET rfq/mmp-config' if scope == 'rfq' else 'GET account/mmp-config'
        request = {**self._family(family), **self._sent(params)}
        with self._explaining(scope, family):
            response = await self._mmp_request(endpoint, request, is_repeatable=True)
        #
        #     {"code":"0","msg":"","data":[
        #         {"frozenInterval":"2000","instFamily":"ETH-USD","mmpFrozen":true,"mmpFrozenUntil":"1000",
        #          "qtyLimit":"10","timeInterval":"5000"}
        #     ]}
        #
        entries = self._entries('fetchMmp', response)
        if not entries:
            return self._no_mmp_rule(scope, family)
        state = self._parse_mmp_state('fetchMmp', scope, family, self._with_freeze('fetchMmp', entries[0]))
        return self._remember(state, asked)

    async def _fetch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        scope, params = self._mmp_scope('fetchMmps', params)
        if scope == 'rfq':
            raise NotSupported(f'{self.id} fetchMmps() has no underlyings in the scope rfq, use fetchMmp()')
        is_one = params.get('instFamily') is not None
        names, params = self._mmp_underlyings('fetchMmps', scope, underlyings, params)
        asked = self._resets_so_far()
        request = {**(self._family(next(iter(names.values()))) if is_one else {}), **self._sent(params)}
        response = await self._mmp_request('GET account/mmp-config', request, is_repeatable=True)
        listed = {self._family_of('fetchMmps', entry): entry for entry in self._entries('fetchMmps', response)}
        states = [
            self._remember(
                self._parse_mmp_state('fetchMmps', scope, family, self._with_freeze('fetchMmps', listed[family])), asked
            )
            if family in listed
            else self._no_mmp_rule(scope, family)
            for family in dict.fromkeys(names.values()) or listed
        ]
        return self._by_name(names, states)

    @staticmethod
    def _family(family: str | None) -> Params:
        return {} if family is None else {'instFamily': family}

    def _with_freeze(self, method: str, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry that says whether it is frozen, as those of the GET endpoints do."""
        if not isinstance(entry.get('mmpFrozen'), bool):
            raise BadResponse(f'{self.id} {method}() received an answer without a mmpFrozen: {shown(entry)}')
        return entry

    def _parse_mmp_state(self, method: str, scope: Scope, family: str | None, entry: dict[str, Any]) -> MmpState:
        entry, window = self._mmp_entry(method, entry, family, 'timeInterval')
        frozen = self.safe_bool(entry, 'mmpFrozen')
        return {
            **self._unknown_mmp_state(entry, scope, family),
            'enabled': window > 0,
            'window': window,
            'frozenTime': self._safe_integer(entry, 'frozenInterval'),
            'qtyLimit': self._safe_number(entry, 'qtyLimit'),
            'qtyLimitBase': self._qty_limit_base(entry, 'qtyLimit', family),
            'countLimit': self._safe_integer(entry, 'countLimit'),
            'frozen': frozen,
            'frozenUntil': self._frozen_until(entry) if frozen else None,
        }

    def _frozen_until(self, entry: dict[str, Any]) -> int | None:
        until: int | None = self._safe_integer(entry, 'mmpFrozenUntil')
        if not until:
            return None
        now: int = self.nonce()
        return until if until >= EPOCH_FROM else now + until
