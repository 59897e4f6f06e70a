"""Gathers evidence: rows of the three databases, every record of the topics, and the sandbox bank's books."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from sys import intern
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.auditor.evidence import BankAccount, BankFile, BankTransfer, Database, LogRecord, PlantedFault
from tests.auditor.history import INSTRUCTIONS, OWN_TOPICS

_SQL = Path(__file__).with_name("tables.sql")
_HEADERS = frozenset({"producer", "lane", "seq", "ce_type"})
_OPEN, _SIGN = "-- name: ", {"payment": -1, "return": 1}


class BankBooks(NamedTuple):
    """The bank's side of the evidence."""

    transfers: Sequence[BankTransfer]
    files: Sequence[BankFile]
    accounts: Sequence[BankAccount]
    faults: Sequence[PlantedFault]


async def read_database(dsn: str, service: str) -> Database:
    """A service's rows, all from one moment."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            tables = {
                name: [_row(row) for row in await connection.fetch(statement)]
                for name, statement in _statements(service).items()
            }
    finally:
        await connection.close()
    return Database(service, tables)


def _statements(service: str) -> Mapping[str, str]:
    """Table → the statement that reads it: those of the library's rooms, and the service's own."""
    found = {}
    for part in _SQL.read_text(encoding="utf-8").split(_OPEN)[1:]:
        name, _, statement = part.partition("\n")
        of, _, table = name.partition(".")
        if of in ("every", service):
            found[table] = statement
    return found


def _row(row: Any) -> dict[str, Any]:
    found = {}
    for name, value in row.items():
        if isinstance(value, UUID):
            value = value.bytes
        elif name in ("offsets", "started_above", "watermarks", "destinations", "acknowledged"):
            value = json.loads(value)
        found[name] = value
    return found


async def read_log(bootstrap: str) -> tuple[list[LogRecord], dict[tuple[str, int], int]]:
    """Every record of the topics up to their ends of now, and those ends."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed",
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )  # fmt: skip
    await consumer.start()
    try:
        places = [
            TopicPartition(topic, partition)
            for topic in (INSTRUCTIONS, *OWN_TOPICS)
            for partition in sorted(
                consumer.partitions_for_topic(topic) or await _partitions(consumer, topic)
            )
        ]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        starts = await consumer.beginning_offsets(places)
        for place in places:
            consumer.seek(place, starts[place])
        left = {place for place in places if starts[place] < ends[place]}
        found: list[LogRecord] = []
        while left:
            for place, records in (await consumer.getmany(*left, timeout_ms=500, max_records=20_000)).items():
                found += [_record(each) for each in records if each.offset < ends[place]]
            for place in list(left):
                if await consumer.position(place) >= ends[place]:
                    left.discard(place)
                    consumer.pause(place)
    finally:
        await consumer.stop()
    return found, {(place.topic, place.partition): end for place, end in ends.items()}


async def _partitions(consumer: Any, topic: str) -> Iterable[int]:
    await consumer._client.set_topics([topic])
    found: Iterable[int] = consumer.partitions_for_topic(topic) or ()
    return found


def _record(record: Any) -> LogRecord:
    headers = tuple(
        (intern(name), b"" if value is None else value) for name, value in record.headers if name in _HEADERS
    )
    return LogRecord(
        record.topic, record.partition, record.offset, record.timestamp, record.key, record.value, headers
    )


async def read_bank(url: str) -> BankBooks:
    """The sandbox bank's books, laid open over HTTP."""
    async with httpx.AsyncClient(timeout=120) as http:
        answer = await http.get(f"{url}/books")
        answer.raise_for_status()
    books: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in answer.text.splitlines():
        row = json.loads(line)
        books[row.pop("book")].append(row)
    return bank_books(books)


def bank_books(books: Mapping[str, list[dict[str, Any]]]) -> BankBooks:
    """The bank's books as plain records."""
    payments = {row["id"]: row for row in books["payments"]}
    held = {row["account"] for row in books["accounts"] if row["held"]}
    transfers = []
    for row in books["transfers"]:
        if row["kind"] not in _SIGN:
            continue
        of, back = payments[row["payment"]], row["kind"] == "return"
        account, other = row["debit_account"], row["credit_account"]
        if back:
            account, other = other, account
        transfers.append(
            BankTransfer(
                row["kind"], of["instruction_id"], of["end_to_end_id"], row["amount_minor"], row["currency"],
                account, other, date.fromisoformat(row["booked_on"]),
            )
        )  # fmt: skip
    return BankBooks(
        transfers,
        [
            BankFile(row["message_id"], row["sha256"], row["standing"], row["transactions"])
            for row in books["files"]
        ],
        [
            BankAccount(row["account"], row["currency"], row["opened_with"], row["balance_minor"])
            for row in books["accounts"]
            if row["account"] in held
        ],
        _faults(books, payments),
    )


def _faults(books: Mapping[str, list[dict[str, Any]]], payments: Mapping[int, Any]) -> list[PlantedFault]:
    answers = {row["id"]: row for row in books["answers"]}
    never_left = {row["payment"] for row in books["told"]} - {
        row["payment"] for row in books["told"] if answers[row["answer"]]["state"] != "lost"
    }
    by_instruction = {row["instruction_id"]: row for row in payments.values()}
    found = []
    for row in books["faults"]:
        of = payments.get(row["payment"]) or by_instruction.get(row["subject"])
        kind = row["kind"]
        if of is None or kind in ("short_statement", "wrong_amount_line"):
            continue
        if kind == "contradictory_answer" and of["id"] in never_left:
            kind = "contradictory_answer_lost"
        found.append(PlantedFault(kind, of["instruction_id"]))
    by_entry: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in books["transfers"]:
        by_entry[row["entry"]].append(row)
    for row in books["damaged_lines"]:
        of_day = answers[row["answer"]]
        # As the bank's statements name themselves (Stmt/Id).
        statement = f"STM-{of_day['day'].replace('-', '')}-{of_day['content_of']:08d}"
        wrong = row["damage"] != "missing"
        for transfer in by_entry[row["entry"]]:
            sign = _SIGN[transfer["kind"]]
            found.append(
                PlantedFault(
                    "wrong_amount_line" if wrong else "short_statement",
                    payments[transfer["payment"]]["instruction_id"], transfer["kind"], statement,
                    -sign if wrong else sign * transfer["amount_minor"],
                )
            )  # fmt: skip
    for answer in answers.values():
        if answer["state"] == "lost" and answer["kind"] == "camt.054":
            found += [
                PlantedFault("lost_answer", payments[row["payment"]]["instruction_id"], row["kind"])
                for row in books["transfers"]
                if answer["from_transfer"] <= row["id"] <= answer["to_transfer"]
            ]
    return found
