"""The one function that owns a transaction: fence, read → decide → write, outbox, commit."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from goodfunds.errors import Fenced, InvariantBroken, OutcomeUnknown
from goodfunds.lanes.fence import SQL, fence, to_json
from goodfunds.lanes.frame import OutboxRow, number, pack
from goodfunds.lanes.records import Connection, Emission, Record
from goodfunds.lanes.state import Admitted, LaneState
from goodfunds.postgres import all_written

_ROLLBACK_SECONDS = 5.0


class Write(Protocol):
    """What a transaction does between its fence and its outbox."""

    async def __call__(self, connection: Connection) -> Mapping[int, Sequence[Emission]]:
        """Read, decide and write; the emissions of each lane in order."""


@dataclass(frozen=True, slots=True)
class ParkedRecord:
    """A record set aside, with what is known of the money in it."""

    lane: int
    record: Record
    key: bytes
    amount: tuple[int, str] | None
    poison: bool
    fault: str


class Numbering:
    """Looks ahead in the numbering of the lanes of one transaction."""

    def __init__(self, shares: Sequence[Admitted]) -> None:
        self._states = {share.state.lane: share.state for share in shares}

    def of(self, lane: int, topic: str, partition: int) -> int:
        """The seq that the first event of this transaction to that destination will get."""
        return self._states[lane].next_seq.get((topic, partition), 1)


async def transact(
    connection: Connection,
    incarnation: str,
    shares: Sequence[Admitted],
    now: datetime,
    write: Write | None,
    parked: Sequence[ParkedRecord] = (),
    replay_id: bytes | None = None,
) -> list[OutboxRow]:
    """Commit the shares of one poll with their effects; returns what is to be published, lane by lane.

    `replay_id`: of the replay that all of its events come of.

    The owner's memory (each share's state) is moved on only after the commit was confirmed. Raises Fenced
    (rolled back, nothing written), OutcomeUnknown (take over anew), or whatever `write` raises (rolled
    back). Cancelled during its commit it stays cancelled, and memory stays where it was.
    """
    transaction = connection.transaction()
    await transaction.start()
    try:
        missing = await fence(connection, incarnation, shares, now)
        if missing:
            raise Fenced(missing)
        emissions = await write(connection) if write is not None else {}
        rows, next_seqs = _outbox_rows(shares, emissions, now, replay_id)
        if rows:
            await connection.copy_records_to_table(
                "outbox",
                records=[
                    (r.lane, r.outbox_seq, r.decided_at, list(r.topics), r.events, r.frame, r.replay_id)
                    for r in rows
                ],
                columns=("lane", "outbox_seq", "decided_at", "topics", "events", "frame", "replay_id"),
            )
            states = {share.state.lane: share.state for share in shares}
            advanced = await connection.execute(
                SQL["advance"],
                [row.lane for row in rows],
                [row.outbox_seq for row in rows],
                [to_json(next_seqs[row.lane]) for row in rows],
                [to_json(states[row.lane].next_seq) for row in rows],
            )
            all_written(advanced, len(rows), "lanes whose numbering goes on from what their owner remembers")
        if parked:
            await _write_parked(connection, parked, now)
    except BaseException:
        try:
            if not connection.is_closed():
                await asyncio.wait_for(transaction.rollback(), _ROLLBACK_SECONDS)
        except Exception:
            # What was raised above counts; a connection in doubt is of no further use.
            connection.terminate()
        raise
    try:
        await transaction.commit()
    except Exception as fault:
        raise OutcomeUnknown(f"the commit was not answered: {fault!r}") from fault
    for share in shares:
        state = share.state
        state.version += 1
        state.offsets, state.watermarks = share.offsets, share.watermarks
    for row in rows:
        state = next(share.state for share in shares if share.state.lane == row.lane)
        state.outbox_seq, state.next_seq = row.outbox_seq, next_seqs[row.lane]
    for record in parked:
        state = next(share.state for share in shares if share.state.lane == record.lane)
        state.parked_keys.add(record.key)
    return rows


def _outbox_rows(
    shares: Sequence[Admitted],
    emissions: Mapping[int, Sequence[Emission]],
    now: datetime,
    replay_id: bytes | None,
) -> tuple[list[OutboxRow], dict[int, dict[tuple[str, int], int]]]:
    strangers = emissions.keys() - {share.state.lane for share in shares}
    if strangers:
        raise InvariantBroken(f"events of lanes that are not in this transaction: {sorted(strangers)}")
    rows, next_seqs = [], {}
    for share in shares:
        state = share.state
        if not emissions.get(state.lane):
            continue
        next_seqs[state.lane] = dict(state.next_seq)
        topics, count, frame = pack(number(emissions[state.lane], next_seqs[state.lane]))
        _check_numbering(state, next_seqs[state.lane], count)
        rows.append(OutboxRow(state.lane, state.outbox_seq + 1, now, topics, count, frame, replay_id))
    return rows, next_seqs


def _check_numbering(state: LaneState, after: Mapping[tuple[str, int], int], events: int) -> None:
    """Every event took one number of its destination: no more, no fewer."""
    counted = sum(seq - state.next_seq.get(place, 1) for place, seq in after.items())
    if counted != events:
        raise InvariantBroken(f"lane {state.lane}: {events} events took {counted} numbers")


def _headers_json(record: Record) -> str:
    """Headers as they came: values in hex, a null one null; jsonb has no room for a name's NUL."""
    return json.dumps([
        [name.replace("\0", "\N{SYMBOL FOR NULL}"), None if value is None else bytes(value).hex()]
        for name, value in record.headers
    ])  # fmt: skip


async def _write_parked(connection: Connection, parked: Sequence[ParkedRecord], now: datetime) -> None:
    await connection.copy_records_to_table(
        "parked",
        records=[
            (
                each.lane,
                each.record.topic,
                each.record.partition,
                each.record.offset,
                each.key,
                each.record.value,
                _headers_json(each.record),
                each.record.timestamp,
                each.amount[0] if each.amount else None,
                each.amount[1] if each.amount else None,
                each.poison,
                each.fault,
                now,
            )
            for each in parked
        ],
        columns=(
            "lane", "topic", "source_partition", "source_offset", "key", "value", "headers",
            "broker_time_ms", "amount_minor", "currency", "poison", "fault", "parked_at",
        ),
    )  # fmt: skip
