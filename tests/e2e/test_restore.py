"""A service's database set back to a backup on the whole stack, announced, and all is proved in the end."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from goodfunds.local import processes
from goodfunds.local.demo_file import demo_file
from goodfunds.local.stack import Stack, find, read

PAYMENTS = 60
LONGEST = 240.0
"""Seconds for one command: each takes about twenty; the rest is for a machine that others use too."""


@dataclass(frozen=True)
class Restore:
    """A service, its processes, and what must be as before in the end (payments first).

    `told`: topics that it alone writes, on which nothing may be told again.
    """

    service: str
    processes: tuple[str, ...]
    same: tuple[str, ...]
    told: tuple[str, ...] = ()


_BALANCES = "SELECT lane, account, currency, balance_minor FROM balances ORDER BY 1, 2, 3"
INGESTION = Restore(
    "ingestion",
    ("ingestion", "ingestion-intake"),
    (
        "SELECT payment_id, state, amount_minor, event_seq FROM payments ORDER BY payment_id",
        "SELECT payment_id, credited_account, source_seq, event_seq FROM refunds ORDER BY payment_id",
        _BALANCES,
    ),
)
SETTLEMENT = Restore(
    "settlement",
    ("settlement", "settlement-gateway"),
    (
        "SELECT payment_id, state, accepted_seq, accepted_offset FROM payment_states ORDER BY payment_id",
        "SELECT payment_id, bank_reference, booking_date, event_seq FROM settlements ORDER BY payment_id",
        "SELECT payment_id, reason_code, event_seq FROM rejections ORDER BY payment_id",
        "SELECT payment_id, bank_reference, booking_date, event_seq FROM returns ORDER BY payment_id",
        "SELECT lane, event_seq, kind, payment_id, amount_minor FROM contradictions ORDER BY 1, 2",
        "SELECT batch_id, payment_id FROM batch_members ORDER BY 1, 2",
        "SELECT batch_id, payments_count, amount_minor, message_id FROM batches WHERE sealed_at IS NOT NULL"
        " ORDER BY 1",
        "SELECT message_id, created_at, sha256, payments_count, amount_minor FROM bank_files ORDER BY 1",
        _BALANCES,
    ),
)

RECONCILIATION = Restore(
    "reconciliation",
    ("reconciliation", "reconciliation-statements"),
    (
        "SELECT * FROM expected_items WHERE side = -1 ORDER BY lane, payment_id",
        "SELECT * FROM expected_items WHERE side = 1 ORDER BY lane, payment_id",
        "SELECT lane, break_id, amount_minor, opened_at, resolved_at FROM breaks ORDER BY 1, 2",
        "SELECT lane, statement_id, line_number, payment_id, state, break_id, handed_over_from,"
        " handed_over_to FROM statement_lines ORDER BY 1, 2, 3",
        "SELECT * FROM statements ORDER BY lane, statement_id",
        "SELECT statement_id, position, held_back, done_at IS NULL FROM taken_statements ORDER BY 1",
    ),
    ("reconciliation", "bank-statements"),
)
FAULTS = "reject=0.1,return=0.2,echo_end_to_end_only=0.3,wrong_amount_line=2,short_statement=2"


def command(folder: Path, arguments: Sequence[str]) -> "subprocess.CompletedProcess[str]":
    goodfunds = str(Path(sys.executable).with_name("goodfunds"))
    return subprocess.run(
        [goodfunds, "--folder", str(folder), *arguments],
        capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip


@pytest.fixture
def folder(servers: Path) -> Iterator[Path]:
    folder = servers / "restore"
    yield folder
    command(folder, ["down", "--wipe"])


def told(folder: Path, *arguments: str) -> Any:
    answer = command(folder, arguments)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return json.loads(answer.stdout.splitlines()[-1])


def stop(folder: Path, names: Sequence[str]) -> None:
    stack = read(folder)
    assert stack is not None
    for name in names:
        processes.stop(stack.running[name])


async def replace_database(server: str, name: str, of: str) -> None:
    connection = await asyncpg.connect(f"{server.rstrip('/')}/postgres")
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", of
        )
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {of}")
    finally:
        await connection.close()


async def fetch(server: str, database: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(f"{server.rstrip('/')}/{database}")
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


async def ends(stack: Stack, topics: Sequence[str]) -> dict[TopicPartition, int]:
    reader = AIOKafkaConsumer(bootstrap_servers=stack.kafka)
    await reader.start()
    try:
        every = range(stack.partitions)
        return dict(
            await reader.end_offsets([TopicPartition(each, lane) for each in topics for lane in every])
        )
    finally:
        await reader.stop()


@pytest.mark.long
def test_backups_of_one_moment_come_back_into_service_one_after_the_other_and_the_proof_holds(
    folder: Path, tmp_path: Path
) -> None:
    demo = ["demo", "--keep", "--json", "--faults", FAULTS]
    told(folder, *demo, "--payments", str(PAYMENTS))
    stack = find(folder)
    restores = (INGESTION, SETTLEMENT, RECONCILIATION)
    for restore in restores:
        stop(folder, restore.processes)
    for restore in restores:
        asyncio.run(replace_database(stack.postgres, f"backup_{restore.service}", restore.service))
    assert command(folder, ["up"]).returncode == 0
    second = tmp_path / "second.xml"
    second.write_bytes(demo_file(PAYMENTS, 7, date.today(), seed=2, name="SECOND"))  # noqa: DTZ011 - a file's date
    told(folder, *demo, "--file", str(second))
    for restore in restores:
        bring_back(folder, stack, restore)
    third = tmp_path / "third.xml"
    third.write_bytes(demo_file(PAYMENTS, 7, date.today(), seed=3, name="THIRD"))  # noqa: DTZ011 - a file's date
    told(folder, *demo, "--file", str(third))
    proof = told(folder, "prove", "--json")
    assert [check for check in proof["checks"] if not check["holds"]] == []


def bring_back(folder: Path, stack: Stack, restore: Restore) -> None:
    """Set a service's database back to its backup, announce it, and wait until all is as it was."""
    server, service = stack.postgres, restore.service
    stop(folder, restore.processes)
    before = [asyncio.run(fetch(server, service, of)) for of in restore.same]
    assert len(before[0]) == 2 * PAYMENTS
    assert all(before[1:3])
    ended = asyncio.run(ends(stack, restore.told)) if restore.told else {}
    asyncio.run(replace_database(server, service, f"backup_{service}"))
    assert len(asyncio.run(fetch(server, service, restore.same[0]))) == PAYMENTS
    announced = told(folder, "db", "restored", "--service", service, "--json")
    assert announced["stopped"] == {}
    assert command(folder, ["up"]).returncode == 0

    async def as_before() -> None:
        """Everything since the backup was adopted or handled again: well under a minute."""
        async with asyncio.timeout(LONGEST):
            while True:
                if [await fetch(server, service, of) for of in restore.same] == before:
                    return
                await asyncio.sleep(0.2)

    asyncio.run(as_before())
    assert asyncio.run(fetch(server, service, "SELECT * FROM told")) == []
    if restore.told:
        assert asyncio.run(ends(stack, restore.told)) == ended
