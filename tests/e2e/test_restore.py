"""Ingestion's database set back to a backup on the whole stack, announced, and all is proved in the end."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from goodfunds.local import processes
from goodfunds.local.demo_file import demo_file
from goodfunds.local.stack import find, read

PAYMENTS = 60
FAULTS = "reject=0.2,return=0.2"
OURS = ("ingestion", "ingestion-intake")
LONGEST = 240.0
"""Seconds for one command: each takes about twenty; the rest is for a machine that others use too."""


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


def stop_ingestion(folder: Path) -> None:
    stack = read(folder)
    assert stack is not None
    for name in OURS:
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


async def fetch(server: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(f"{server.rstrip('/')}/ingestion")
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


_PAYMENTS = "SELECT payment_id, state, amount_minor, event_seq FROM payments ORDER BY payment_id"
_REFUNDS = "SELECT payment_id, credited_account, source_seq, event_seq FROM refunds ORDER BY payment_id"
_BALANCES = "SELECT lane, account, currency, balance_minor FROM balances ORDER BY 1, 2, 3"


def test_a_backup_of_ingestion_comes_back_into_service_and_the_proof_holds(
    folder: Path, tmp_path: Path
) -> None:
    demo = ["demo", "--keep", "--json", "--faults", FAULTS]
    told(folder, *demo, "--payments", str(PAYMENTS))
    server = find(folder).postgres
    stop_ingestion(folder)
    asyncio.run(replace_database(server, "backup", "ingestion"))
    assert command(folder, ["up"]).returncode == 0
    second = tmp_path / "second.xml"
    second.write_bytes(demo_file(PAYMENTS, 7, date.today(), seed=2, name="SECOND"))  # noqa: DTZ011 - a file's date
    told(folder, *demo, "--file", str(second))
    before = [asyncio.run(fetch(server, of)) for of in (_PAYMENTS, _REFUNDS, _BALANCES)]
    assert len(before[0]) == 2 * PAYMENTS
    assert before[1]
    stop_ingestion(folder)
    asyncio.run(replace_database(server, "ingestion", "backup"))
    assert len(asyncio.run(fetch(server, _PAYMENTS))) == PAYMENTS
    announced = told(folder, "db", "restored", "--service", "ingestion", "--json")
    assert announced["stopped"] == {}
    assert command(folder, ["up"]).returncode == 0

    async def settled() -> None:
        """Everything since the backup was adopted or handled again: well under a minute."""
        async with asyncio.timeout(LONGEST):
            while True:
                if [await fetch(server, of) for of in (_PAYMENTS, _REFUNDS, _BALANCES)] == before:
                    return
                await asyncio.sleep(0.2)

    asyncio.run(settled())
    assert asyncio.run(fetch(server, "SELECT * FROM told")) == []
    proof = told(folder, "prove", "--json")
    assert [check for check in proof["checks"] if not check["holds"]] == []
