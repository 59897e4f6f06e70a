"""A rebuild from its first question to its end: refused, different, agreed, or swapped."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from time import monotonic

from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.lanes.fence import SQL as LANES
from goodfunds.lanes.records import Connection
from goodfunds.postgres import connect
from goodfunds.rebuild.building import BATCH, Builder
from goodfunds.rebuild.comparison import (
    Compared,
    Difference,
    compare,
    differences,
    keep_differing,
    lanes_that_differ,
)
from goodfunds.rebuild.moment import ends_of, live_lanes, moment, snapshot
from goodfunds.rebuild.reading import MergedTopics, Places
from goodfunds.rebuild.refusals import CannotRebuild, topic_refusals
from goodfunds.rebuild.shadow import SQL, create_shadow_lanes, drop_shadow, make_shadow, within_shadow
from goodfunds.rebuild.swapping import Stood, stand_and_swap
from goodfunds.rebuild.tables import Rebuild
from goodfunds.service import Service, migrations_of

Tell = Callable[[str, int, int], None]
"""Told what goes on, records handled so far, and how many there are."""

_ROUNDS = 50
_ATTEMPTS = 5
_PAUSE = 0.3


@dataclass(slots=True)
class Outcome:
    """What a rebuild came to. `seconds`: of handling `records`; `stood`: how long the lanes did."""

    service: str
    records: int = 0
    seconds: float = 0.0
    compared: Sequence[Compared] = ()
    different: Sequence[Difference] = ()
    swapped: bool = False
    stood: float = 0.0
    unpublished: int = 0
    tables: Sequence[str] = field(default_factory=tuple)

    @property
    def agrees(self) -> bool:
        return not self.different


async def rebuild(service: Service, postgres: str, bootstrap: str, check: bool, tell: Tell) -> Outcome:
    """Make a service's state anew and compare it; `check`: do not swap. `postgres` names no database.

    Raises CannotRebuild where the topics do not make the state, Misconfigured, Unavailable, and what
    Kafka and Postgres raise; nothing was changed then.
    """
    if service.rebuild is None:
        raise CannotRebuild([f"{service.name} cannot be rebuilt from topics: {service.not_rebuilt}"])
    plan = service.rebuild()
    dsn = f"{postgres.rstrip('/')}/{service.database}"
    async with _at_work(service, plan, dsn, bootstrap, tell) as work:
        await work.catch_up()
        different = await work.compare()
        for _ in range(0 if check or different else _ATTEMPTS):
            await work.catch_up()
            stood = await work.swap()
            if stood is Stood.SWAPPED:
                break
            if stood is Stood.DIFFERS:
                different = await work.compare()
                if different:
                    break
            await asyncio.sleep(_PAUSE)
        else:
            if not check and not different:
                raise Unavailable(
                    "the lanes or who reads the tables gave no moment to swap; nothing was changed"
                )
        return work.outcome


class _Work:
    def __init__(
        self, plan: Rebuild, live: Connection, building: Connection, builder: Builder, tell: Tell,
        outcome: Outcome,
    ) -> None:  # fmt: skip
        self.outcome = outcome
        self._plan = plan
        self._handler = plan.handler()
        self._live = live
        self._building = building
        self._builder = builder
        self._tell = tell

    async def catch_up(self) -> None:
        """Build until the live lanes are ahead by no more than a poll or two."""
        for _ in range(_ROUNDS):
            ends = ends_of(await live_lanes(self._live))
            before = self._builder.handled
            await self.build(ends)
            if self._builder.handled - before <= BATCH:
                return

    async def build(self, ends: Places) -> None:
        """Build to exactly these ends."""
        total, outcome, started = sum(ends.values()), self.outcome, monotonic()
        base = outcome.seconds

        def moved(handled: int) -> None:
            outcome.records, outcome.seconds = handled, base + monotonic() - started
            self._tell("handling anew", handled, total)

        await self._builder.build(ends, moved)
        outcome.unpublished = self._builder.unpublished

    async def compare(self) -> Sequence[Difference]:
        """Compare at a moment of the live state that nobody waits for."""
        tables, outcome = self._plan.tables, self.outcome
        for _ in range(_ATTEMPTS):
            async with snapshot(self._live):
                now = await moment(self._live, self._plan, self._handler)
                if now.settled:
                    await self.build(now.ends)
                    self._tell("comparing", outcome.records, outcome.records)
                    outcome.compared = await compare(self._live, self._building, tables)
                    await keep_differing(self._live, tables, outcome.compared)
                    lanes = lanes_that_differ(now.lanes, self._builder.states)
                    break
            await asyncio.sleep(_PAUSE)
        else:
            raise Unavailable("something is always due in the live lanes; try again when less goes on")
        outcome.different = [*await differences(self._live, tables, outcome.compared), *lanes]
        return outcome.different

    async def swap(self) -> Stood:
        """Let the lanes stand for a moment, and swap in it."""
        self._tell("swapping", self.outcome.records, self.outcome.records)
        await self._builder.look()
        stood, seconds = await stand_and_swap(
            self._live, self._building, self._plan, self._handler, self._builder.states, self.build
        )
        if stood is Stood.SWAPPED:
            self.outcome.swapped, self.outcome.stood = True, seconds
            self.outcome.tables = self._plan.swapped
        return stood


@asynccontextmanager
async def _at_work(
    service: Service, plan: Rebuild, dsn: str, bootstrap: str, tell: Tell
) -> AsyncIterator[_Work]:
    """A shadow with its lanes at their beginnings, dropped in the end whatever comes."""
    name = f"goodfunds rebuild {service.name}"
    async with AsyncExitStack() as opened:
        live = await connect(dsn, name)
        opened.push_async_callback(live.close, timeout=5)
        if not await live.fetchval(SQL["begin_rebuild"]):
            raise Unavailable(f"another rebuild of {service.name} is at work")
        cluster = await live.fetchrow(LANES["read_cluster"])
        if cluster is None:
            raise Misconfigured("nothing has worked on this database yet: there is nothing to rebuild")
        strangers = await live.fetch(
            SQL["tables_of_nobody"], [*plan.kept, *(each.table for each in plan.tables), *plan.empty]
        )
        if strangers:
            names = ", ".join(row["relname"] for row in strangers)
            raise CannotRebuild([f"nobody has said what a rebuild does with {names}"])
        handler = plan.handler()
        now = await moment(live, plan, handler)
        lanes = [each.lane for each in now.lanes]
        topics = MergedTopics(bootstrap, [each.topic for each in handler.inputs], lanes)
        opened.push_async_callback(topics.stop)
        await topics.start()
        reasons = topic_refusals(now.lanes, *await topics.bounds())
        if reasons:
            raise CannotRebuild(reasons)
        tell("making the shadow", 0, sum(now.ends.values()))
        await drop_shadow(live)
        opened.push_async_callback(_dropped, live)
        await make_shadow(live, dsn, migrations_of(service), plan.swapped)
        building = await connect(within_shadow(dsn), f"{name} shadow")
        opened.push_async_callback(building.close, timeout=5)
        states = await create_shadow_lanes(
            building, cluster["partitions"], lanes, [each.topic for each in handler.inputs]
        )
        shadow = await building.fetchrow(LANES["read_cluster"])
        assert shadow is not None
        discarded = {
            (row["topic"], row["source_partition"], row["source_offset"])
            for row in await live.fetch(SQL["discarded_records"])
        }
        builder = Builder(
            handler, building, topics, cluster["partitions"], states, shadow["incarnation"], discarded,
            [each.table for each in plan.tables],
        )  # fmt: skip
        yield _Work(plan, live, building, builder, tell, Outcome(service.name))


async def _dropped(live: Connection) -> None:
    """What could not be dropped now, the next rebuild drops."""
    if not live.is_closed():
        await drop_shadow(live)
