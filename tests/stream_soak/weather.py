"""What goes wrong at random: connections, logins, subscriptions, pushes, mass cancels and reads."""

import asyncio
from collections import Counter

from ccxt_mmp.simulator.socket_faults import SocketFault

CONNECTIONS = ('drop', 'close', 'mute', 'notice', 'conn_count_error')
PUSHES = ('lose', 'duplicate', 'delay')
OPERATIONS = ('lose', 'drop', 'drop_after', 'mute', 'delay', 'duplicate')
OPS = ('login', 'subscribe', 'mass-cancel', 'public/auth', 'private/subscribe', 'auth')  # as the exchanges call them
READS = ('mmp-config', 'mmp', 'get_mmp_config', 'mmp-state')  # the paths by which rules are read
READ_KINDS = ('status', 'drop_before', 'malformed', 'delay')
LATE = 300  # ms by which something is late, at most
REFUSED = 0.3  # s for which an object has the wrong secret


class Weather:
    def __init__(self, simulator, dice, bots, every):
        self.simulator = simulator
        self.dice = dice
        self.bots = bots  # a list that may change
        self.every = every  # s, on average
        self.faults = Counter()

    async def live(self):
        kinds = (self.break_connection, self.break_push, self.break_operation, self.break_read, self.end_the_mute)
        while True:
            await asyncio.sleep(self.dice.uniform(0, 2 * self.every))
            if self.dice.random() < 0.1:
                await self.refuse_login(self.dice.choice(self.bots))
            else:
                self.dice.choice(kinds)()

    def strike(self, kind, **details):
        """A fault of sockets, unless there is one of its kind that has not struck yet."""
        if not any((each.kind, each.op) == (kind, details.get('op')) for each in self.simulator._sockets.faults):
            self.simulator._sockets.strike(SocketFault(kind, **details))
            self.faults[' '.join(filter(None, (details.get('op'), kind)))] += 1

    def break_connection(self):
        self.strike(self.dice.choice(CONNECTIONS))

    def break_push(self):
        times, late = self.dice.randint(1, 6), self.dice.randint(0, LATE)
        self.strike(self.dice.choice(PUSHES), times=times, milliseconds=late)

    def break_operation(self):
        kind, op = self.dice.choice(OPERATIONS), self.dice.choice(OPS)
        self.strike(kind, op=op, milliseconds=self.dice.randint(0, LATE))

    def break_read(self):
        kind, path = self.dice.choice(READ_KINDS), self.dice.choice(READS)
        if len(self.simulator._faults) < len(READS):  # some paths are of an exchange that nobody watches
            self.simulator.fault(kind, f'/{path}', times=1, status=503, milliseconds=self.dice.randint(1, LATE))
            self.faults[f'read {kind}'] += 1

    def end_the_mute(self):
        """Without it all would be mute before long: ccxt notices after a minute, or later."""

        def drop():
            for each in self.simulator._sockets._connections:
                if each.is_muted:
                    each.drop()

        self.simulator._sockets._run(drop)

    async def refuse_login(self, bot):
        """Its requests over REST are refused, too."""
        self.faults['refused'] += 1
        right, bot.exchange.secret = bot.exchange.secret, 'wrong'  # pragma: allowlist secret
        self.strike('drop')
        await asyncio.sleep(self.dice.uniform(0, 2 * REFUSED))
        bot.exchange.secret = right

    def clear(self):
        self.end_the_mute()
        self.simulator.clear_faults()
