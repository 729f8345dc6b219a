"""Binance European options: MMP per underlying.

https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Set-Market-Maker-Protection-Config
"""

import re
from collections.abc import Sequence
from functools import partial
from typing import Any
from urllib.parse import unquote

from ccxt.base.errors import (
    ArgumentsRequired,
    BadRequest,
    BadSymbol,
    DuplicateOrderId,
    NotSupported,
    OperationFailed,
    OperationRejected,
    OrderNotFillable,
    OrderNotFound,
    PermissionDenied,
)

from ccxt_mmp._io import side_by_side
from ccxt_mmp.errors import MmpFrozen, MmpNotEnabled
from ccxt_mmp.mixins.base import NEVER_REPEAT, Mmp
from ccxt_mmp.types import MassCancel, MmpState, Number, Params, Scope

OPTION = r'-[0-9]{6}-[0-9]+(?:\.[0-9]+)?-[CP]'
OWN_ID = re.compile(r'(?P<base>[A-Z0-9]+)USDT')
OPTION_ID = re.compile(rf'(?P<base>[A-Z0-9]+){OPTION}')
UNIFIED = re.compile(rf'(?P<base>[A-Z0-9]+)/USDT(?::USDT(?:{OPTION})?)?')

OPTIONS_API = re.compile(r'/eapi/v[0-9]+/(?P<path>[^?]*)')
DEMO_API = 'https://demo-fapi.binance.com/eapi/v1'  # documented since 2026-06


class _NoMmpRule(OperationRejected):
    """-6006 to a question is an answer: no rule is set."""


class BinanceMmp(Mmp):
    """The Binance side of the MMP methods, for any flavour of ``ccxt.binance``."""

    _underlying_field = 'underlying'
    _accepted_underlyings = (
        "'BTC/USDT', 'BTC/USDT:USDT', an option's symbol, the exchange's 'BTCUSDT' or an option's id"
    )

    def describe(self) -> Any:
        return self.deep_extend(
            super().describe(),
            {
                'has': {
                    'setMmp': True,
                    'resetMmp': True,
                    'fetchMmp': True,
                    'fetchMmps': 'emulated',
                    'massCancelMmp': False,
                },
                'urls': {
                    'demo': {
                        'eapiPublic': DEMO_API,
                        'eapiPrivate': DEMO_API,
                    },
                },
                'options': {
                    'mmpLimits': {
                        'orders': {
                            'window': {'field': 'windowTimeInMilliseconds', 'integer': True, 'min': 1, 'max': 5000},
                            'frozenTime': {'field': 'frozenTimeInMilliseconds', 'integer': True, 'min': 0},
                            'qtyLimit': {'field': 'qtyLimit', 'integer': False, 'above': 0},
                            'deltaLimit': {'field': 'deltaLimit', 'integer': False, 'above': 0},
                            'countLimit': None,
                            'lockInterval': None,
                        },
                    },
                },
                'exceptions': {
                    'option': {
                        'exact': {
                            '-2011': OrderNotFound,  # Unknown order sent.
                            '-5002': PermissionDenied,  # Option user not access
                            '-6001': BadRequest,  # Invalid mmp window time limit
                            '-6002': BadRequest,  # Invalid mmp frozen time limit
                            '-6003': BadSymbol,  # Invalid underlying
                            '-6004': BadSymbol,  # Underlying not found
                            '-6005': MmpNotEnabled,  # It is not market maker
                            '-6006': OperationRejected,  # Mmp rules are not existing
                            '-6007': OperationFailed,  # Mmp unknown error
                            '-6009': BadRequest,  # countdownTime must be no less than 5000 or equal to 0
                            '-6011': BadRequest,  # Maximum 10 orders in one batchOrder request.
                            '-6028': OrderNotFound,  # Order is in final state
                            '-6029': BadRequest,  # %s is required
                            '-6040': BadRequest,  # Invalid qtyLimit or deltaLimit.
                            '-6044': DuplicateOrderId,  # clientOrderId is duplicated
                            '-6047': OrderNotFillable,  # ... the Post Only order will be rejected.
                            '-6058': MmpFrozen,  # MMP triggered. Please reset MMP config
                            '-6063': OperationRejected,  # Cancel rejected by system
                        },
                    },
                },
            },
        )

    # --- the methods

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
        underlying_id = self._mmp_underlying('setMmp', scope, underlying, params)
        rule = self._mmp_rule(
            'setMmp',
            scope,
            {'window': window, 'frozenTime': frozenTime, 'qtyLimit': qtyLimit, 'deltaLimit': deltaLimit},
            params,
        )
        response = await self._mmp_request(
            self.eapiPrivatePostMmpSet, {'underlying': underlying_id, **rule, **NEVER_REPEAT}
        )
        #
        #     {"underlyingId":2,"underlying":"BTCUSDT","windowTimeInMilliseconds":3000,
        #      "frozenTimeInMilliseconds":300000,"qtyLimit":"2","deltaLimit":"2.3","lastTriggerTime":0}
        #
        return self._parse_mmp_state('setMmp', scope, underlying_id, response)

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('resetMmp', params)
        underlying_id = self._mmp_underlying('resetMmp', scope, underlying, params)
        response = await self._mmp_request(
            self.eapiPrivatePostMmpReset, {'underlying': underlying_id, **self._sent(params), **NEVER_REPEAT}
        )
        #
        # as in _set_mmp
        #
        state = self._parse_mmp_state('resetMmp', scope, underlying_id, response)
        triggered = self._safe_integer(response, 'lastTriggerTime')
        if triggered is not None:
            self._resets()[underlying_id] = triggered
        return {**state, 'frozen': False, 'frozenUntil': None}

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('fetchMmp', params)
        underlying_id = self._mmp_underlying('fetchMmp', scope, underlying, params)
        return await self._fetch_rule(scope, underlying_id, params)

    async def _fetch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        scope, params = self._mmp_scope('fetchMmps', params)
        underlying_ids = self._mmp_underlyings('fetchMmps', scope, underlyings, params)
        if not underlying_ids:
            raise ArgumentsRequired(f'{self.id} fetchMmps() requires underlyings: {self._accepted_underlyings}')
        rest = self.omit(params, 'underlying')
        await self._adjust_clock()  # once, not once for each
        states = await side_by_side(
            self.synchronous, [partial(self._fetch_rule, scope, each, rest) for each in underlying_ids]
        )
        return self._by_underlying(states)

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        raise NotSupported(
            f'{self.id} massCancelMmp() is not supported yet: Binance has no endpoint that cancels MMP orders alone'
        )

    # --- underlyings

    @staticmethod
    def _parse_underlying(text: str) -> str | None:
        for form in (OWN_ID, UNIFIED, OPTION_ID):
            parts = form.fullmatch(text)
            if parts:
                return f'{parts["base"]}USDT'
        return None

    @staticmethod
    def _unified_underlying(underlying_id: str) -> str | None:
        own = OWN_ID.fullmatch(underlying_id)
        return None if own is None else f'{own["base"]}/USDT:USDT'

    # --- answers

    async def _fetch_rule(self, scope: Scope, underlying_id: str | None, params: Params) -> MmpState:
        try:
            response = await self._mmp_request(
                self.eapiPrivateGetMmp, {'underlying': underlying_id, **self._sent(params)}
            )
            #
            # as in _set_mmp
            #
        except _NoMmpRule:
            return self._no_mmp_rule(scope, underlying_id)
        return self._parse_mmp_state('fetchMmp', scope, underlying_id, response)

    def _parse_mmp_state(self, method: str, scope: Scope, underlying_id: str | None, response: object) -> MmpState:
        entry, window = self._mmp_entry(method, response, underlying_id, 'windowTimeInMilliseconds')
        frozen_time = self._safe_integer(entry, 'frozenTimeInMilliseconds')
        triggered = self._safe_integer(entry, 'lastTriggerTime')
        frozen, frozen_until = self._derive_freeze(triggered, frozen_time, self._resets().get(underlying_id, 0))
        return {
            **self._unknown_mmp_state(entry, scope, underlying_id),
            'enabled': window > 0,
            'window': window,
            'frozenTime': frozen_time,
            'qtyLimit': self.safe_number(entry, 'qtyLimit'),
            'deltaLimit': self.safe_number(entry, 'deltaLimit'),
            'frozen': frozen,
            'frozenUntil': frozen_until,
            'lastTriggerTimestamp': triggered or None,
        }

    def _derive_freeze(
        self, triggered: int | None, frozen_time: int | None, triggered_at_reset: int
    ) -> tuple[bool | None, int | None]:
        """Whether MMP is frozen, and until when. Binance does not say: the last trigger and the frozen time tell.

        They cannot tell after a trigger that freezes until a reset, as a reset elsewhere does not show in them for
        certain: whether it clears lastTriggerTime is not documented.
        """
        if triggered is None:
            return None, None
        if triggered <= triggered_at_reset:
            return False, None
        if not frozen_time:
            return None, None
        until = triggered + frozen_time
        return (True, until) if self.nonce() < until else (False, None)

    def _resets(self) -> dict[str | None, int]:
        """The last trigger that this object's last reset of each underlying answered for."""
        resets: dict[str | None, int] = self.__dict__.setdefault('_mmp_resets', {})
        return resets

    def get_exceptions_by_url(self, url: str, exactOrBroad: str) -> Any:
        # ccxt knows the options API by its public host alone; a proxyUrl prefixes the whole URL and percent-encodes it
        if OPTIONS_API.search(unquote(url or '')):
            return self.exceptions['option'].get(exactOrBroad, {})
        return super().get_exceptions_by_url(url, exactOrBroad)

    def handle_errors(
        self,
        httpCode: int,
        reason: str,
        url: str,
        method: str,
        headers: Any,
        body: str,
        response: Any,
        requestHeaders: Any,
        requestBody: Any,
    ) -> Any:
        path = OPTIONS_API.search(unquote(url))
        if path and path['path'] == 'mmp' and self.safe_string(response, 'code') == '-6006':
            raise _NoMmpRule(f'{self.id} {body}')
        return super().handle_errors(
            httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
        )
