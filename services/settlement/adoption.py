"""After a restore: settlement's own events, found on its topics, are facts that wait for their inputs."""

from collections.abc import Sequence

import structlog

from goodfunds.clock import SystemClock
from goodfunds.errors import InvariantBroken
from goodfunds.events import types
from goodfunds.events.topics import BANK_NOTIFICATIONS, SETTLEMENT_NOTIFICATIONS
from goodfunds.events.types import BatchSubmitted
from goodfunds.lanes.records import Connection, OwnEvent
from services.settlement.store import SQL
from services.settlement.told import Telling, reference

log = structlog.get_logger(__name__)

_COLUMNS = ("lane", "event_seq", "kind", "payment_id", "reference")


async def adopt(connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:
    """Keep what the lane told: it is decided again from the same inputs, and not told again.

    No row is written of it: an event names too little of its payment, and its inputs are all on topics. What
    was sent on to another lane is sent on again, and changes nothing there.
    """
    rows = []
    for each in events:
        if each.topic != SETTLEMENT_NOTIFICATIONS:
            continue
        event = types.decode(each.body)
        if not isinstance(event, Telling):
            raise InvariantBroken(f"{type(event).__name__} is no event of settlement's")
        rows.append((lane, each.seq, type(event).__name__, event.payment_id, reference(event)))
    known = {row[0] for row in await connection.fetch(SQL["told_seqs"], lane, [row[1] for row in rows])}
    new = [row for row in rows if row[1] not in known]
    if new:
        await connection.copy_records_to_table("told", records=new, columns=_COLUMNS)


async def adopt_submissions(connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:  # noqa: ARG001 - the contract
    """Keep which files the gateway told the lanes of: they are at the bank, and must be found there.

    The rest that it told is read again where it came from, and changes nothing the second time.
    """
    told = {}
    for each in events:
        event = types.decode(each.body) if each.topic == BANK_NOTIFICATIONS else None
        if isinstance(event, BatchSubmitted):
            told[event.message_id] = event.file_name
    await connection.execute(SQL["submit_told_files"], list(told), SystemClock().now())
    await connection.execute(SQL["tell_of_file"], list(told), list(told.values()))
