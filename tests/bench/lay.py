"""Lays finished payments in the three databases by COPY, as the services would have written them.

What a real run has left of its payments is copied over and over, each time under other ids and some days
earlier; balances, numbering and watermarks follow, so that `prove` holds. The outbox has no rows of them, as
if their days had been dropped; the bank's files are without their bytes.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer

from goodfunds.clock import SystemClock, micros
from goodfunds.events.topics import CONTROL_TOTALS, PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.events.types import ControlTotal
from goodfunds.postgres import connect

_FUNCTIONS = """
CREATE OR REPLACE FUNCTION lay_id(id uuid, copy integer, days integer) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT
RETURN CASE WHEN id = '00000000-0000-0000-0000-000000000000' THEN id ELSE (
    lpad(to_hex(('x' || left(replace(id::text, '-', ''), 12))::bit(48)::bigint
                - copy * days * 86400000::bigint), 12, '0')
    || '7' || substr(md5(id::text || copy), 1, 3) || '8' || substr(md5(id::text || copy), 4, 15))::uuid END;
"""
_ID = "lay_id({0}, {copy}, {days})"
_DATE = "{0} - {copy} * {days}"
_AT = "{0} - {copy} * {days} * interval '1 day'"
_NAME = "{0} || '~{copy}'"
_AS_LONG = "CASE WHEN length({0}) > 8 THEN overlay({0} PLACING '{copy:05}' FROM 1) ELSE {0} || '~{copy}' END"
"""Of payments, whose long names begin alike: no longer than those that come later.

Longer rows would leave room for one later row in each of their pages, and strew what comes over all of them.
"""
_OWN_SEQ = "{0} + {copy} * (SELECT own FROM lay_marks m WHERE m.lane = t.lane)"
_OTHER_SEQ = "{0} + {copy} * (SELECT other FROM lay_marks m WHERE m.lane = t.lane)"
_OF_PAYMENTS = "entry_id IN (SELECT payment_id FROM payments)"
_SHA = "sha256({0} || '~{copy}'::bytea)"
_TABLES: Mapping[str, Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "ingestion": {
        "payments": ("true", {
            "payment_id": _ID, "idempotency_key": _AS_LONG, "end_to_end_id": _AS_LONG, "decided_at": _AT,
            "event_seq": _OWN_SEQ,
        }),
        "refunds": ("true", {
            "payment_id": _ID, "refunded_at": _AT, "event_seq": _OWN_SEQ, "source_seq": _OTHER_SEQ,
        }),
        "postings": (_OF_PAYMENTS, {"entry_id": _ID, "posted_at": _AT}),
    },
    "settlement": {
        "batches": ("true", {
            "batch_id": _ID, "requested_date": _DATE, "cut_off_at": _AT, "opened_at": _AT, "sealed_at": _AT,
            "submitted_at": _AT, "message_id": _NAME,
        }),
        "payments": ("true", {
            "payment_id": _ID, "batch_id": _ID, "end_to_end_id": _AS_LONG, "received_at": _AT,
            "accepted_seq": _OTHER_SEQ,
        }),
        "settlements": ("true", {
            "payment_id": _ID, "booking_date": _DATE, "settled_at": _AT,
            "event_seq": _OWN_SEQ,
        }),
        "rejections": ("true", {"payment_id": _ID, "rejected_at": _AT, "event_seq": _OWN_SEQ}),
        "returns": ("true", {
            "payment_id": _ID, "booking_date": _DATE, "returned_at": _AT, "event_seq": _OWN_SEQ,
        }),
        "postings": (_OF_PAYMENTS, {"entry_id": _ID, "posted_at": _AT}),
        "batch_statuses": ("true", {"batch_id": _ID, "reported_at": _AT}),
        "payment_statuses": ("true", {"payment_id": _ID, "reported_at": _AT}),
        "bank_files": ("true", {
            "file_id": _ID, "requested_date": _DATE, "message_id": _NAME, "file_name": _NAME,
            "created_at": _AT, "claimed_at": _AT, "submitted_at": _AT, "asked_at": _AT,
            "answered_at": "coalesce({0}, submitted_at) - {copy} * {days} * interval '1 day'",
        }),
        "bank_file_batches": ("true", {"batch_id": _ID, "file_id": _ID}),
        "attempts": ("true", {"file_id": _ID, "started_at": _AT, "delivering_at": _AT, "ended_at": _AT}),
        "bank_messages": ("true", {"name": _NAME, "sha256": _SHA, "taken_at": _AT, "finished_at": _AT}),
    },
    "reconciliation": {
        "expected_items": ("true", {
            "payment_id": _ID, "batch_id": _ID, "end_to_end_id": _AS_LONG, "opened_at": _AT,
            "settled_on": _DATE, "statement_id": _ID,
            "opened_seq": _OTHER_SEQ,
        }),
        "batches": ("true", {"batch_id": _ID, "opened_at": _AT}),
        "statement_lines": ("true", {
            "statement_id": _ID, "payment_id": _ID, "batch_id": _ID, "end_to_end_id": _AS_LONG,
            "booking_date": _DATE, "value_date": _DATE, "received_at": _AT,
        }),
        "statements": ("true", {
            "statement_id": _ID, "statement_number": _NAME, "bank_statement_id": _NAME, "from_date": _DATE,
            "to_date": _DATE, "opened_at": _AT, "reconciled_at": _AT,
            "opening_minor": "{0} + {copy} * {moved}", "closing_minor": "{0} + {copy} * {moved}",
        }),
        "statement_shares": ("true", {"statement_id": _ID, "to_date": _DATE, "closed_at": _AT}),
        "statement_files": ("true", {
            "file_name": _NAME, "sha256": _SHA, "found_at": _AT,
        }),
        "taken_statements": ("true", {
            "statement_id": _ID, "file_name": _NAME, "sha256": _SHA, "statement_number": _NAME,
            "bank_statement_id": _NAME, "to_date": _DATE, "taken_at": _AT, "done_at": _AT,
        }),
    },
}  # fmt: skip
"""Service → table → which of its rows are a payment's, and how a copy of a row differs."""

_LAST = """
SELECT lane, coalesce((destinations ->> ($1 || '/' || lane))::bigint - 1, 0) AS seq
FROM lanes WHERE lane >= 0"""
_BEFORE = "SELECT lane, min(event_seq) - 1 AS seq FROM payments GROUP BY lane"
"""What was told of accounts before the first payment: it is not copied, and so are not its numbers."""


@dataclass(frozen=True, slots=True)
class Laid:
    """How many payments more, and what they take of disk, by service."""

    payments: int
    bytes_of: Mapping[str, int]


async def lay(
    dsns: Mapping[str, str], template: int, copies: int, moved_minor: int, bootstrap: str = ""
) -> Laid:
    """Copy the `template` payments of a run that has ended so often; the processes must be stopped.

    `dsns`: of each service's database. `moved_minor` is what the template took off the nostro. The second
    reader is told on the broker at `bootstrap`, if there is one.
    """
    open_ = {name: await connect(dsns[name], "lay") for name in _TABLES}
    try:
        incarnation = {
            name: await each.fetchval("SELECT incarnation FROM cluster") for name, each in open_.items()
        }
        own = {
            "ingestion": dict(await open_["ingestion"].fetch(_LAST, PAYMENTS)),
            "settlement": dict(await open_["settlement"].fetch(_LAST, SETTLEMENT_NOTIFICATIONS)),
        }
        earlier = dict(await open_["ingestion"].fetch(_BEFORE))
        steps = {
            "ingestion": {lane: last - earlier.get(lane, last) for lane, last in own["ingestion"].items()},
            "settlement": own["settlement"],
        }
        before = {name: await _size(each) for name, each in open_.items()}
        marks = {
            "ingestion": (steps["ingestion"], steps["settlement"]),
            "settlement": (steps["settlement"], steps["ingestion"]),
            "reconciliation": (steps["settlement"], steps["settlement"]),
        }
        days = await open_["reconciliation"].fetchval(
            "SELECT coalesce(max(to_date) - min(from_date), 0) + 1 FROM statements"
        )
        for name, connection in open_.items():
            await _prepare(connection, name, *marks[name])
        await asyncio.gather(*(_copy(dsns[name], name, copies, days, moved_minor) for name in _TABLES))
        await _follow(open_, incarnation, own, steps, copies)
        if bootstrap:
            await _tell_totals(bootstrap, open_["reconciliation"], steps, copies)
        await asyncio.gather(*(each.execute("VACUUM ANALYZE", timeout=3600) for each in open_.values()))
        after = {name: await _size(each) for name, each in open_.items()}
    finally:
        for each in open_.values():
            await each.close()
    return Laid(template * copies, {name: after[name] - before[name] for name in after})


async def _size(connection: Any) -> int:
    return int(await connection.fetchval("SELECT pg_database_size(current_database())"))


async def _prepare(connection: Any, service: str, own: Mapping[int, int], other: Mapping[int, int]) -> None:
    await connection.execute(_FUNCTIONS)
    await connection.execute("CREATE UNLOGGED TABLE lay_marks (lane integer, own bigint, other bigint)")
    await connection.copy_records_to_table(
        "lay_marks", records=[(lane, own[lane], other[lane]) for lane in own]
    )
    for table, (which, _) in _TABLES[service].items():
        await connection.execute(f"CREATE UNLOGGED TABLE lay_{table} AS SELECT * FROM {table} WHERE {which}")


async def _copy(dsn: str, service: str, copies: int, days: int, moved_minor: int) -> None:
    """The oldest copy first, so that rows come in the order of their ids, as they would have."""
    source, target = await connect(dsn, "lay"), await connect(dsn, "lay")
    try:
        # What no trigger looks at is looked at by the proof; checks and keys hold as ever.
        await target.execute("SET session_replication_role = replica")
        await target.execute("SET synchronous_commit = off")
        for copy in range(copies, 0, -1):
            for table, (_, changes) in _TABLES[service].items():
                columns = await _columns(source, table)
                listed = ", ".join(
                    changes.get(name, "{0}").format(f"t.{name}", copy=copy, days=days, moved=moved_minor)
                    for name in columns
                )
                await _pipe(source, f"SELECT {listed} FROM lay_{table} t", target, table, columns)
        for table in ("marks", *_TABLES[service]):
            if table != "postings":
                await target.execute(f"DROP TABLE lay_{table}")
    finally:
        await source.close()
        await target.close()


async def _columns(connection: Any, table: str) -> list[str]:
    rows = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attgenerated = '' ORDER BY attnum",
        table,
    )
    return [row[0] for row in rows]


async def _pipe(source: Any, query: str, target: Any, table: str, columns: Sequence[str]) -> None:
    waiting: asyncio.Queue[bytes | None] = asyncio.Queue(64)

    async def read() -> None:
        await source.copy_from_query(query, output=waiting.put, format="binary", timeout=600)
        await waiting.put(None)

    async def chunks() -> AsyncIterator[bytes]:
        while (chunk := await waiting.get()) is not None:
            yield chunk

    await asyncio.gather(
        read(), target.copy_to_table(table, source=chunks(), columns=columns, format="binary", timeout=600)
    )


async def _follow(
    open_: Mapping[str, Any],
    incarnation: Mapping[str, str],
    own: Mapping[str, Mapping[int, int]],
    steps: Mapping[str, Mapping[int, int]],
    copies: int,
) -> None:
    """Balances, numbering and watermarks go on by what was laid."""
    for service, topic, read, producer in (
        ("ingestion", PAYMENTS, SETTLEMENT_NOTIFICATIONS, "settlement"),
        ("settlement", SETTLEMENT_NOTIFICATIONS, PAYMENTS, "ingestion"),
        ("reconciliation", None, SETTLEMENT_NOTIFICATIONS, "settlement"),
    ):
        connection = open_[service]
        if topic is not None:
            await connection.execute(
                """
                UPDATE balances b SET balance_minor = b.balance_minor + $1 * s.minor
                FROM (SELECT lane, account, currency, sum(minor)::bigint AS minor
                      FROM (SELECT lane, credit_account AS account, currency, amount_minor AS minor
                            FROM lay_postings
                            UNION ALL
                            SELECT lane, debit_account, currency, -amount_minor FROM lay_postings) sides
                      GROUP BY lane, account, currency) s
                WHERE (b.lane, b.account, b.currency) = (s.lane, s.account, s.currency)""",
                copies,
            )
            await connection.execute("DROP TABLE lay_postings")
        for lane in own["ingestion"]:
            row = await connection.fetchrow(
                "SELECT destinations, watermarks FROM lanes WHERE lane = $1", lane
            )
            numbers, marks = json.loads(row["destinations"]), json.loads(row["watermarks"])
            place, mark = f"{topic}/{lane}", f"{read}|{producer}.{incarnation[producer]}|{lane}"
            if place in numbers:
                numbers[place] += copies * steps[service][lane]
            if mark in marks:
                assert marks[mark] == own[producer][lane], f"{service} has not handled all of lane {lane}"
                marks[mark] += copies * steps[producer][lane]
            await connection.execute(
                "UPDATE lanes SET destinations = $2, watermarks = $3 WHERE lane = $1",
                lane, json.dumps(numbers), json.dumps(marks),
            )  # fmt: skip


async def _tell_totals(
    bootstrap: str, reconciliation: Any, steps: Mapping[str, Mapping[int, int]], copies: int
) -> None:
    """The second reader goes on from what it published last: its totals hold what was laid as well."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        for row in await reconciliation.fetch(
            "SELECT * FROM control_totals WHERE event_type IN ('PaymentAccepted', 'PaymentSettled')"
        ):
            seqs = steps["ingestion" if row["topic"] == PAYMENTS else "settlement"]
            total = ControlTotal(
                row["amount_minor"] * (copies + 1), micros(SystemClock().now()), "reconciliation",
                row["topic"], row["total_partition"], row["producer"], row["producer_lane"],
                row["last_seq"] + copies * seqs[row["producer_lane"]], row["last_offset"], row["currency"],
                row["event_type"], row["count"] * (copies + 1),
            )  # fmt: skip
            await producer.send_and_wait(CONTROL_TOTALS, total.encode(), partition=row["total_partition"])
    finally:
        await producer.stop()
