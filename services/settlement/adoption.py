"""After a restore: settlement's own events, found on its topics, are facts that wait for their inputs."""

from collections.abc import Sequence

from goodfunds.clock import SystemClock
from goodfunds.errors import InvariantBroken
from goodfunds.events import types
from goodfunds.events.topics import BANK_NOTIFICATIONS, SETTLEMENT_NOTIFICATIONS
from goodfunds.events.types import BankEntryReported, BatchSubmitted, PaymentStatusReported
from goodfunds.ids import NO_ID
from goodfunds.lanes.records import Connection, OwnEvent
from services.settlement.books import nameless
from services.settlement.model import booking_key, identity, unattributed_status_key
from services.settlement.store import SQL
from services.settlement.told import Telling, reference

_COLUMNS = ("lane", "event_seq", "kind", "payment_id", "reference")


async def adopt(connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:
    """Keep what the lane told: it is decided again from the same inputs, and not told again.

    No row is written of it: an event names too little of its payment, and its inputs are all on topics. An
    answer without our reference stays with the payment that it was found to be about and sent on to: which
    one that was hung on what the other lanes had then.
    """
    rows, sent_on = [], []
    for each in events:
        event = types.decode(each.body)
        if each.topic != SETTLEMENT_NOTIFICATIONS:
            sent_on += _forward(event)
            continue
        if not isinstance(event, Telling):
            raise InvariantBroken(f"{type(event).__name__} is no event of settlement's")
        rows.append((lane, each.seq, type(event).__name__, event.payment_id, reference(event)))
    known = {row[0] for row in await connection.fetch(SQL["told_seqs"], lane, [row[1] for row in rows])}
    new = [row for row in rows if row[1] not in known]
    if new:
        await connection.copy_records_to_table("told", records=new, columns=_COLUMNS)
    if sent_on:
        columns = map(list, zip(*sent_on, strict=True))
        await connection.execute(SQL["adopt_forwards"], *columns, lane, SystemClock().now())


def _forward(event: object) -> list[tuple[bytes, str, str, bytes]]:
    """(key, source, identity, payment) under which the report that was sent on is remembered."""
    if isinstance(event, BankEntryReported) and event.payment_id != NO_ID:
        report = nameless(event)
        return [(booking_key(report), report.source, identity(report), event.payment_id)]
    if isinstance(event, PaymentStatusReported) and event.payment_id != NO_ID:
        return [(unattributed_status_key(event), "pain.002", event.message_id, event.payment_id)]
    return []


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
