"""After a restore: ingestion's own events, found on its topics, become rows and postings again."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import structlog

from goodfunds import ids
from goodfunds.clock import EPOCH
from goodfunds.errors import InvariantBroken
from goodfunds.events import types
from goodfunds.events.passing import split_payment_accepted
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import PaymentInstruction
from goodfunds.lanes.records import Connection, OwnEvent
from goodfunds.ledger import posting
from goodfunds.ledger.posting import Posting
from goodfunds.ledger.store import write_postings
from services.ingestion import told
from services.ingestion.incoming import digest_of
from services.ingestion.store import SQL, insert

log = structlog.get_logger(__name__)

_NO_OFFSET = -1
"""An event does not say where its instruction stands."""


async def adopt(connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:
    """Write what the lane's own events say. Their inputs are handled again later, and change nothing then.

    Payments and accounts stand at once, since what is decided next builds on them. Fundings, refunds,
    refusals and the keys of openings are not all in their events: those wait for their input (`told`), and
    are not told again.
    So does what was sent on to another lane: a request that was refused there could be granted now.
    """
    payments: list[tuple[Any, ...]] = []
    accounts: list[tuple[Any, ...]] = []
    waiting: list[tuple[Any, ...]] = []
    postings: list[tuple[datetime, Posting]] = []
    for each in events:
        if each.topic == PAYMENT_INSTRUCTIONS:
            reference = told.forwarding(each.partition, each.body)
            waiting.append((lane, each.seq, told.FORWARDED, reference, "", "", ""))
            continue
        event = types.decode(each.body)
        if isinstance(event, types.PaymentAccepted):
            at = _instant(event.accepted_at)
            _, _, body = split_payment_accepted(each.body)
            payments.append(
                _payment(lane, event.payment_id, event.instruction, body, "accepted", "", "", each.seq, at)
            )
            postings.append((at, _taken(event)))
        elif isinstance(event, types.PaymentRejected):
            at, body = _instant(event.rejected_at), event.instruction.body()
            payments.append(_payment(
                lane, event.payment_id, event.instruction, body, "rejected", event.reason_code, event.reason,
                each.seq, at,
            ))  # fmt: skip
        elif isinstance(event, types.AccountOpened):
            row = (event.account, lane, event.currency, event.name, "open", _instant(event.opened_at))
            accounts.append(row)
        if not isinstance(event, (types.PaymentAccepted, types.PaymentRejected)):
            waiting.append((lane, each.seq, *_waiting(event)))
    # First, for what waits excuses a balance that payments have drawn down before their funds are there.
    rows = await connection.fetch(SQL["adopted_told"], lane, [row[1] for row in waiting])
    there = {(row["event_seq"], row["kind"], row["reference"]) for row in rows}
    await insert(connection, "told", [row for row in waiting if row[1:4] not in there])
    new = await _new_payments(connection, payments)
    await insert(connection, "payments", [row for row in payments if row[0] in new])
    for at, of_time in groupby(
        ((at, each) for at, each in postings if each.entry_id in new), key=lambda pair: pair[0]
    ):
        await write_postings(connection, {lane: [each for _, each in of_time]}, at)
    names = [row[0] for row in accounts]
    known = {row["account"] for row in await connection.fetch(SQL["accounts"], names)}
    await insert(connection, "accounts", [row for row in accounts if row[0] not in known])


async def look_for_files(connection: Connection, lane: int, events: Sequence[OwnEvent]) -> None:  # noqa: ARG001 - the contract
    """Say which files the intake had begun that the database does not know: their clients send them again.

    A payment of theirs that stands on the topic is known by its key, however often it comes.
    """
    found: Counter[tuple[str, str]] = Counter()
    for each in events:
        event = types.decode(each.body)
        if isinstance(event, PaymentInstruction):
            found[event.client, event.idempotency_key.rsplit("/", 2)[0]] += 1
    clients, message_ids = [client for client, _ in found], [message for _, message in found]
    for row in await connection.fetch(SQL["files_not_known"], clients, message_ids):
        log.error(
            "file taken in after the backup: its client has to send it again",
            client=row["client"], message_id=row["message_id"],
            payments_published=found[row["client"], row["message_id"]],
        )  # fmt: skip


async def _new_payments(connection: Connection, payments: Sequence[tuple[Any, ...]]) -> set[bytes]:
    """Ids of those that are not there. Raises InvariantBroken where another payment has the key of one."""
    ours = {(row[2], row[3]): row[0] for row in payments}
    clients, keys = [client for client, _ in ours], [key for _, key in ours]
    known = await connection.fetch(SQL["adopted_payments"], list(ours.values()), clients, keys)
    for row in known:
        told_id = ours.get((row["client"], row["idempotency_key"]), row["payment_id"])
        if told_id != row["payment_id"]:
            raise InvariantBroken(
                f"{row['client']!r} used key {row['idempotency_key']!r} for {ids.text(told_id)}, as was told "
                f"before the restore, and since for {ids.text(row['payment_id'])} in another lane"
            )
    return {row[0] for row in payments} - {row["payment_id"] for row in known}


def _payment(
    lane: int,
    payment_id: bytes,
    instruction: PaymentInstruction,
    body: bytes,
    state: str,
    reason_code: str,
    reason: str,
    seq: int,
    at: datetime,
) -> tuple[Any, ...]:
    return (
        payment_id, lane, instruction.client, instruction.idempotency_key, digest_of(body),
        instruction.debtor_account,
        instruction.amount_minor, instruction.currency[:8], instruction.rail[:35], state, reason_code, reason,
        instruction.end_to_end_id[:35], instruction.uetr[:36], _NO_OFFSET, seq, at,
    )  # fmt: skip


def _taken(event: types.PaymentAccepted) -> Posting:
    instruction = event.instruction
    return posting.accepted(
        event.payment_id,
        instruction.debtor_account,
        instruction.rail,
        instruction.amount_minor,
        instruction.currency,
    )


def _waiting(event: object) -> tuple[str, str, str, str, str]:
    """(kind, reference, credited account, reason code, reason)"""
    if isinstance(event, types.AccountOpened):
        return told.OPENED, told.opening(event), "", "", ""
    if isinstance(event, types.AccountFunded):
        return told.FUNDED, told.funding(event), "", "", ""
    if isinstance(event, types.PaymentRefunded):
        return told.REFUNDED, event.payment_id.hex(), event.credited_account, event.reason_code, ""
    if isinstance(event, types.InstructionRefused):
        reference = f"{event.topic}/{event.source_partition}/{event.source_offset}"
        return told.REFUSED, reference, "", event.reason_code, event.reason
    raise InvariantBroken(f"{type(event).__name__} is no event of ingestion's")


def _instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)
