"""The protection on Binance: set, reset and fetch its rule, and how a rule reads.

https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Set-Market-Maker-Protection-Config
"""

from collections.abc import Sequence
from functools import partial

from ccxt.base.errors import ArgumentsRequired

from ccxt_mmp.core.awaiting import gather, succeeded
from ccxt_mmp.core.freezes import Freeze
from ccxt_mmp.exchanges.binance.answers import BinanceAnswers, NoMmpRuleError
from ccxt_mmp.types import MmpState, Number, Params, Scope


class BinanceProtection(BinanceAnswers):
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
        underlying_id, params = self._mmp_underlying('setMmp', scope, underlying, params)
        rule = self._mmp_rule(
            'setMmp',
            scope,
            underlying_id,
            {'window': window, 'frozenTime': frozenTime, 'qtyLimit': qtyLimit, 'deltaLimit': deltaLimit},
            params,
        )
        asked = self._resets_so_far()
        with self._explaining(scope, underlying_id):
            response = await self._mmp_request('POST mmpSet', {'underlying': underlying_id, **rule})
        #
        #     {"underlyingId":2,"underlying":"BTCUSDT","windowTimeInMilliseconds":3000,
        #      "frozenTimeInMilliseconds":300000,"qtyLimit":"2","deltaLimit":"2.3","lastTriggerTime":0}
        #
        return self._remember(self._parse_mmp_state('setMmp', scope, underlying_id, response), asked)

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('resetMmp', params)
        underlying_id, params = self._mmp_underlying('resetMmp', scope, underlying, params)
        with self._explaining(scope, underlying_id):
            response = await self._mmp_request('POST mmpReset', {'underlying': underlying_id, **self._sent(params)})
        #
        # as in _set_mmp
        #
        state = self._parse_mmp_state('resetMmp', scope, underlying_id, response)
        freeze = self._freeze(scope, underlying_id)
        freeze.reset()
        triggered = self._safe_integer(response, 'lastTriggerTime')
        if triggered is not None:
            freeze.triggered_at_reset = triggered
        return {**state, 'frozen': False, 'frozenUntil': None}

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('fetchMmp', params)
        underlying_id, params = self._mmp_underlying('fetchMmp', scope, underlying, params)
        return await self._fetch_rule(scope, underlying_id, params)

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

    async def _fetch_rule(self, scope: Scope, underlying_id: str | None, params: Params) -> MmpState:
        asked = self._resets_so_far()
        try:
            with self._explaining(scope, underlying_id):
                response = await self._mmp_request(
                    'GET mmp', {'underlying': underlying_id, **self._sent(params)}, is_repeatable=True
                )
            #
            # as in _set_mmp
            #
        except NoMmpRuleError:
            return self._no_mmp_rule(scope, underlying_id)
        return self._remember(self._parse_mmp_state('fetchMmp', scope, underlying_id, response), asked)

    def _parse_mmp_state(self, method: str, scope: Scope, underlying_id: str | None, response: object) -> MmpState:
        entry, window = self._mmp_entry(method, response, underlying_id, 'windowTimeInMilliseconds')
        frozen_time = self._safe_integer(entry, 'frozenTimeInMilliseconds')
        triggered = self._safe_integer(entry, 'lastTriggerTime')
        frozen, frozen_until = self._derive_freeze(triggered, frozen_time, self._freeze(scope, underlying_id))
        return {
            **self._unknown_mmp_state(entry, scope, underlying_id),
            'enabled': window > 0,
            'window': window,
            'frozenTime': frozen_time,
            'qtyLimit': self._safe_number(entry, 'qtyLimit'),
            'qtyLimitBase': self._qty_limit_base(entry, 'qtyLimit', underlying_id),
            'deltaLimit': self._safe_number(entry, 'deltaLimit'),
            'frozen': frozen,
            'frozenUntil': frozen_until,
            'lastTriggerTimestamp': triggered or None,
        }

    def _derive_freeze(
        self, triggered: int | None, frozen_time: int | None, freeze: Freeze
    ) -> tuple[bool | None, int | None]:
        """Whether MMP is frozen, and until when. Binance does not say: the last trigger and the frozen time tell.

        They cannot tell after a trigger that freezes until a reset, as a reset elsewhere does not show in them for
        certain: whether it clears lastTriggerTime is not documented. An MmpFrozen that this object had since its last
        reset tells then, and where it came after the freeze that they tell of: until its own frozen time is over.
        """
        refused_at = freeze.refused_at
        until = None
        if triggered is not None and triggered > freeze.triggered_at_reset and frozen_time:
            until = triggered + frozen_time
        now = self.nonce()
        if (
            refused_at is not None
            and (until is None or until <= refused_at)
            and (not frozen_time or now < refused_at + frozen_time)
        ):
            return True, None
        if triggered is None:
            return None, None
        if triggered <= freeze.triggered_at_reset:
            return False, None
        if until is None:
            return None, None
        return (True, until) if now < until else (False, None)
