"""The scene of the replay tests: a service that books deposits, its topics, plans as people leave them."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from goodfunds.clock import Clock
from goodfunds.ids import derived_id, new_id
from goodfunds.lanes import Emission, Input, LaneLoop, LaneSettings, Poll
from goodfunds.lanes.records import Connection, Record
from goodfunds.ledger.posting import Posting
from goodfunds.ledger.store import write_postings
from goodfunds.postgres import connect
from goodfunds.replay.effects import NO_EFFECTS
from goodfunds.replay.reading import RangeReader
from goodfunds.replay.running import Replays
from goodfunds.replay.slices import Cutter, Position, Wanted, ranges_of
from goodfunds.replay.watching import Watch
from tests.integration.lanes.stage import PROVE_EVERY, SESSION_TIMEOUT, Stage

CODE = "the code of the tests"
NOW = datetime(2027, 1, 1, tzinfo=UTC)
Deposit = tuple[str, int]
"""(account, number); its amount is the number and one."""


class Depositor:
    """Handler: books each deposit once, by account and number, and tells of it.

    `faulty` deposits raise; to `deaf` ones it does nothing, as a bug would. `careless`: tells of each again.
    `strike` is called when all is written.
    """

    producer = "depositor"

    def __init__(self, source: str, target: str) -> None:
        self.inputs = (Input(source),)
        self.outputs = (target,)
        self.faulty: dict[Deposit, Exception] = {}
        self.deaf: set[Deposit] = set()
        self.careless = False
        self.handled: list[tuple[str, int, int]] = []
        self.strike: Callable[[], Awaitable[None]] | None = None
        self._target = target

    async def handle(self, connection: Connection, poll: Poll) -> Mapping[int, list[Emission]]:
        asked = {
            lane: {_deposit(record): record for record in records} for lane, records in poll.records.items()
        }
        ids = {deposit: _entry_id(deposit) for of_lane in asked.values() for deposit in of_lane}
        rows = await connection.fetch(
            "SELECT entry_id FROM postings WHERE entry_id = ANY($1::uuid[])", list(ids.values())
        )
        known = {row["entry_id"] for row in rows}
        postings: dict[int, list[Posting]] = {}
        emissions: dict[int, list[Emission]] = {}
        for lane, of_lane in asked.items():
            for deposit, record in of_lane.items():
                self.handled.append((deposit[0], deposit[1], record.offset))
                if deposit in self.faulty:
                    raise self.faulty[deposit]
                if deposit in self.deaf or (ids[deposit] in known and not self.careless):
                    continue
                if ids[deposit] not in known:
                    account, number = deposit
                    posting = Posting(ids[deposit], "cash", account, number + 1, "EUR", "deposited")
                    postings.setdefault(lane, []).append(posting)
                emission = Emission(
                    self._target, lane, deposit[0].encode(), "Deposited", b"%d" % deposit[1], b""
                )
                emissions.setdefault(lane, []).append(emission)
        await write_postings(connection, postings, poll.now)
        if self.strike is not None:
            await self.strike()
        return emissions

    async def due(self, *of: Any) -> Mapping[int, list[Any]]:
        return {}

    def key_of(self, record: Record) -> bytes:
        return record.key or b""

    def payment_of(self, record: Record) -> bytes | None:
        return None

    def amount_of(self, record: Record) -> tuple[int, str] | None:
        return (100, "EUR")


def _deposit(record: Record) -> Deposit:
    assert record.key is not None
    assert record.value is not None
    return record.key.decode(), int(record.value)


def _entry_id(deposit: Deposit) -> bytes:
    return derived_id(0, deposit[0].encode(), b"%d" % deposit[1])


@dataclass
class Scene(Stage):
    """A stage whose service runs in the test's own loop."""

    def depositor(self) -> Depositor:
        """A service of this scene."""
        return Depositor(self.source, self.target)

    @contextlib.asynccontextmanager
    async def instance(
        self, handler: Any, clock: Clock | None = None, batch: int = 200, dsn: str = "", name: str = "a"
    ) -> AsyncIterator[LaneLoop]:
        """An instance that works lanes and replays; left, it is stopped at once, as by a fault."""
        settings = LaneSettings(
            dsn or self.dsn, self.bootstrap, self.partitions, owner=name, batch=batch,
            session_timeout=SESSION_TIMEOUT, prove_every=PROVE_EVERY,
        )  # fmt: skip
        loop = LaneLoop(handler, settings, clock=clock, beside=Replays(CODE))
        running = asyncio.create_task(loop.run(asyncio.Event()))
        try:
            yield loop
            if running.done():
                running.result()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def until_read(self, seconds: float = 60.0) -> None:
        """Wait until the lanes have handled all that was sent."""

        async def all_read() -> bool:
            rows = await self.fetch("SELECT lane, offsets FROM lanes WHERE lane >= 0")
            at = {row["lane"]: json.loads(row["offsets"])[self.source] for row in rows}
            return bool(rows) and all(at.get(lane) == seq for lane, seq in self.seqs.items())

        await self.until("all read", all_read, seconds)
        await self.until_published(seconds)

    async def plan(
        self,
        kind: str = "replay",
        ranges: Mapping[int, Sequence[tuple[int, int]]] | None = None,
        selection: Mapping[str, Any] | None = None,
        rate: int | None = None,
        parked: Sequence[Any] = (),
        state: str = "running",
        planned_at: datetime | None = None,
    ) -> bytes:
        """Leave a plan as people do; without ranges of all that was sent."""
        now = datetime.now(UTC)
        plan_id = new_id(now)
        chosen = {lane: [(0, end)] for lane, end in self.seqs.items()} if ranges is None else ranges
        if parked:
            chosen = {row["lane"]: [] for row in parked}
        async with self.connected() as connection, connection.transaction():
            await connection.execute(
                "INSERT INTO replay_plans (plan_id, kind, selection, reason, rate, state, code_version, "
                "schema_version, planned_by, planned_at, expires_at) "
                "VALUES ($1, $2, $3::jsonb, 'a test', $4, $5, $6, 's', 'ada', $7, $7)",
                plan_id, kind, json.dumps(selection or {}), rate, state, CODE, planned_at or now,
            )  # fmt: skip
            for lane, of_lane in chosen.items():
                told = [{"topic": self.source, "first": first, "end": end} for first, end in of_lane]
                total = sum(end - first for first, end in of_lane)
                await connection.execute(
                    "INSERT INTO replay_lanes (plan_id, lane, ranges, total) VALUES ($1, $2, $3::jsonb, $4)",
                    plan_id, lane, json.dumps(told), total,
                )  # fmt: skip
            for row in parked:
                await connection.execute(
                    "INSERT INTO replay_parked (plan_id, lane, parked_seq, topic, source_partition, "
                    "source_offset, key) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    plan_id, row["lane"], row["parked_seq"], row["topic"], row["source_partition"],
                    row["source_offset"], row["key"],
                )  # fmt: skip
        return plan_id

    async def rehearse(self, plan_id: bytes, handler: Any, exact: bool = True) -> None:
        """Write what each slice would do, found out in one transaction that is rolled back."""
        async with self.connected() as connection:
            watch = await Watch.on(connection)
            selection = await connection.fetchval(
                "SELECT selection FROM replay_plans WHERE plan_id = $1", plan_id
            )
            shares = await connection.fetch("SELECT * FROM replay_lanes WHERE plan_id = $1", plan_id)
            rehearsed = []
            wanted = Wanted.of(json.loads(selection)).by(handler)
            for share in shares:
                cutter = Cutter(ranges_of(share["ranges"]), Position(), 0, wanted, ())
                reader = RangeReader(self.bootstrap, share["lane"], cutter)
                transaction = connection.transaction()
                await transaction.start()
                await watch.begin()
                while True:
                    cut = await reader.next()
                    effects = NO_EFFECTS
                    if cut.records:
                        poll = Poll(NOW, self.partitions, _Far(), {share["lane"]: list(cut.records)})
                        effects = await watch.collect(await handler.handle(connection, poll))
                    if effects.digest:
                        rehearsed.append((
                            plan_id, share["lane"], cut.number, effects.rows_changed, effects.events_emitted,
                            effects.digest,
                        ))  # fmt: skip
                    if cut.last:
                        break
                await reader.stop()
                await transaction.rollback()
            await connection.copy_records_to_table("replay_slices", records=rehearsed)
            await connection.execute(
                "UPDATE replay_plans SET state = 'running', exact = $2 WHERE plan_id = $1", plan_id, exact
            )

    async def until_plan(self, plan_id: bytes, state: str, seconds: float = 30.0) -> Any:
        """Wait until a plan is in a state; its row."""

        async def there() -> bool:
            found = await self.fetchval("SELECT state FROM replay_plans WHERE plan_id = $1", plan_id)
            assert found in (state, "running", "paused"), await self._fault(plan_id)
            return bool(found == state)

        await self.until(f"plan {state}", there, seconds)
        return (await self.fetch("SELECT * FROM replay_plans WHERE plan_id = $1", plan_id))[0]

    async def _fault(self, plan_id: bytes) -> Any:
        return await self.fetchval("SELECT state || ': ' || coalesce(fault, '') FROM replay_plans "
                                   "WHERE plan_id = $1", plan_id)  # fmt: skip

    async def until_handled_again(self, plan_id: bytes, handled: int) -> None:
        """Wait until a plan of one lane has come that far."""

        async def there() -> bool:
            return bool((await self.share(plan_id))["handled"] >= handled)

        await self.until(f"{handled} handled again", there)

    async def set_state(self, plan_id: bytes, state: str) -> None:
        """A step of people."""
        async with self.connected() as connection:
            await connection.execute("UPDATE replay_plans SET state = $2 WHERE plan_id = $1", plan_id, state)

    async def set_rate(self, plan_id: bytes, rate: int | None) -> None:
        """Change how fast a plan is carried out, for whoever begins with a share of it."""
        async with self.connected() as connection:
            await connection.execute("UPDATE replay_plans SET rate = $2 WHERE plan_id = $1", plan_id, rate)

    async def share(self, plan_id: bytes, lane: int | None = None) -> Any:
        """The share of a lane, of the first one where none is named."""
        rows = await self.fetch("SELECT * FROM replay_lanes WHERE plan_id = $1 ORDER BY lane", plan_id)
        return next(row for row in rows if lane in (None, row["lane"]))

    async def books(self) -> tuple[str, dict[str, int]]:
        """A digest of the postings, and the accounts' balances."""
        rows = await self.fetch("SELECT entry_id, credit_account, amount_minor FROM postings ORDER BY 1")
        balances = await self.fetch(
            "SELECT account, sum(balance_minor)::bigint AS n FROM balances GROUP BY account"
        )
        digest = sha256(repr([tuple(row) for row in rows]).encode()).hexdigest()
        return digest, {row["account"]: row["n"] for row in balances if row["account"] != "cash"}

    def due_balances(self, without: Sequence[Deposit] = ()) -> dict[str, int]:
        """What the accounts come to when all that was sent is booked once."""
        missing = set(without)
        return {
            key: sum(number + 1 for number in set(numbers) if (key, number) not in missing)
            for key, numbers in self.sent.items()
        }

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        """A connection of the test's own."""
        connection = await connect(self.dsn)
        try:
            yield connection
        finally:
            await connection.close()


class _Far:
    def of(self, lane: int, topic: str, partition: int) -> int:
        return 1_000_000


def scene(bootstrap: str, dsn: str, partitions: int) -> Scene:
    """A scene of topics with names of its own."""
    name = uuid4().hex[:8]
    return Scene(bootstrap, dsn, f"in-{name}", f"out-{name}", partitions)
