"""The fence on a real database: whoever remembers a lane otherwise than its row is writes nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from goodfunds.errors import Fenced
from goodfunds.lanes import Emission
from goodfunds.lanes.fence import unchanged
from goodfunds.lanes.records import Connection
from goodfunds.lanes.state import Admitted, LaneState
from goodfunds.lanes.takeover import raise_epoch, read_taken, stop_lane
from goodfunds.lanes.transact import ParkedRecord, transact
from goodfunds.postgres import connect
from tests.integration.lanes.stage import Stage

NOW = datetime(2026, 3, 1, tzinfo=UTC)
INCARNATION = "first"

CHANGES = {
    "taken by another": "epoch = epoch + 1",
    "moved by an unknown commit": "version = version + 1",
    "moved on": "offsets = '{\"in\": 6}'",
    "reads other topics": 'offsets = \'{"in": 5, "other": 0}\'',
    "in another life of the database": "incarnation = 'second'",
    "stopped": "stopped_reason = 'on purpose'",
}


@pytest.fixture
async def owner(database: str) -> AsyncIterator[Connection]:
    """Owns lane 0 of two."""
    connection = await connect(database)
    await connection.execute("INSERT INTO cluster (partitions) VALUES (2)")
    await connection.execute(
        "INSERT INTO lanes (lane, incarnation, offsets) "
        "SELECT lane, $1, '{\"in\": 5}' FROM generate_series(0, 1) AS lane",
        INCARNATION,
    )
    yield connection
    await connection.close()


async def taken(owner: Connection, dsn: str) -> dict[int, LaneState]:
    epochs = {}
    for lane in range(2):
        epoch = await raise_epoch(owner, dsn, lane, "take_over", lane, "owner")
        assert epoch is not None
        epochs[lane] = epoch
    return (await read_taken(owner, epochs)).states


async def emit(connection: Connection) -> Mapping[int, Sequence[Emission]]:
    return {0: [Emission("out", 0, b"k", "Due", b"1", b"")]}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_an_owner_who_remembers_otherwise_writes_nothing_though_no_offset_of_his_moves(
    owner: Connection, database: str, change: str
) -> None:
    """What fell due moves no offset, so that nothing else would tell."""
    states = await taken(owner, database)
    await transact(owner, INCARNATION, [unchanged(states[0])], NOW, None)
    await owner.execute(f"UPDATE lanes SET {change} WHERE lane = 0")
    before = await owner.fetch("SELECT * FROM lanes ORDER BY lane")
    shares = [unchanged(state) for state in states.values()]
    with pytest.raises(Fenced) as fenced:
        await transact(owner, INCARNATION, shares, NOW, emit)
    assert fenced.value.lanes == {0}
    assert await owner.fetch("SELECT * FROM lanes ORDER BY lane") == before, "of no lane of the transaction"
    assert await owner.fetchval("SELECT count(*) FROM outbox") == 0
    assert (states[0].version, states[0].outbox_seq, states[1].version) == (1, 0, 0)


async def test_an_owner_who_remembers_rightly_writes_state_and_outbox_together(
    owner: Connection, database: str
) -> None:
    states = await taken(owner, database)
    (row,) = await transact(owner, INCARNATION, [unchanged(states[0])], NOW, emit)
    assert (row.outbox_seq, row.events) == (1, 1)
    again = await _row(owner)
    assert (again["outbox_seq"], again["published_seq"], again["destinations"]) == (1, 0, '{"out/0": 2}')
    states[0].published_seq = 1
    await transact(owner, INCARNATION, [unchanged(states[0])], NOW, None)
    assert (await _row(owner))["published_seq"] == 1


async def test_a_takeover_reads_what_the_last_owner_had_still_to_commit(
    owner: Connection, database: str
) -> None:
    """The epoch waits for the old transaction, and what is read comes after it: a tail would be lost."""
    states = await taken(owner, database)
    taker = await connect(database)
    try:
        waiting: Any = None

        async def taken_meanwhile(connection: Connection) -> Mapping[int, Sequence[Emission]]:
            nonlocal waiting
            waiting = asyncio.ensure_future(taken(taker, database))
            await Stage("", database, "", "", 2).until("the taker waits", lambda: _waits(connection, taker))
            return await emit(connection)

        await transact(owner, INCARNATION, [unchanged(states[0])], NOW, taken_meanwhile)
        found = await waiting
        assert (found[0].version, found[0].outbox_seq, found[0].published_seq) == (1, 1, 0)
        tail = await read_taken(taker, {lane: state.epoch for lane, state in found.items()})
        assert [row.outbox_seq for row in tail.tails[0]] == [1]
        with pytest.raises(Fenced):
            await transact(owner, INCARNATION, [unchanged(states[0])], NOW, emit)
    finally:
        await taker.close()


async def test_a_lane_is_stopped_by_its_owner_alone_and_for_every_later_one(
    owner: Connection, database: str
) -> None:
    states = await taken(owner, database)
    later = await taken(owner, database)
    assert not await stop_lane(owner, 0, states[0].epoch, "an owner that was taken over believes so")
    assert await stop_lane(owner, 0, later[0].epoch, "on purpose")
    epoch = await raise_epoch(owner, database, 0, "take_over", 0, "owner")
    assert epoch is not None
    again = await read_taken(owner, {0: epoch})
    assert (again.states, again.stopped) == ({}, {0: "on purpose"})


async def test_a_lane_that_another_took_since_is_not_taken_for_ours(owner: Connection, database: str) -> None:
    epochs = {lane: state.epoch for lane, state in (await taken(owner, database)).items()}
    await owner.execute("UPDATE lanes SET epoch = epoch + 1 WHERE lane = 1")
    assert (await read_taken(owner, epochs)).states.keys() == {0}


async def test_what_is_parked_is_stored_with_its_transaction_and_known_to_the_next_owner(
    owner: Connection, database: str
) -> None:
    states = await taken(owner, database)
    record = ConsumerRecord("in", 0, 5, 1, 1, b"account", b"poison", None, 7, 6, ())
    parked = [ParkedRecord(0, record, b"account", (100, "EUR"), True, "on purpose")]
    share = Admitted(states[0], {"in": 6}, {}, [], [])
    assert await transact(owner, INCARNATION, [share], NOW, None, parked) == []
    assert states[0].parked_keys == {b"account"}
    rows = await owner.fetch("SELECT lane, source_offset, key, amount_minor, currency, poison FROM parked")
    assert [tuple(row) for row in rows] == [(0, 5, b"account", 100, "EUR", True)]
    assert (await taken(owner, database))[0].parked_keys == {b"account"}


async def test_a_transaction_that_faults_leaves_no_offset_moved(owner: Connection, database: str) -> None:
    states = await taken(owner, database)
    share = Admitted(states[0], {"in": 6}, {}, [], [])

    async def fault(connection: Connection) -> Mapping[int, Sequence[Emission]]:
        await connection.execute("CREATE TABLE effect ()")
        raise ValueError("on purpose")

    before = await owner.fetch("SELECT * FROM lanes ORDER BY lane")
    with pytest.raises(ValueError, match="on purpose"):
        await transact(owner, INCARNATION, [share], NOW, fault)
    assert await owner.fetch("SELECT * FROM lanes ORDER BY lane") == before
    assert await owner.fetchval("SELECT to_regclass('effect')") is None
    await transact(owner, INCARNATION, [share], NOW, None)
    assert (await _row(owner))["offsets"] == '{"in": 6}'


async def test_a_tail_is_all_that_was_not_acknowledged_in_its_order(owner: Connection, database: str) -> None:
    states = await taken(owner, database)
    for _ in range(3):
        await transact(owner, INCARNATION, [unchanged(states[0])], NOW, emit)
    states[0].published_seq = 1
    await transact(owner, INCARNATION, [unchanged(states[0])], NOW, None)
    epoch = await raise_epoch(owner, database, 0, "take_over", 0, "owner")
    assert epoch is not None
    again = await read_taken(owner, {0: epoch})
    assert [row.outbox_seq for row in again.tails[0]] == [2, 3]
    assert again.states[0].next_seq == {("out", 0): 4}


async def _waits(connection: Connection, taker: Connection) -> bool:
    statement = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = $1"
    return bool(await connection.fetchval(statement, taker.get_server_pid()))


async def _row(connection: Connection) -> dict[str, Any]:
    (row,) = await connection.fetch("SELECT * FROM lanes WHERE lane = 0")
    return dict(row)
