"""Records a step of the gateway inside the feed's fenced transaction; the events that follow from it."""

from datetime import datetime
from typing import Any

from goodfunds.clock import micros
from goodfunds.errors import InvariantBroken
from goodfunds.events.topics import BANK_NOTIFICATIONS
from goodfunds.events.types import BatchRefused, BatchSubmitted
from goodfunds.lanes import Emission
from goodfunds.postgres import all_written
from services.settlement.gateway.reports import INVALID_CUT_OFF_TIME
from services.settlement.gateway.work import (
    BankAsked,
    BankFileClaim,
    EndAttempt,
    FileAdopted,
    FileFound,
    FileSubmitted,
    FoldersRead,
    MarkDelivering,
    MessageTaken,
    PaymentsAsked,
    PersonAnswered,
    Released,
    StartAttempt,
    Work,
)
from services.settlement.store import SQL, Connection


async def record(connection: Connection, work: Work, now: datetime) -> list[Emission]:
    """Write the rows of one step. Raises InvariantBroken where the rows are not as the step found them."""
    match work:
        case BankFileClaim():
            return await _claim(connection, work, now)
        case StartAttempt(file, attempt):
            await connection.execute(SQL["start_attempt"], file.file_id, attempt, now)
        case MarkDelivering(file):
            marked = await connection.fetchval(SQL["mark_delivering"], file.file_id, file.attempts, now)
            if marked is None:
                raise InvariantBroken(f"{file.file_name}: attempt {file.attempts} is no longer being sent")
        case EndAttempt(file, state, detail):
            status = await connection.execute(
                SQL["end_attempt"], file.file_id, file.attempts, state, now, detail[:500]
            )
            all_written(status, 1, "attempts that ended")
        case FileSubmitted(file):
            return await submit(connection, file.file_id, now)
        case PersonAnswered():
            status = await connection.execute(SQL["finish_requests"], [work.request_id], [work.outcome], now)
            all_written(status, 1, "requests that waited")
            if work.file is not None and work.found:
                return await submit(connection, work.file.file_id, now)
            if work.file is not None:
                await connection.execute(SQL["forget_deliveries"], work.file.file_id)
        case MessageTaken():
            return await _message(connection, work, now)
        case PaymentsAsked(file_id, asked_to, emissions):
            if asked_to is not None:
                status = await connection.execute(SQL["go_on_asking"], file_id, asked_to)
            else:
                status = await connection.execute(SQL["end_asking"], file_id, now)
            all_written(status, 1, "files asked for")
            return list(emissions)
        case FileFound():
            await _found(connection, work)
        case FoldersRead(incarnation):
            await connection.execute(SQL["note_folders_read"], incarnation, now)
        case FileAdopted(message_id, file_id):
            await connection.execute(SQL["adopt_file"], message_id, now)
            return await submit(connection, file_id, now)
        case BankAsked(incarnation, asked_to):
            status = await connection.execute(SQL["go_on_asking_for_payments"], incarnation, asked_to)
            all_written(status, 1, "restores under way")
        case Released(incarnation):
            status = await connection.execute(SQL["release"], incarnation, now)
            all_written(status, 1, "restores under way")
    return []


async def _found(connection: Connection, found: FileFound) -> None:
    file = found.claim
    await connection.execute(
        SQL["note_found_file"], file.message_id, file.file_name, file.file_id, file.rail, file.nostro,
        file.currency, file.requested_date, file.created_at, file.sha256,
        sum(len(batch.payment_ids) for batch in found.batches),
        sum(batch.amount_minor for batch in found.batches),
    )  # fmt: skip
    await connection.copy_records_to_table(
        "found_batches",
        records=[
            (
                each.batch_id,
                file.message_id,
                each.lane,
                each.sequence,
                len(each.payment_ids),
                each.amount_minor,
            )
            for each in found.batches
        ],
        columns=("batch_id", "message_id", "lane", "sequence", "payments_count", "amount_minor"),
    )
    await connection.copy_records_to_table(
        "found_payments",
        records=[(each, batch.batch_id) for batch in found.batches for each in batch.payment_ids],
        columns=("payment_id", "batch_id"),
    )


async def _claim(connection: Connection, claim: BankFileClaim, now: datetime) -> list[Emission]:
    await connection.execute(
        SQL["claim_file"],
        claim.file_id,
        claim.rail,
        claim.nostro,
        claim.currency,
        claim.requested_date,
        claim.message_id,
        claim.file_name,
        claim.created_at,
        claim.sha256,
        sum(batch.payments_count for batch in claim.batches),
        sum(batch.amount_minor for batch in claim.batches),
        now,
    )
    await connection.execute(
        SQL["claim_batches"],
        claim.file_id,
        [batch.batch_id for batch in claim.batches],
        [batch.lane for batch in claim.batches],
    )
    if not claim.too_late:
        return []
    reason = "its date had passed before it could be sent"
    await connection.execute(SQL["refuse_file"], claim.file_id, now, f"{INVALID_CUT_OFF_TIME} {reason}")
    return [
        Emission(
            BANK_NOTIFICATIONS,
            batch.lane,
            claim.nostro.encode(),
            "BatchRefused",
            BatchRefused(
                batch_id=batch.batch_id,
                refused_at=micros(now),
                message_id=claim.message_id,
                reason_code=INVALID_CUT_OFF_TIME,
                reason=reason,
            ).encode(),
            b"",
        )
        for batch in claim.batches
    ]


async def submit(connection: Connection, file_id: bytes, now: datetime) -> list[Emission]:
    """Note that the bank has a file, and tell the lanes of its batches; once."""
    row: Any = await connection.fetchrow(SQL["submit_file"], file_id, now)
    if row is None:
        return []
    await connection.execute(SQL["submit_last_attempt"], file_id, now)
    return [
        Emission(
            BANK_NOTIFICATIONS,
            lane,
            row["nostro"].encode(),
            "BatchSubmitted",
            BatchSubmitted(
                batch_id=batch_id,
                submitted_at=micros(now),
                message_id=row["message_id"],
                file_name=row["file_name"],
                nostro=row["nostro"],
            ).encode(),
            b"",
        )
        for batch_id, lane in await connection.fetch(SQL["batches_of_file"], file_id)
    ]


async def _message(connection: Connection, taken: MessageTaken, now: datetime) -> list[Emission]:
    emissions: list[Emission] = []
    for file_id in taken.submitted:
        emissions += await submit(connection, file_id, now)
    for file_id, refusal in taken.refused:
        await connection.execute(SQL["refuse_file"], file_id, now, refusal)
    await connection.execute(
        SQL["take_message"], taken.name, taken.sha256, taken.kind, now, taken.position,
        now if taken.finished else None, taken.outcome[:500],
    )  # fmt: skip
    return [*emissions, *taken.emissions]
