"""What an account holds of an option: made by its fills alone."""

from dataclasses import dataclass
from decimal import Decimal

from ccxt_mmp.simulator.instruments import Instrument


@dataclass(eq=False)
class Position:
    """Contracts are positive for those that were bought; prices are in the option's own unit, times are ms."""

    instrument: Instrument
    position_id: str
    quantity: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)  # of what is held
    realized: Decimal = Decimal(0)  # profit of what was closed, since the position was opened
    opened: int = 0
    updated: int = 0

    def trade(self, contracts: Decimal, price: Decimal, now: int) -> None:
        """Buy contracts, or sell so many if they are negative."""
        before, after = self.quantity, self.quantity + contracts
        if before == 0:
            self.opened, self.realized = now, Decimal(0)
        if before * contracts < 0:  # some of it is closed
            closed = min(abs(contracts), abs(before)) * (1 if before > 0 else -1)
            self.realized += (price - self.average_price) * closed * self.instrument.coins_per_contract
        if before * contracts >= 0:
            self.average_price = (self.average_price * before + price * contracts) / after
        elif before * after < 0:  # turned round
            self.average_price, self.opened = price, now
        self.quantity, self.updated = after, now

    def worth(self, price: Decimal) -> Decimal:
        """What it would be closed for at a price."""
        return self.quantity * price * self.instrument.coins_per_contract

    def unrealized(self, price: Decimal) -> Decimal:
        return self.worth(price - self.average_price)
