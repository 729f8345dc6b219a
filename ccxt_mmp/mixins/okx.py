"""OKX: order-book MMP per instrument family of options, and block-trading (RFQ) MMP, one per account.

https://www.okx.com/docs-v5/en/#trading-account-rest-api-set-mmp
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from ccxt.base.errors import (
    BadRequest,
    BadResponse,
    BadSymbol,
    InvalidOrder,
    NotSupported,
    NullResponse,
    OperationFailed,
    PermissionDenied,
)

from ccxt_mmp.errors import MassCancelLocked, MmpFrozen, MmpNotEnabled
from ccxt_mmp.mixins.base import NEVER_REPEAT, Mmp, shown
from ccxt_mmp.types import MassCancel, MmpState, Number, Params, Scope

OPTION = r'-[0-9]{6}-[0-9]+(?:\.[0-9]+)?-[CP]'
OWN_ID = re.compile(rf'(?P<base>[A-Z0-9]+)-USD(?P<usd_margined>_UM)?(?:{OPTION})?')
UNIFIED = re.compile(rf'(?P<base>[A-Z0-9]+)/USD(?::(?P<settle>[A-Z0-9]+)(?:{OPTION})?)?')

MMP_PATH = re.compile(
    r'/api/v5/(?P<path>account/mmp-(?:config|reset)|rfq/mmp-(?:config|reset)|trade/mass-cancel)(?:\?|$)'
)
PATHS_WITH_RESULT = ('account/mmp-reset', 'trade/mass-cancel')

# mmpFrozenUntil is documented as remaining ms and was documented as a timestamp: its magnitude tells
EPOCH_FROM = 10**11


class OkxMmp(Mmp):
    """The OKX side of the MMP methods, for any flavour of ``ccxt.okx``."""

    _underlying_field = 'instFamily'
    _accepted_underlyings = "'BTC/USD', 'BTC/USD:USD', an option's symbol, an instrument family or an option's id"

    def describe(self) -> Any:
        return self.deep_extend(
            super().describe(),
            {
                'has': {
                    'setMmp': True,
                    'resetMmp': True,
                    'fetchMmp': True,
                    'fetchMmps': True,
                    'massCancelMmp': True,
                },
                'options': {
                    'mmpLimits': {
                        'orders': {
                            'window': {'field': 'timeInterval', 'integer': True, 'min': 0},
                            'frozenTime': {'field': 'frozenInterval', 'integer': True, 'min': 0},
                            'qtyLimit': {'field': 'qtyLimit', 'integer': False, 'above': 0},
                            'deltaLimit': None,
                            'countLimit': None,
                            'lockInterval': {'field': 'lockInterval', 'integer': True, 'min': 0, 'max': 10000},
                        },
                        'rfq': {
                            'window': {'field': 'timeInterval', 'integer': True, 'min': 0, 'max': 600000},
                            'frozenTime': {'field': 'frozenInterval', 'integer': True, 'min': 0},
                            'qtyLimit': None,
                            'deltaLimit': None,
                            'countLimit': {'field': 'countLimit', 'integer': True, 'min': 1},
                            'lockInterval': None,
                        },
                    },
                },
                'exceptions': {
                    'exact': {
                        '51034': MmpFrozen,  # Fill rate exceeds the limit that you've set. Please reset the market...
                        '51035': MmpNotEnabled,  # This account doesn't have permission to submit MM quote order.
                        '51036': InvalidOrder,  # Only options instrument of the PM account supports MMP orders.
                        '51042': InvalidOrder,  # Under the Portfolio margin account, users can only place market...
                        '51411': MmpNotEnabled,  # Account does not have permission for mass cancellation.
                        '54008': MassCancelLocked,  # This operation is disabled by the 'mass cancel order' endpoint...
                        '59509': MmpNotEnabled,  # Account does not have permission to reset MMP status
                        '70007': BadSymbol,  # Underlying index {instFamily} does not exist under instType {instType}.
                        '70008': MmpFrozen,  # Operation failed under MMP status.
                    },
                    # these mean something else, or nothing for certain, elsewhere
                    'mmp': {
                        '2': OperationFailed,  # a part of the operation failed
                        '50030': PermissionDenied,  # You don't have permission to use this API endpoint
                        '50038': NotSupported,  # This feature is unavailable in demo trading
                    },
                    'massCancel': {
                        '54009': BadRequest,  # The range of {param0} should be [{param1}, {param2}].
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
        family = self._mmp_underlying('setMmp', scope, underlying, params)
        rule = self._mmp_rule(
            'setMmp',
            scope,
            {'window': window, 'frozenTime': frozenTime, 'qtyLimit': qtyLimit, 'deltaLimit': deltaLimit},
            params,
        )
        endpoint = self.privatePostRfqMmpConfig if scope == 'rfq' else self.privatePostAccountMmpConfig
        response = await self._mmp_request(endpoint, {**self._family(family), **rule, **NEVER_REPEAT})
        #
        #     {"code":"0","msg":"","data":[
        #         {"frozenInterval":"2000","instFamily":"BTC-USD","qtyLimit":"100","timeInterval":"5000"}
        #     ]}
        #
        return self._parse_mmp_state('setMmp', scope, family, self._first_entry('setMmp', response))

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        nothing_named = underlying is None and params.get('instFamily') is None
        scope, params = self._mmp_scope('resetMmp', params, 'rfq' if nothing_named else 'orders')
        family = self._mmp_underlying('resetMmp', scope, underlying, params)
        request = {**self._family(family), **self._sent(params), **NEVER_REPEAT}
        if scope == 'rfq':
            response = await self._mmp_request(self.privatePostRfqMmpReset, request)
            #
            #     {"code":"0","msg":"","data":[{"ts":"1597026383085"}]}
            #
        else:
            response = await self._mmp_request(self.privatePostAccountMmpReset, {'instType': 'OPTION', **request})
            #
            #     {"code":"0","msg":"","data":[{"result":true}]}
            #
        entry = self._first_entry('resetMmp', response)
        timestamp = self._safe_integer(entry, 'ts')
        if scope == 'rfq' and timestamp is None:
            raise BadResponse(f'{self.id} resetMmp() received an answer without a ts: {shown(entry)}')
        return {
            **self._unknown_mmp_state(entry, scope, family),
            'frozen': False,
            'timestamp': timestamp,
            'datetime': self.iso8601(timestamp),
        }

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        scope, params = self._mmp_scope('fetchMmp', params)
        family = self._mmp_underlying('fetchMmp', scope, underlying, params)
        endpoint = self.privateGetRfqMmpConfig if scope == 'rfq' else self.privateGetAccountMmpConfig
        response = await self._mmp_request(endpoint, {**self._family(family), **self._sent(params)})
        #
        #     {"code":"0","msg":"","data":[
        #         {"frozenInterval":"2000","instFamily":"ETH-USD","mmpFrozen":true,"mmpFrozenUntil":"1000",
        #          "qtyLimit":"10","timeInterval":"5000"}
        #     ]}
        #
        entries = self._entries('fetchMmp', response)
        if not entries:
            return self._no_mmp_rule(scope, family)
        return self._parse_mmp_state('fetchMmp', scope, family, self._with_freeze('fetchMmp', entries[0]))

    async def _fetch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        scope, params = self._mmp_scope('fetchMmps', params)
        if scope == 'rfq':
            raise NotSupported(f'{self.id} fetchMmps() has no underlyings in the scope rfq, use fetchMmp()')
        families = self._mmp_underlyings('fetchMmps', scope, underlyings, params)
        response = await self._mmp_request(self.privateGetAccountMmpConfig, self._sent(params))
        listed = {self._family_of('fetchMmps', entry): entry for entry in self._entries('fetchMmps', response)}
        states = [
            self._parse_mmp_state('fetchMmps', scope, family, self._with_freeze('fetchMmps', listed[family]))
            if family in listed
            else self._no_mmp_rule(scope, family)
            for family in families or listed
        ]
        return self._by_underlying(states)

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        scope, params = self._mmp_scope('massCancelMmp', params)
        family = self._mmp_underlying('massCancelMmp', scope, underlying, params)
        if family is None:
            raise NotSupported(f'{self.id} massCancelMmp() cancels orders, there is none in the scope rfq')
        lock, params = self._mmp_option('massCancelMmp', 'lockInterval', None, params)
        request = {'instType': 'OPTION', 'instFamily': family}
        if lock is not None:
            limit = self.options['mmpLimits'][scope]['lockInterval']
            request['lockInterval'] = self._mmp_number('massCancelMmp', 'lockInterval', limit, lock)
        await self._adjust_clock()
        sent_at = self.nonce()
        response = await self._mmp_request(
            self.privatePostTradeMassCancel, {**request, **self._sent(params), **NEVER_REPEAT}
        )
        #
        #     {"code":"0","msg":"","data":[{"result":true}]}
        #
        self._first_entry('massCancelMmp', response)
        locked = self._safe_integer(request, 'lockInterval')
        return {
            'info': response,
            'underlying': self._unified_underlying(family),
            'underlyingId': family,
            'orders': None,
            'lockedUntil': sent_at + locked if locked else None,
            'timestamp': None,
            'datetime': None,
        }

    # --- underlyings

    @staticmethod
    def _parse_underlying(text: str) -> str | None:
        own = OWN_ID.fullmatch(text)
        if own:
            return f'{own["base"]}-USD{own["usd_margined"] or ""}'
        unified = UNIFIED.fullmatch(text)
        if unified is None:
            return None
        families = {None: '', unified['base']: '', 'USD': '_UM'}
        suffix = families.get(unified['settle'])
        return None if suffix is None else f'{unified["base"]}-USD{suffix}'

    @staticmethod
    def _unified_underlying(underlying_id: str) -> str | None:
        own = OWN_ID.fullmatch(underlying_id)
        if own is None:
            return None
        return f'{own["base"]}/USD:{"USD" if own["usd_margined"] else own["base"]}'

    @staticmethod
    def _family(family: str | None) -> Params:
        return {} if family is None else {'instFamily': family}

    # --- answers

    def _family_of(self, method: str, entry: dict[str, Any]) -> str:
        family: str | None = self.safe_string(entry, 'instFamily')
        if family is None:
            raise BadResponse(f'{self.id} {method}() received a rule without an instFamily: {shown(entry)}')
        return family

    def _entries(self, method: str, response: object) -> list[dict[str, Any]]:
        data = response.get('data') if isinstance(response, dict) else None
        if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
            raise BadResponse(f'{self.id} {method}() received an answer without a list of data: {shown(response)}')
        return data

    def _first_entry(self, method: str, response: object) -> dict[str, Any]:
        entries = self._entries(method, response)
        if not entries:
            raise NullResponse(f'{self.id} {method}() received an answer without data: {shown(response)}')
        return entries[0]

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
            'qtyLimit': self.safe_number(entry, 'qtyLimit'),
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
        # a proxyUrl prefixes the whole URL and percent-encodes it
        path = MMP_PATH.search(unquote(url))
        if path is None or not isinstance(response, dict):
            return super().handle_errors(
                httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
            )
        feedback = f'{self.id} {body}'
        data = [entry for entry in self.safe_list(response, 'data', []) if isinstance(entry, dict)]
        for code in [self.safe_string(response, 'code'), *(self.safe_string(entry, 'sCode') for entry in data)]:
            if path['path'] == 'trade/mass-cancel':
                self.throw_exactly_matched_exception(self.exceptions['massCancel'], code, feedback)
            self.throw_exactly_matched_exception(self.exceptions['mmp'], code, feedback)
        handled = super().handle_errors(
            httpCode, reason, url, method, headers, body, response, requestHeaders, requestBody
        )
        if path['path'] in PATHS_WITH_RESULT and any(entry.get('result') is not True for entry in data):
            raise OperationFailed(feedback)
        return handled
