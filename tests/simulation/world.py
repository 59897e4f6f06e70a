"""The world of a story: the services' own code on a real Postgres, between a simulated log and a bank.

Two instances of everything that works lanes or a feed. All of it runs in one thread, in virtual time.
"""

import asyncio
import importlib
import pkgutil
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from unittest.mock import patch

import goodfunds.lanes
import goodfunds.replay
import goodfunds.replay.running
import goodfunds.replay.slices
from goodfunds.errors import Unavailable
from goodfunds.events.topics import TOPICS
from goodfunds.lanes import Feed, LaneLoop, LaneSettings, lane_of
from goodfunds.lanes.fence import SQL as LANES_SQL
from goodfunds.operating.operated import Operated, operated_by
from goodfunds.rails import RAILS
from goodfunds.replay.planning import SQL as REPLAY_SQL
from goodfunds.replay.running import Replays
from services.ingestion.handlers import IngestionHandler
from services.ingestion.intake import FileIntake
from services.ingestion.store import SQL as INGESTION_SQL
from services.reconciliation.handlers import ReconciliationHandler
from services.reconciliation.statement_reader import StatementReader
from services.reconciliation.store import SQL as RECONCILIATION_SQL
from services.settlement.gateway.bank import Bank
from services.settlement.gateway.messages import House
from services.settlement.gateway.source import Gateway
from services.settlement.handlers import SettlementHandler
from services.settlement.store import SQL as SETTLEMENT_SQL
from tests.simulation import instances
from tests.simulation.bank import GatewayDoor, SimulatedBank, StatementDoor, Terms
from tests.simulation.bugs import Buggy
from tests.simulation.client import Client
from tests.simulation.clients import Clients
from tests.simulation.database import Pool, Server
from tests.simulation.instances import Gates, Instance, InstanceClock, Struck
from tests.simulation.log import Log
from tests.simulation.steps import SERVICES

T = TypeVar("T")

PARTITIONS = 3
NOSTRO = "DE98500105170099999999"
NOSTRO_LANE = lane_of(NOSTRO, PARTITIONS)
DAWN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""When stories begin: a Monday on which TARGET is open."""

_STATEMENTS = {
    text: name
    for named in (LANES_SQL, INGESTION_SQL, SETTLEMENT_SQL, RECONCILIATION_SQL, REPLAY_SQL)
    for name, text in named.items()
}
_CODE = "the code of the story"
_SLICE_RECORDS = 12
"""Of a replay: so few that it meets with what befalls its lanes."""
OPENING_MINOR = 5_000_000_00
"""What the bank holds for the house when a story begins."""


@dataclass(frozen=True, slots=True)
class TrueClock:
    """The bank's clock, which is right."""

    world: "World"

    def now(self) -> datetime:
        return self.world.now()


@dataclass(frozen=True, slots=True)
class Seat:
    """A place for instances: one after another of them lives there."""

    name: str
    service: str
    begin: Callable[[InstanceClock], Callable[[asyncio.Event], Awaitable[None]]]


class World:
    """Everything that a story acts on. `told` are its lines: the same for the same seed."""

    def __init__(self, seed: int, dsns: Mapping[str, str]) -> None:
        self.random = random.Random(seed)
        self.told: list[str] = []
        self.jumped = timedelta()
        self.dsns = dsns
        self.gates = Gates(self.tell)
        self.log = Log(self.now, self.random, self.tell)
        self.gates.on_freeze = self.log.silence
        self.server = Server(self.gates, _STATEMENTS, self.now)
        self.clients = Clients(self.log, self.gates, self.random)
        self.seats = self._seats()
        self.instances: dict[str, Instance] = {}
        self.operated: dict[str, Operated] = {}
        self.people: list[asyncio.Task[Any]] = []
        self.bugs: dict[str, set[bytes]] = {service: set() for service in SERVICES}
        self._banking: asyncio.Task[None] | None = None
        self.client = Client(self.log, PARTITIONS)
        self.bank = SimulatedBank(DAWN.date(), TrueClock(self), Terms(lines_a_notification=7))
        self.bank.open_account(NOSTRO, "EUR", OPENING_MINOR)
        for topic in TOPICS:
            self.log.create(topic.name, PARTITIONS)

    def now(self) -> datetime:
        """The true wall clock."""
        return DAWN + self.jumped + timedelta(seconds=asyncio.get_running_loop().time())

    def tell(self, line: str) -> None:
        """Write a line of the story."""
        self.told.append(f"{asyncio.get_running_loop().time():9.3f} {line}")

    def open_the_bank(self) -> None:
        """Let the bank do its work every second, until the world ends."""
        self._banking = asyncio.get_running_loop().create_task(self._work_the_bank())

    async def _work_the_bank(self) -> None:
        while True:
            self.bank.judge()
            await asyncio.sleep(1)

    def start(self, seat: str) -> None:
        """Begin the life of an instance in a seat; one that lives there goes on."""
        living = self.instances.get(seat)
        if living is not None and not living.dead:
            return
        instance = Instance(seat, _not_yet, self.now)
        instance.start = self.seats[seat].begin(InstanceClock(instance))
        instance.on_crash.append(lambda: self.log.silence(instance))
        self.instances[seat] = instance
        instances.start(instance)
        self.tell(f"{seat} starts")

    async def stop(self, seat: str) -> None:
        """Let an instance finish as SIGTERM does."""
        instance = self.instances[seat]
        if instance.dead or instance.frozen:
            return
        instance.stop.set()
        assert instance.task is not None
        await asyncio.wait({instance.task}, timeout=30)
        instances.crash(instance)

    async def ask(self, service: str, statement: str, *arguments: Any) -> list[Any]:
        """Ask a service's database as somebody from outside, in turn."""
        dsn = self.dsns[service]
        found: list[Any] = await self.server.take_turn(
            None, lambda: self.server.watch(dsn, statement, *arguments)
        )
        return found

    async def look(self, service: str, what: Callable[[Any], Awaitable[T]]) -> T:
        """Look at a service's database from outside, in turn, with more than one statement."""
        dsn = self.dsns[service]
        return await self.server.take_turn(None, lambda: self.server.look(dsn, what))

    def mend(self) -> None:
        """Mend every bug that was planted."""
        for accounts in self.bugs.values():
            accounts.clear()

    def faults(self) -> list[str]:
        """Instances that ended by themselves with a fault: none should."""
        found = []
        for name, instance in self.instances.items():
            if not instance.dead and (fault := instances.fault_of(instance)) is not None:
                found.append(f"{name}: {fault!r}")
        return found

    async def end(self) -> None:
        """Crash all that lives, and close what is open."""
        if self._banking is not None:
            self._banking.cancel()
        for each in self.people:
            each.cancel()
        for instance in self.instances.values():
            instances.crash(instance)
        await asyncio.gather(
            *(each.task for each in self.instances.values() if each.task), *self.people,
            return_exceptions=True,
        )  # fmt: skip
        await self.server.see_lost()
        await self.server.close()

    def _seats(self) -> dict[str, Seat]:
        found = []
        for letter in "ab":
            found += [
                Seat(f"ingestion-{letter}", "ingestion", self._lanes("ingestion", IngestionHandler)),
                Seat(
                    f"settlement-{letter}",
                    "settlement",
                    self._lanes("settlement", lambda: SettlementHandler(NOSTRO, "EUR", RAILS)),
                ),
                Seat(
                    f"reconciliation-{letter}",
                    "reconciliation",
                    self._lanes("reconciliation", ReconciliationHandler),
                ),
                Seat(f"intake-{letter}", "ingestion", self._feed("ingestion", self._intake)),
                Seat(f"gateway-{letter}", "settlement", self._feed("settlement", self._gateway)),
                Seat(
                    f"statements-{letter}", "reconciliation", self._feed("reconciliation", self._statements)
                ),
            ]
        return {seat.name: seat for seat in found}

    def _settings(self, service: str, owner: str) -> LaneSettings:
        return LaneSettings(
            self.dsns[service], "simulated", PARTITIONS, owner, batch=self.random.choice((3, 20, 500)),
            due_every=3.0, prove_every=6.0, keep_days=1_000, in_flight=500,
        )  # fmt: skip

    def _lanes(self, service: str, handler: Callable[[], Any]) -> Any:
        def begin(clock: InstanceClock) -> Callable[[asyncio.Event], Awaitable[None]]:
            buggy: Any = Buggy(handler(), self.bugs[service])
            settings = self._settings(service, clock.instance.name)
            loop = LaneLoop(buggy, settings, clock, beside=Replays(_CODE))
            operated = operated_by(self._pool(service), clock, buggy, settings, loop.transactions, code=_CODE)
            self.operated[clock.instance.name] = operated

            async def run(stop: asyncio.Event) -> None:
                rehearsing = asyncio.create_task(operated.rehearsals.run(stop))
                try:
                    await loop.run(stop)
                finally:
                    rehearsing.cancel()
                    await asyncio.gather(rehearsing, return_exceptions=True)

            return run

        return begin

    def _feed(self, service: str, source: Callable[[InstanceClock], Any]) -> Any:
        def begin(clock: InstanceClock) -> Callable[[asyncio.Event], Awaitable[None]]:
            return Feed(source(clock), self._settings(service, clock.instance.name), clock, idle=2.0).run

        return begin

    def _intake(self, clock: InstanceClock) -> FileIntake:
        return FileIntake(self._pool("ingestion"), PARTITIONS)

    def _gateway(self, clock: InstanceClock) -> Gateway:
        return Gateway(
            self._pool("settlement"),
            # The door has what the gateway calls of a Bank; its contract suite holds it to the real one.
            cast(Bank, GatewayDoor(self.bank, self._bank_gate)),
            RAILS,
            House("Goodfunds House", NOSTRO, "INGDDEFF"),
            PARTITIONS,
            NOSTRO_LANE,
            clock,
            late_wait=timedelta(seconds=5),
            silence=timedelta(seconds=60),
        )

    def _statements(self, clock: InstanceClock) -> StatementReader:
        door = StatementDoor(self.bank, self._bank_gate)
        return StatementReader(self._pool("reconciliation"), door, PARTITIONS)

    async def _bank_gate(self, point: str) -> None:
        try:
            await self.gates(point)
        except Struck as struck:
            raise Unavailable(f"the bank was cut off at {struck}") from None

    def _pool(self, service: str) -> Any:
        return Pool(self.server, self.dsns[service])

    @contextmanager
    def simulated(self) -> Iterator[None]:
        """Let the lanes reach this world's log and databases in place of Kafka and of bare connections."""
        doors = {
            "AIOKafkaConsumer": self.clients.consumer,
            "AIOKafkaProducer": self.clients.producer,
            "AIOKafkaAdminClient": self.clients.admin,
            "connect": self.server.connect,
        }
        with ExitStack() as patches:
            for room in (goodfunds.lanes, goodfunds.replay):
                for found in pkgutil.walk_packages(room.__path__, f"{room.__name__}."):
                    module = importlib.import_module(found.name)
                    for name in doors.keys() & vars(module).keys():
                        patches.enter_context(patch.object(module, name, doors[name]))
            patches.enter_context(patch.object(goodfunds.replay.slices, "SLICE_RECORDS", _SLICE_RECORDS))
            # Whoever stands by looks seldom: it costs much and shows little.
            patches.enter_context(patch.object(goodfunds.lanes.feed, "_STANDBY_SECONDS", 25.0))
            patches.enter_context(patch.object(goodfunds.replay.running, "_LOOK_SECONDS", 2.0))
            # The lanes' jitter.
            state = random.getstate()
            random.seed(self.random.random())
            patches.callback(random.setstate, state)
            yield


async def _not_yet(stop: asyncio.Event) -> None:
    del stop
