"""A reconciliation database that lives, is set back to a backup, and lives again beside the same topics."""

import json
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from goodfunds.errors import OutOfTurn
from goodfunds.events import types
from goodfunds.lanes import Emission, Poll
from goodfunds.lanes.records import OwnEvent
from goodfunds.postgres import connect
from services.reconciliation.adoption import adopt
from tests.integration.reconciliation.scene import NOW, PARTITIONS, FakeRecord, Fed, Preview, Scene

SETTLEMENT, STATEMENTS = "settlement-notifications", "bank-statements"
Place = tuple[str, int]
"""(topic, lane)"""


@dataclass
class Topics:
    """What stands on the topics: the lanes' inputs, and all that the lanes told, numbered."""

    inputs: dict[Place, list[Fed]] = field(default_factory=dict)
    told: list[tuple[int, OwnEvent]] = field(default_factory=list)

    def write(self, fed: Iterable[Fed]) -> None:
        for each in fed:
            self.inputs.setdefault((each.topic, each.lane), []).append(each)

    def publish(self, lane: int, emission: Emission) -> None:
        topic, partition, key, event_type, body = emission[:5]
        seq = 1 + sum((of, each.topic, each.partition) == (lane, topic, partition) for of, each in self.told)
        self.told.append((lane, OwnEvent(topic, partition, seq, key, event_type, body)))
        if topic == STATEMENTS:
            self.write([Fed(partition, topic, types.decode(body), lane)])

    def ends(self) -> Mapping[Place, int]:
        return {place: len(records) for place, records in self.inputs.items()}

    def events(self, since: int = 0) -> list[Any]:
        return [types.decode(each.body) for _, each in self.told[since:]]


@dataclass
class Life(Scene):
    """A scene whose lanes read the topics from their offsets, and tell on them."""

    topics: Topics = field(default_factory=Topics)
    now: datetime = NOW

    async def begin(self) -> None:
        for lane in range(PARTITIONS):
            await self.connection.execute(
                "INSERT INTO lanes (lane, incarnation, offsets) VALUES ($1, 'first', $2)",
                lane, json.dumps({SETTLEMENT: 0, STATEMENTS: 0}),
            )  # fmt: skip

    async def offsets(self) -> dict[int, dict[str, int]]:
        rows = await self.connection.fetch("SELECT lane, offsets FROM lanes")
        return {row["lane"]: json.loads(row["offsets"]) for row in rows}

    async def read(
        self, wanted: Mapping[Place, int], due: Mapping[int, list[Any]] | None = None
    ) -> list[Emission]:
        """One poll of so many records of each place, as the lanes make it; what it told.

        A lane whose turn has not come is handled after the others, and stands where that is too early still.
        """
        try:
            return await self._read(wanted, due)
        except OutOfTurn as early:
            mine = {place: count for place, count in wanted.items() if place[1] == early.lane}
            if wanted == mine and not due:
                return []
            others = {place: count for place, count in wanted.items() if place not in mine}
            return await self.read(others, due) + await self.read(mine)

    async def _read(self, wanted: Mapping[Place, int], due: Mapping[int, list[Any]] | None) -> list[Emission]:
        offsets = await self.offsets()
        poll = Poll(self.now, PARTITIONS, Preview(), due={**(due or {})})
        for topic, lane in sorted(wanted, reverse=True):
            start = offsets[lane][topic]
            stop = min(start + wanted[topic, lane], len(self.topics.inputs.get((topic, lane), ())))
            for offset in range(start, stop):
                each = self.topics.inputs[topic, lane][offset]
                headers = (
                    ("producer", b"test"),
                    ("lane", b"%d" % each.sender),
                    ("seq", b"%d" % (offset + 1)),
                )
                record = FakeRecord(topic, lane, offset, b"key", each.event.encode(), headers)
                poll.records.setdefault(lane, []).append(record)
            offsets[lane][topic] = max(start, stop)
        async with self.connection.transaction():
            for lane in poll.lanes:
                await self.connection.execute(
                    "UPDATE lanes SET offsets = $2 WHERE lane = $1", lane, json.dumps(offsets[lane])
                )
            found = await self.handler.handle(self.connection, poll) if poll.lanes else {}
        told = [(lane, each) for lane in sorted(found) for each in found[lane]]
        for lane, emission in told:
            self.topics.publish(lane, emission)
        return [emission for _, emission in told]

    async def read_all(self, *topics: str, most: int = 1_000_000) -> list[Emission]:
        """Read some topics to their ends, one after another, then what is due until nothing is.

        `most`: records of a lane in one poll.
        """
        found = []
        for topic in topics or (SETTLEMENT, STATEMENTS):
            for _ in range(0, max([len(each) for each in self.topics.inputs.values()], default=1), most):
                found += await self.read({(topic, lane): most for lane in range(PARTITIONS)})
        while due := await self.handler.due(self.connection, list(range(PARTITIONS)), self.now):
            found += await self.read({(STATEMENTS, lane): 1_000_000 for lane in range(PARTITIONS)}, due)
        # Lines that were handed over on the way.
        return found + await self.read({(STATEMENTS, lane): 1_000_000 for lane in range(PARTITIONS)})

    async def wander(self, source: random.Random, polls: int, ends: Mapping[Place, int]) -> None:
        """Polls of any size and order, not beyond `ends`; what settlement told before is caught up first."""
        for _ in range(polls):
            offsets = await self.offsets()
            found = await self.connection.fetch("SELECT lane, (catch_up->>$1)::int FROM lanes", SETTLEMENT)
            behind = {lane for lane, end in found if offsets[lane][SETTLEMENT] < (end or 0)}
            wanted = {
                place: min(source.choice([0, 0, 1, 3, 8]), end - offsets[place[1]][place[0]])
                for place, end in ends.items()
                if offsets[place[1]][place[0]] < end and (place[0] == SETTLEMENT or place[1] not in behind)
            }
            due = await self.handler.due(self.connection, list(range(PARTITIONS)), self.now)
            await self.read(wanted, due if source.random() < 0.3 else None)

    async def adopt(self, since: int, ends: Mapping[Place, int], again: bool = False) -> None:
        """Take what was told since for facts, each lane's; `again`: after a crash in between."""
        for lane in range(PARTITIONS):
            mine = [each for told_by, each in self.topics.told[since:] if told_by == lane]
            chunks = [mine[: len(mine) // 2]] if again else []
            for events in [*chunks, *(mine[place : place + 3] for place in range(0, len(mine), 3))]:
                async with self.connection.transaction():
                    await adopt(self.connection, lane, events)
            catch_up = {topic: ends.get((topic, lane), 0) for topic in (SETTLEMENT, STATEMENTS)}
            await self.connection.execute(
                "UPDATE lanes SET catch_up = $2 WHERE lane = $1", lane, json.dumps(catch_up)
            )

    async def assert_told_is_true(self) -> None:
        """What those who listen believe is what the rows say, and they never heard nonsense on the way."""
        is_open: dict[bytes, bool] = {}
        matches: dict[tuple[bytes, bool], tuple[bytes, int, str]] = {}
        reconciled: Counter[bytes] = Counter()
        handed_over: Counter[tuple[bytes, int]] = Counter()
        for event in self.topics.events():
            if isinstance(event, types.BreakOpened):
                assert not is_open.get(event.break_id, False), event
                is_open[event.break_id] = True
            elif isinstance(event, types.BreakResolved):
                assert is_open[event.break_id], event
                is_open[event.break_id] = False
            elif isinstance(event, types.PaymentMatched):
                matches[event.payment_id, event.amount_minor > 0] = (
                    event.statement_id, event.line_number, event.kind,
                )  # fmt: skip
            elif isinstance(event, types.StatementReconciled):
                reconciled[event.statement_id] += 1
            else:
                handed_over[event.statement_id, event.line_number] += 1
        rows = await self.connection.fetch("SELECT break_id FROM breaks WHERE resolved_at IS NULL")
        assert {each for each, found in is_open.items() if found} == {row["break_id"] for row in rows}
        for row in await self.connection.fetch("SELECT * FROM expected_items WHERE state = 1"):
            told = matches[row["payment_id"], row["side"] > 0]
            assert told == (row["statement_id"], row["line_number"], row["match_kind"])
        assert set(reconciled.values()) | set(handed_over.values()) <= {1}
        rows = await self.connection.fetch(
            "SELECT statement_id FROM statements WHERE reconciled_at IS NOT NULL"
        )
        assert set(reconciled) == {row["statement_id"] for row in rows}
        assert await self.connection.fetch("SELECT * FROM told") == []


async def copied(postgres: Any, dsn: str, name: str) -> str:
    """A copy of a database that nobody works on."""
    return str(await postgres.create(name, like=dsn.rpartition("/")[2]))


async def life_in(dsn: str, topics: Topics) -> Life:
    return Life(await connect(dsn), topics=topics)


def kinds(emissions: Sequence[Emission]) -> list[str]:
    return [each.event_type for each in emissions]
