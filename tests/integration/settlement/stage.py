"""Settlement with its gateway, and a bank of the tests' own, stepped by hand."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from goodfunds.clock import FixedClock
from goodfunds.events import types
from goodfunds.events.topics import BANK_NOTIFICATIONS
from goodfunds.lanes import Emission
from goodfunds.rails import RAILS
from services.settlement.gateway.bank import Bank
from services.settlement.gateway.messages import House
from services.settlement.gateway.source import Gateway
from tests.integration.settlement.desk import NOSTRO, NOSTRO_LANE, PARTITIONS, Desk, Numbers
from tests.integration.settlement.paper_bank import PaperBank


@dataclass
class Stage:
    """Settlement with its gateway, stepped by hand."""

    desk: Desk
    pool: Any
    bank: PaperBank
    clock: FixedClock
    gateway: Gateway
    link: Bank
    emitted: list[Emission] = field(default_factory=list)
    delivered: int = 0

    async def step(self, record: bool = True) -> Any:
        """One look and, unless it dies before, its record."""
        work = await self.gateway.look()
        if work is not None and record:
            async with self.desk.connection.transaction():
                self.emitted += await self.gateway.record(
                    self.desk.connection, work, self.clock.now(), Numbers()
                )
        return work

    def lose_told(self) -> None:
        """What the gateway told reaches nobody."""
        self.emitted.clear()
        self.delivered = 0

    async def deliver(self) -> list[Any]:
        """Have the lanes handle what the gateway told them since; the events that follow."""
        records: dict[int, list[Any]] = {}
        for each in self.emitted[self.delivered :]:
            records.setdefault(each.partition, []).append(
                self.desk.record(BANK_NOTIFICATIONS, each.partition, each.body)
            )
        self.delivered = len(self.emitted)
        return await self.desk.poll(records, self.clock.now()) if records else []

    async def run(self) -> None:
        """Step until there is nothing to do."""
        while await self.step() is not None:
            pass

    async def die(self) -> None:
        """The process ends; another takes its place."""
        await self.link.close()
        self.gateway, self.link = gateway_of(self.pool, self.bank, self.clock)

    def wait(self, time: timedelta) -> None:
        self.clock.at += time

    async def attempts(self) -> list[str]:
        rows = await self.desk.connection.fetch("SELECT state FROM attempts ORDER BY attempt")
        return [row[0] for row in rows]

    def events(self, kind: type[Any]) -> list[Any]:
        return [found for each in self.emitted if isinstance(found := types.decode(each.body), kind)]


def gateway_of(pool: Any, bank: PaperBank, clock: FixedClock) -> tuple[Gateway, Bank]:
    link = Bank(bank.address(), bank.http)
    house = House("The House", NOSTRO, "COBADEFFXXX")
    return Gateway(pool, link, RAILS, house, PARTITIONS, NOSTRO_LANE, clock, timedelta(seconds=30)), link
