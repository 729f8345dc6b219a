"""The protection on Bybit: set, reset and fetch its rule, and how a rule reads.

https://bybit-exchange.github.io/docs/v5/account/set-mmp
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ccxt.base.errors import ArgumentsRequired

from ccxt_mmp.core.awaiting import gather, succeeded
from ccxt_mmp.core.text import date_of
from ccxt_mmp.exchanges.bybit.answers import BybitAnswers
from ccxt_mmp.types import MmpState, Number, Params, Scope


class BybitProtection(BybitAnswers):
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
        coin, params = self._mmp_underlying('setMmp', scope, underlying, params)
        rule = self._mmp_rule(
            'setMmp',
            scope,
            coin,
            {'window': window, 'frozenTime': frozenTime, 'qtyLimit': qtyLimit, 'deltaLimit': deltaLimit},
            params,
        )
        asked = self._resets_so_far()
        with self._explaining(scope, coin):
            response = await self._mmp_request('POST account/mmp-modify', {'baseCoin': coin, **rule})
        #
        #     {"retCode":0,"retMsg":"success"}
        #
        state = self._parse_mmp_state(scope, coin, {**rule, 'mmpEnabled': True})
        return self._remember({**state, 'info': response, **self._answered_at(response)}, asked)

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('resetMmp', params)
        coin, params = self._mmp_underlying('resetMmp', scope, underlying, params)
        with self._explaining(scope, coin):
            response = await self._mmp_request('POST account/mmp-reset', {'baseCoin': coin, **self._sent(params)})
        #
        #     {"retCode":0,"retMsg":"success"}
        #
        self._freeze(scope, coin).reset()
        return {**self._unknown_mmp_state(response, scope, coin), 'frozen': False, **self._answered_at(response)}

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('fetchMmp', params)
        coin, params = self._mmp_underlying('fetchMmp', scope, underlying, params)
        return await self._fetch_rule(scope, coin, params)

    async def _fetch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        scope, params = self._mmp_scope('fetchMmps', params)
        names, params = self._mmp_underlyings('fetchMmps', scope, underlyings, params)
        if not names:
            raise ArgumentsRequired(f'{self.id} fetchMmps() requires underlyings: {self._accepted_underlyings}')
        await self._adjust_clock()  # once, not once for each
        states = await gather(
            self.synchronous, [partial(self._fetch_rule, scope, each, params) for each in dict.fromkeys(names.values())]
        )
        return self._by_name(names, succeeded(states))

    async def _fetch_rule(self, scope: Scope, coin: str | None, params: Params) -> MmpState:
        asked = self._resets_so_far()
        with self._explaining(scope, coin):
            response = await self._mmp_request(
                'GET account/mmp-state', {'baseCoin': coin, **self._sent(params)}, is_repeatable=True
            )
        #
        #     {"retCode":0,"retMsg":"OK","result":{"result":[
        #         {"baseCoin":"BTC","mmpEnabled":true,"window":"5000","frozenPeriod":"100000","qtyLimit":"0.01",
        #          "deltaLimit":"0.01","vegaLimit":"500000","mmpFrozenUntil":"1675760625519","mmpFrozen":false}
        #     ]},"retExtInfo":{},"time":1675843188984}
        #
        when = self._answered_at(response)
        entries = self._entries('fetchMmp', response)
        if not entries:  # what a coin without a rule has is not documented [unverified]
            return {**self._no_mmp_rule(scope, coin), **when}
        named = next((each for each in entries if each.get('baseCoin') == coin), entries[0])
        entry, _ = self._mmp_entry('fetchMmp', named, coin, 'window')
        return self._remember({**self._parse_mmp_state(scope, coin, entry), **when}, asked)

    def _answered_at(self, response: Params) -> Any:
        timestamp = self._safe_integer(response, 'time')
        return {'timestamp': timestamp, 'datetime': date_of(self, timestamp)}

    def _parse_mmp_state(self, scope: Scope, coin: str | None, entry: Params) -> MmpState:
        frozen_time, frozen = self._safe_integer(entry, 'frozenPeriod'), self.safe_bool(entry, 'mmpFrozen')
        # it means something only in a freeze that ends by itself
        until = self._safe_integer(entry, 'mmpFrozenUntil') if frozen and frozen_time else None
        return {
            **self._unknown_mmp_state(entry, scope, coin),
            'enabled': self.safe_bool(entry, 'mmpEnabled'),
            'window': self._safe_integer(entry, 'window'),
            'frozenTime': frozen_time,
            'qtyLimit': self._safe_number(entry, 'qtyLimit'),
            'qtyLimitBase': self._qty_limit_base(entry, 'qtyLimit', coin),
            'deltaLimit': self._safe_number(entry, 'deltaLimit'),
            'vegaLimit': self._safe_number(entry, 'vegaLimit'),
            'frozen': frozen,
            'frozenUntil': until or None,
        }
