"""The public MMP methods with their documentation, and the helpers that all exchanges share."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

from ccxt.base.errors import ArgumentsRequired, BadRequest, BadSymbol, ExchangeError, NotSupported

from ccxt_mmp._redaction import LOGGER, redacted, remember
from ccxt_mmp.core.aliases import Aliases
from ccxt_mmp.core.credentials import are_checked, check_credentials, has_stock_check
from ccxt_mmp.core.halting import Halting
from ccxt_mmp.core.mass_cancels import MassCancels
from ccxt_mmp.core.params import NO_PARAMS, option_names
from ccxt_mmp.core.requests import Requests
from ccxt_mmp.core.rules import Rules
from ccxt_mmp.core.socket_contract import SocketContract
from ccxt_mmp.core.states import MmpStates
from ccxt_mmp.core.streams import OF_PRO, Streams, of_flavour
from ccxt_mmp.core.text import shown
from ccxt_mmp.types import MassCancel, MmpState, Number, Params, Scope

SCOPES: tuple[Scope, ...] = ('orders', 'rfq')
# every method of this package, and whether an exchange has it unless its mixin says otherwise
HAS = {
    **dict.fromkeys(('setMmp', 'resetMmp', 'fetchMmp', 'fetchMmps', 'warmUp'), False),
    **dict.fromkeys(('massCancelMmp', 'massCancelMmps', 'massCancelMmpWs', 'createOrdersWs'), False),
    **dict.fromkeys(OF_PRO, False),
    **dict.fromkeys(('haltMmp', 'resumeMmp', 'fetchMmpHalt', 'fetchMmpHalts'), True),  # core's alone
}


def added_settings(of_mixin: dict[str, Any], stock: dict[str, Any]) -> dict[str, Any]:
    """What is added to ccxt's settings: those of an exchange mixin, with every name of ``HAS``."""
    has = {**HAS, **of_mixin.get('has', {})}
    return {**of_mixin, 'has': of_flavour(has, stock.get('has') or {})}


class Mmp(Streams, Halting, MassCancels, Rules, MmpStates, Requests, SocketContract, Aliases):
    """Market Maker Protection, unified: the methods that every exchange class of this package has.

    ``SyncMmp`` returns results, ``AsyncMmp`` awaitables of the same; the exchange mixins know the endpoints.

    The **underlying** names what the exchange protects: ``'BTC/USD'`` (OKX, coin-settled; ``BTC-USD_UM`` is another
    family, ``'BTC/USD:USD'``), ``'BTC/USDT'`` (Binance), ``'BTC/USD'`` or ``'BTC/USDC'`` (Deribit),
    ``'BTC'`` (Bybit, a coin whatever it settles in), the exchange's own id, or the symbol or id of any of its options
    (Deribit: futures, too). No MMP method loads markets.

    **Units.** Times are milliseconds. ``qtyLimit`` is in contracts, as ``amount`` in ``create_order``; contracts
    differ: 100 contracts are about 1 BTC on OKX, 100 BTC elsewhere. ``{'qtyUnit': 'base'}`` in ``set_mmp``
    takes coins instead. ``deltaLimit`` is in the underlying coin.

    **Errors**, before anything is sent: ``ArgumentsRequired`` (missing), ``BadSymbol`` (underlying), ``BadRequest``
    (bad value, misspelt name), ``NotSupported`` (the exchange has no place for it). From the exchange: ``MmpFrozen``,
    ``MmpNotEnabled``, ``MassCancelLocked`` (see ``ccxt_mmp.errors``), ``OperationFailed`` and ccxt's other errors;
    ``BadResponse`` or ``NullResponse`` for an answer that does not say what it should.
    """

    # --- the public methods

    def set_mmp(
        self,
        underlying: str | None,
        window: Number | None,
        frozenTime: Number | None,
        qtyLimit: Number | None = None,
        deltaLimit: Number | None = None,
        params: Params = {},
    ) -> MmpState | Awaitable[MmpState]:
        """
        set the rule of a protection

        https://www.okx.com/docs-v5/en/#trading-account-rest-api-set-mmp
        https://www.okx.com/docs-v5/en/#block-trading-rest-api-set-mmp
        https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Set-Market-Maker-Protection-Config
        https://docs.deribit.com/api-reference/trading/private-set_mmp_config
        https://bybit-exchange.github.io/docs/v5/account/set-mmp

        Sends one request and never repeats it. After a transport error the outcome is unknown: ``fetch_mmp`` tells.

        OKX takes 2 calls in 10 seconds, and 1 in 10 seconds for the scope 'rfq'. With ccxt's rate limiter on, the third
        call in 10 seconds waits until there is room, up to 10 seconds.

        Deribit: what is not given is switched off; at least one limit is required. A set probably ends a freeze
        [unverified].

        Bybit's answer has no rule: the state is what was sent. Nothing switches a rule off there.

        :param str underlying: unified underlying, exchange id or option symbol, None with the scope 'rfq'
        :param int window: ms over which fills are counted, 0 = protection off (OKX, Deribit), 1 to 5000 on Binance
        :param int frozenTime: ms that a freeze lasts, 0 = until ``reset_mmp``; both whole seconds on Deribit
        :param float [qtyLimit]: contracts, required but on Deribit and for the scope 'rfq'
        :param float [deltaLimit]: net delta in the underlying coin, required on Binance and Bybit, not there on OKX
        :param dict [params]: extra parameters specific to the exchange API endpoint, sent as they are
        :param str [params.scope]: 'orders' (default) or 'rfq' (block trading: OKX has one protection per account,
            Deribit also one for each index)
        :param int [params.countLimit]: execution attempts, required with the scope 'rfq' (Deribit: of all)
        :param float [params.vegaLimit]: Deribit, Bybit: net vega in USD
        :param float [params.maxQuoteQuantity]: Deribit, required: coins that may rest on each side of an instrument
        :param str [params.mmpGroup]: Deribit: a group of mass quotes instead of orders; in all methods of a rule
        :param str [params.qtyUnit]: what qtyLimit counts, 'contracts' (default) or 'base', the underlying coin. On OKX
            coins are divided by the coins per contract of a loaded market of the family, or else of
            ``options['mmpContractSizes']``: ``ArgumentsRequired`` if neither has it, ``BadRequest`` if the result is no
            whole number. Elsewhere a contract is one coin.
        :returns dict: an MmpState
        """
        self._front_missing()

    def reset_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpState | Awaitable[MmpState]:
        """
        end a freeze, so that MMP orders are accepted again

        https://www.okx.com/docs-v5/en/#trading-account-rest-api-reset-mmp-status
        https://www.okx.com/docs-v5/en/#block-trading-rest-api-reset-mmp-status
        https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Reset-Market-Maker-Protection-Config
        https://docs.deribit.com/api-reference/trading/private-reset_mmp
        https://bybit-exchange.github.io/docs/v5/account/reset-mmp

        Sends one request and never repeats it: a lost answer followed by a repeated reset would wipe out a second
        freeze. After a transport error the outcome is unknown: ``fetch_mmp`` tells.

        :param str [underlying]: unified underlying, exchange id or option symbol; on OKX none means block trading
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :param str [params.scope]: 'orders' or 'rfq' (block trading: OKX, Deribit)
        :returns dict: an MmpState, ``frozen`` False
        """
        self._front_missing()

    def fetch_mmp(self, underlying: str | None = None, params: Params = {}) -> MmpState | Awaitable[MmpState]:
        """
        fetch the rule of a protection and whether it is frozen; no rule set is ``enabled`` False, not an error

        https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-mmp-config
        https://www.okx.com/docs-v5/en/#block-trading-rest-api-get-mmp-config
        https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Get-Market-Maker-Protection-Config
        https://docs.deribit.com/api-reference/trading/private-get_mmp_config
        https://docs.deribit.com/api-reference/trading/private-get_mmp_status

        :param str underlying: unified underlying, exchange id or option symbol, None with the scope 'rfq'
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :param str [params.scope]: 'orders' (default) or 'rfq' (block trading: OKX, Deribit)
        :returns dict: an MmpState
        """
        self._front_missing()

    def fetch_mmps(
        self, underlyings: Sequence[str] | None = None, params: Params = {}
    ) -> dict[str, MmpState] | Awaitable[dict[str, MmpState]]:
        """
        fetch several protections at once

        https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-mmp-config
        https://developers.binance.com/docs/derivatives/options-trading/market-maker-endpoints/Get-Market-Maker-Protection-Config
        https://docs.deribit.com/api-reference/trading/private-get_mmp_config

        OKX: one request that names no family, which presumably lists all of them [unverified]; a family that was asked
        for and is not listed has ``enabled`` False. ``fetch_mmp`` asks for one by name. Deribit: two requests, for the
        rules and for what is frozen. Binance, Bybit: one request for each.

        :param str[] [underlyings]: as in ``fetch_mmp``; required on Binance and Bybit, else all that the exchange lists
        :param dict [params]: extra parameters specific to the exchange API endpoint
        :returns dict: MmpStates by the names that were asked for, without names by unified underlying
        """
        self._front_missing()

    def mass_cancel_mmp(self, underlying: str, params: Params = {}) -> MassCancel | Awaitable[MassCancel]:
        """
        cancel every MMP order of an underlying, and no other order; returns only if the exchange says that it did

        https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-mass-cancel-order
        https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-cancel-multiple-orders
        https://developers.binance.com/docs/derivatives/options-trading/trade/Cancel-Multiple-Option-Orders
        https://developers.binance.com/docs/derivatives/options-trading/trade/Cancel-All-Option-Orders-By-Underlying
        https://docs.deribit.com/api-reference/trading/private-cancel_by_label

        Waits for its own documented limit alone, never behind other calls, and goes over connections of its own. MMP
        orders of the underlying that this object still has waiting to be sent are not sent any more and fail with
        ``MassCancelLocked``; orders asked for after it returned go through. If MMP orders of this object are in flight,
        it waits for their answers and cancels again. An order counts as in flight for at most the object's ``timeout``
        and one second. An order of the same task or thread that this call interrupts (in a signal handler) may be sent
        after it: then it is a ``MassCancelIncomplete``. It cannot stop the orders of other programs or objects (OKX:
        ``lockInterval`` does; elsewhere, and for longer, a halt: ``halt_mmp``).

        OKX: one request, and a second one after orders that were in flight. A call without ``lockInterval`` may end the
        lock of an earlier one [unverified].

        Binance has no endpoint that cancels MMP orders alone, so there it takes several requests: it lists the open
        orders, cancels those with the flag contract by contract, and lists again, up to three times. Until it is over,
        orders that rest may still be filled, and orders that another program places meanwhile may be missed by it.
        ``{'includeNonMmp': True}`` is one request that cancels every order of the underlying, with the flag or without.
        OKX does as Binance with ``{'emulate': True}``.

        Deribit: the same, by label where no other order has it, quotes together, the rest one by one, 20 at once and
        5 a second (``options['mmpRateLimits']``).

        Bybit: the same, of the orders whose client order id has the tag (``options['createOrder']['mmpTag']``), in
        batches of 20. Answers only acknowledge there: an order that is still listed is waited for, up to 2 seconds.

        A cancel of several requests that found nothing asks whether the exchange knows the underlying: ``BadSymbol``.

        Retries transient failures at once, at most twice, and waits out rate limits within its time; not HTTP 429 or
        418 of Binance and 403 of Bybit, when the address would be banned. What could not be cancelled, or may not have
        been, is in a ``MassCancelIncomplete`` (``.cancelled``, ``.remaining``, ``.unknown``).

        Params cannot narrow what it cancels: those that are not listed here are ``NotSupported``. Exceptions are the
        underlying under the exchange's own name, ``recvWindow`` (sent to Binance alone), and ccxt's ``type``,
        ``portfolioMargin`` and retry options, which it passes over.

        :param str underlying: unified underlying, exchange id or option symbol
        :param dict [params]: none but the following
        :param int [params.lockInterval]: OKX: ms, 0 to 10000, during which it refuses new MMP orders; 0 = unlock
        :param int [params.timeout]: ms that the whole call may take, 10000 by default; each answer has a third of what
            is left of it, and at least a tenth of all
        :param bool [params.emulate]: OKX: list, cancel and verify as on Binance, for accounts without the privilege
        :param bool [params.includeNonMmp]: not on OKX: cancel every order of the underlying, in one request
        :param bool [params.hedge]: OKX and Deribit, pro: over REST and the websocket at once; the first success counts,
            and costs twice as much (OKX: 2 of the 5 calls in 2 seconds). What the slower way has sent may arrive after
            the call has returned
        :param bool [params.halt]: True to ``halt_mmp`` the underlying, too, also with its ``reason`` and ``duration``
        :returns dict: a MassCancel; ``orders`` are those known to be cancelled by it, without those whose answer was
            lost, None where none are listed. With ``emulate`` an order counts as cancelled whose cancellation OKX
            accepted and which it does not list any more [unverified]
        """
        self._front_missing()

    def warm_up(self, params: Params = {}) -> Awaitable[None] | None:
        """
        open a connection of the kill switch and load the time difference, so that it waits for neither

        https://www.okx.com/docs-v5/en/#public-data-rest-api-get-system-time
        https://developers.binance.com/docs/derivatives/options-trading/market-data/Check-Server-Time
        https://docs.deribit.com/api-reference/supporting/public-get_time

        One request, to the server's clock. The connection stays open as long as the exchange and the HTTP client of
        ccxt keep it: call it again from time to time if nothing else is sent. After it ``options['timeDifference']``
        is set, whatever ``adjustForTimeDifference`` says.

        :param dict [params]: none but the following
        :param bool [params.hedge]: OKX and Deribit, pro: also open the websocket and log in, by default as
            ``options['massCancelMmp']['hedge']`` says
        :returns None: when all is done
        """
        self._front_missing()

    # --- the cores, implemented once by the exchange mixins

    async def _set_mmp(
        self,
        underlying: str | None,
        window: Number | None,
        frozenTime: Number | None,
        qtyLimit: Number | None,
        deltaLimit: Number | None,
        params: Params,
    ) -> MmpState:
        raise NotSupported(f'{self.id} setMmp() is not supported yet')

    async def _reset_mmp(self, underlying: str | None, params: Params) -> MmpState:
        raise NotSupported(f'{self.id} resetMmp() is not supported yet')

    async def _fetch_mmp(self, underlying: str | None, params: Params) -> MmpState:
        raise NotSupported(f'{self.id} fetchMmp() is not supported yet')

    async def _fetch_mmps(self, underlyings: Sequence[str] | None, params: Params) -> dict[str, MmpState]:
        raise NotSupported(f'{self.id} fetchMmps() is not supported yet')

    async def _mass_cancel_mmp(self, underlying: str | None, params: Params) -> MassCancel:
        raise NotSupported(f'{self.id} massCancelMmp() is not supported yet')

    async def _warm_up(self, params: Params) -> None:
        raise NotSupported(f'{self.id} warmUp() is not supported yet')

    # --- set by the exchange mixins

    _underlying_field: str  # the exchange's name of the underlying in requests and answers
    _market_field: str = ''  # and in the info of its markets, if it is another one
    _rfq_has_underlyings: bool = False  # else block trading has one protection per account
    _accepted_underlyings: str  # for the message of a BadSymbol

    @staticmethod
    def _parse_underlying(text: str) -> str | None:
        """The exchange's id of the underlying, or None if the text names no underlying."""
        raise NotImplementedError

    @staticmethod
    def _unified_underlying(underlying_id: str) -> str | None:
        """The unified form of an exchange's id, or None if the id has no known form."""
        raise NotImplementedError

    # --- shared by the exchange mixins

    logger = LOGGER  # replaces ccxt's, unless the user sets another one

    def log(self, *args: Any) -> None:
        """Print verbose output as ccxt does, with ``***`` for keys, passphrases and signatures."""
        super().log(*(redacted(str(each)) for each in args))

    def check_required_credentials(self, error: bool = True) -> Any:
        if not error:
            remember(self)
        elif are_checked(self):
            kind: Any = type(self)
            if has_stock_check(kind):
                return True  # ccxt's would look at each of them again
        else:
            check_credentials(self)
        return super().check_required_credentials(error)

    def describe(self) -> Any:
        described = super().describe()
        return self.deep_extend(described, added_settings(self._describe_mmp(), described))

    def _mmp_option(self, method: str, name: str, default: Any, params: Params) -> tuple[Any, Params]:
        """Like ccxt's handle_option_and_params, but faster, and an empty string in params counts as given."""
        given = params.get(name) if params else None
        if given is not None:
            return given, {key: value for key, value in params.items() if key != name}
        options = self.options
        of_method = options.get(method)
        name, default_name = names = option_names(name)
        if isinstance(of_method, dict) and (name in of_method or default_name in of_method):
            for key in names:
                if of_method.get(key) is not None:
                    return of_method[key], params
        if name in options or default_name in options:
            for key in names:
                if options.get(key) is not None:
                    return options[key], params
        return default, params

    def _flag_option(self, method: str, name: str, params: Params) -> tuple[bool, Params]:
        flag, rest = self._mmp_option(method, name, False, params)
        return flag is not False and bool(self._flag(method, name, flag, BadRequest)), rest

    def _flag(self, method: str, name: str, value: object, error: type[ExchangeError]) -> bool | None:
        """The value if it is True, False or None; 1 and 0 are refused."""
        if value is not None and value is not True and value is not False:
            raise error(f'{self.id} {method}() {name} must be True, False or None, received {shown(value)}')
        return value

    def _mmp_scope(self, method: str, params: Params, default: Scope = 'orders') -> tuple[Scope, Params]:
        # ccxt cannot sign without it, and options that the user replaced may lack it
        self.options.setdefault('timeDifference', 0)
        if params is NO_PARAMS:
            return default, params
        self._refuse_misspelt(method, params, BadRequest)
        own = self._flag(method, self._scope_field, params.get(self._scope_field), BadRequest)
        scope, rest = self._mmp_option(method, 'scope', default, params)
        if scope not in SCOPES:
            raise BadRequest(f'{self.id} {method}() scope must be one of {", ".join(SCOPES)}, received {shown(scope)}')
        if own is not None:
            rest = self.omit(rest, self._scope_field)
            said: Scope = 'rfq' if own else 'orders'
            if params.get('scope') not in (None, said):
                raise BadRequest(f'{self.id} {method}() was asked for {said} by {self._scope_field} and for {scope}')
            scope = said
        if not self._has_scope(scope):
            raise NotSupported(f'{self.id} {method}() has no protection of the scope {scope}')
        if rest:
            self._refuse_what_has_no_place(method, scope, rest)
        return scope, rest

    def _mmp_underlying(
        self, method: str, scope: Scope, underlying: str | None, params: Params
    ) -> tuple[str | None, Params]:
        """The id of the underlying (None for the one protection of rfq), and the other params.

        The argument names it, or the exchange's own field in params, which is read in the same way.
        """
        field = self._underlying_field
        given = params.get(field) if params else None
        rest = {name: value for name, value in params.items() if name != field} if field in params else params
        is_named = underlying is not None or given is not None
        if scope == 'rfq' and is_named and not self._rfq_has_underlyings:
            raise BadRequest(f'{self.id} {method}() scope rfq is one protection per account, it takes no underlying')
        if scope == 'rfq' and not is_named:
            return None, rest
        if not is_named:
            raise ArgumentsRequired(f'{self.id} {method}() requires an underlying: {self._accepted_underlyings}')
        if given is None:
            return self._resolve_underlying(method, underlying), rest
        named = [self._resolve_underlying(method, each) for each in (underlying, given) if each is not None]
        if named[0] != named[-1]:
            raise BadRequest(
                f'{self.id} {method}() was asked for {named[0]} by the argument and for {shown(given)} by params'
            )
        return named[0], rest

    def _mmp_underlyings(
        self, method: str, scope: Scope, underlyings: Sequence[str] | None, params: Params
    ) -> tuple[dict[str, str | None], Params]:
        """The ids of several underlyings by the names that the caller used, and the other params."""
        if isinstance(underlyings, str) or not isinstance(underlyings, (Iterable, type(None))):
            raise BadRequest(f'{self.id} {method}() takes a list of underlyings, received {shown(underlyings)}')
        given: Any = params.get(self._underlying_field)
        names: list[Any] = list(underlyings or ()) or [given] * (given is not None)
        ids = [self._mmp_underlying(method, scope, name, params)[0] for name in names]
        rest = {name: value for name, value in params.items() if name != self._underlying_field}
        return {given if name is None else name: each for name, each in zip(names, ids, strict=True)}, rest

    def _resolve_underlying(self, method: str, underlying: object) -> str:
        resolved = self._underlying_named(underlying) if isinstance(underlying, str) else None
        if resolved is None:
            raise BadSymbol(
                f'{self.id} {method}() cannot tell the underlying from {shown(underlying)}, '
                f'it accepts {self._accepted_underlyings}'
            )
        return resolved

    def _underlying_named(self, text: str) -> str | None:
        """The underlying of a name, a symbol or an id; what the loaded market says goes first."""
        return self._listed_underlying(text) or self._parse_underlying(text)

    def _listed_underlying(self, text: str) -> str | None:
        """The underlying of the loaded market with this symbol or id, if its orders can have the flag."""
        if not self.markets:
            return None
        by_symbol = self.safe_dict(self.markets, text)
        by_id = self.safe_list(self.markets_by_id or {}, text, [])
        for market in [by_symbol, *by_id]:
            if isinstance(market, dict) and self._can_have_flag(market):
                field = self._market_field or self._underlying_field
                family: str | None = self.safe_string(self.safe_dict(market, 'info'), field)
                if family is not None:
                    return family
        return None
