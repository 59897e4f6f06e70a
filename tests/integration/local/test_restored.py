"""`goodfunds db restored`: for which services, what it says, and what it changes."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from click.testing import CliRunner, Result

from goodfunds.cli import database
from goodfunds.cli.root import root
from goodfunds.local.postgres import create_databases
from goodfunds.service import services

_LANE = "INSERT INTO lanes (lane, incarnation, offsets) SELECT {}, incarnation, '{{}}' FROM cluster"


@pytest.fixture
def asked(postgres: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GOODFUNDS_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("GOODFUNDS_POSTGRES", postgres.url)

    def ask(*arguments: str) -> Result:
        return CliRunner().invoke(root, ["--folder", str(tmp_path), "db", "restored", *arguments])

    return ask


def test_a_service_without_adoption_is_refused_in_a_plain_line(
    asked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = replace(services()["ingestion"], name="treasury", adopts=False)
    monkeypatch.setattr(database, "services", lambda: {"treasury": service})
    answer = asked("--service", "treasury")
    assert answer.exit_code == 2
    assert "treasury cannot adopt its own events yet" in answer.stderr


def test_an_unknown_service_is_refused_with_those_that_there_are(asked: Any) -> None:
    answer = asked("--service", "treasury")
    assert answer.exit_code == 2
    assert "no service is called treasury: ingestion, reconciliation, settlement" in answer.stderr


async def execute(dsn: str, statement: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def test_a_database_gets_a_new_incarnation_and_its_lanes_are_to_adopt(asked: Any, postgres: Any) -> None:
    asyncio.run(create_databases(postgres.url, ["ingestion"]))
    nothing = asked("--service", "ingestion")
    assert nothing.exit_code == 2
    assert "nothing has worked on this database yet" in nothing.stderr
    dsn = postgres.dsn("ingestion")
    asyncio.run(execute(dsn, "INSERT INTO cluster (partitions) VALUES (2)"))
    for lane in (-1, 0, 1):
        asyncio.run(execute(dsn, _LANE.format(lane)))
    before = asyncio.run(execute(dsn, "SELECT incarnation FROM cluster"))
    answer = asked("--service", "ingestion", "--json")
    assert answer.exit_code == 0, answer.stderr
    told = json.loads(answer.stdout)
    assert told == {
        "service": "ingestion",
        "incarnation": told["incarnation"],
        "lanes": [-1, 0, 1],
        "stopped": {},
    }
    assert told["incarnation"] != before
    due = "SELECT count(*) FROM lanes l JOIN cluster c USING (incarnation) WHERE l.restored_at IS NOT NULL"
    assert asyncio.run(execute(dsn, due)) == 3
    assert "3 lanes and feeds will adopt" in asked("--service", "ingestion").stdout
    asyncio.run(
        execute(postgres.url + "/postgres", f"ALTER DATABASE ingestion RENAME TO gone_{uuid4().hex[:8]}")
    )
