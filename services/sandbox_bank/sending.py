"""Sending: answers that are due appear in the outbox, whole and once."""

from datetime import date, datetime
from hashlib import sha256
from typing import Any

from goodfunds.clock import Clock
from services.sandbox_bank import metrics
from services.sandbox_bank.answers import render
from services.sandbox_bank.books import SQL, stamp
from services.sandbox_bank.folders import Folders, write_durably
from services.sandbox_bank.model import Answer, AnswerKind, BankIdentity, Booking
from services.sandbox_bank.store import Store


def send_due_answers(store: Store, folders: Folders, identity: BankIdentity, clock: Clock) -> list[str]:
    """Write every answer whose time has come, oldest first; the names of the files written.

    One that is in the outbox already (the bank was stopped after writing it) is only marked as written.
    """
    sent = []
    for answer in map(_answer, store.all("answers_due", (stamp(clock.now()),))):
        target = folders.outbox / answer.name
        if target.exists():
            content = target.read_bytes()
        else:
            content = render(store.connection(), answer, identity)
            write_durably(content, folders.desk / answer.name, target)
        store.connection().execute(SQL["answer_written"], (sha256(content).hexdigest(), answer.answer))
        metrics.ANSWERS.labels(answer.kind).inc()
        sent.append(answer.name)
    return sent


def seconds_until_due(store: Store, now: datetime) -> float | None:
    """Seconds until the next answer falls due; None where none waits for a time."""
    due = store.one("next_due")[0]
    return max(0.0, (datetime.fromisoformat(due) - now).total_seconds()) if due else None


def _answer(row: Any) -> Answer:
    return Answer(
        answer=row[0],
        kind=AnswerKind(row[1]),
        name=row[2],
        message_id=row[3],
        content_of=row[4],
        file=row[5],
        group_status=row[6],
        reason_code=row[7],
        account=row[8],
        currency=row[9],
        booking=Booking(row[10]),
        day=date.fromisoformat(row[11]),
        from_transfer=row[12],
        to_transfer=row[13],
        number=row[14],
        opening_minor=row[15],
        closing_minor=row[16],
        created_at=datetime.fromisoformat(row[17]),
    )
