"""What a test or a bot's author orders of cancellations: which are refused, when and whether they are done."""

from ccxt_mmp.simulator.accounts import Order
from ccxt_mmp.simulator.state import State

MAX_PROCESSING_TIME = 600_000  # ms


class CancelControl:
    """A part of ``Simulator``."""

    _state: State

    def order(self, order_id: str) -> Order:
        """Any order by its id."""
        with self._state.held():
            return self._state.find_order(order_id)[1]

    def refuse_cancel(self, order_id: str, *, acknowledged: bool = False) -> None:
        """Refuse every cancellation of an order by its owner, alone or in a batch, until ``allow_cancel``.

        The exchange itself still cancels it: by underlying, by a mass cancel, by a countdown or by a trigger.

        :param bool acknowledged: of a venue that only acknowledges (Bybit): every request to cancel it is accepted, by
            underlying too, and nothing comes of it
        """
        if not isinstance(acknowledged, bool):
            raise TypeError(f'a request is acknowledged or not, {acknowledged!r} is neither')
        order = self.order(order_id)
        order.cancel_refused, order.cancel_fails_later = not acknowledged, acknowledged

    def allow_cancel(self, order_id: str) -> None:
        """End ``refuse_cancel``."""
        order = self.order(order_id)
        order.cancel_refused = order.cancel_fails_later = False

    @property
    def processing_time(self) -> int:
        """ms of the exchange's clock from an acknowledged cancellation until it is done, on venues that acknowledge.

        0: it is done when it is answered. Meanwhile the order rests, may be filled, and is listed.
        """
        return self._state.engine.processing_time

    @processing_time.setter
    def processing_time(self, milliseconds: int) -> None:
        if type(milliseconds) is not int or not 0 <= milliseconds <= MAX_PROCESSING_TIME:
            raise ValueError(f'a processing time is an integer from 0 to {MAX_PROCESSING_TIME}, not {milliseconds!r}')
        self._state.engine.processing_time = milliseconds
