"""The local stack on real servers: up, told of, killed, up again with its data, down, wiped."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from click.testing import CliRunner

from goodfunds.cli.stack import status
from goodfunds.errors import Misconfigured
from goodfunds.events.topics import TOPICS
from goodfunds.local import house, processes
from goodfunds.local import stack as local
from goodfunds.local.processes import Running

BANK = {"sandbox-bank": house.PROCESSES["sandbox-bank"]}


@pytest.fixture(scope="module", autouse=True)
def only_the_bank() -> Iterator[None]:
    """One process of the eight: what starts, watches and stops them is the same for all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house, "PROCESSES", BANK)
        for variable in ("GOODFUNDS_KAFKA", "GOODFUNDS_POSTGRES"):
            patch.delenv(variable, raising=False)
        yield


@pytest.fixture(scope="module")
def folder(only_the_bank: None, servers: Path) -> Iterator[Path]:
    """A folder whose stack is up; what a test leaves of it is stopped and removed."""
    made = servers / "stack"
    local.up(made, 2, say=_silent)
    yield made
    local.wipe(made, say=_silent)


@pytest.fixture
def up(folder: Path) -> local.Stack:
    return local.up(folder, 2, say=_silent)


def _silent(_text: str) -> None:
    """Nobody listens."""


def told(folder: Path) -> tuple[int, dict[str, Any]]:
    """`status`: its exit code and what it says of each process."""
    answer = CliRunner().invoke(status, ["--json"], obj=folder)
    return answer.exit_code, json.loads(answer.stdout)["processes"]


async def fetchval(stack: local.Stack, statement: str) -> Any:
    connection = await asyncpg.connect(f"{stack.postgres}/ingestion")
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def topics(stack: local.Stack) -> set[str]:
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka)
    await consumer.start()
    try:
        return set(await consumer.topics())
    finally:
        await consumer.stop()


def test_up_starts_what_status_calls_ready(up: local.Stack) -> None:
    code, parts = told(up.folder)
    assert code == 0
    assert {name: each["state"] for name, each in parts.items()} == {
        "postgres": "ready", "kafka": "ready", "sandbox-bank": "ready",
    }  # fmt: skip


def test_a_second_up_finds_everything_running(up: local.Stack) -> None:
    again = local.up(up.folder, 2, say=_silent)
    assert again.running == up.running
    assert (again.kafka, again.postgres, again.http) == (up.kafka, up.postgres, up.http)


@pytest.mark.long  # The whole stack stops and starts.
def test_a_second_up_while_one_runs_waits_and_starts_nothing_twice(up: local.Stack) -> None:
    local.down(up, say=_silent)
    script = (
        "import sys; from pathlib import Path; from goodfunds.local import stack, house\n"
        "house.PROCESSES = {'sandbox-bank': house.PROCESSES['sandbox-bank']}\n"
        "stack.up(Path(sys.argv[1]), 2, say=lambda text: None)"
    )
    command = [sys.executable, "-c", script, str(up.folder)]
    both = [subprocess.Popen(command) for _ in range(2)]
    # Each start takes seconds; the bound only keeps a hanging one from holding the suite.
    assert [each.wait(timeout=60) for each in both] == [0, 0]
    code, parts = told(up.folder)
    assert code == 0
    stack = local.read(up.folder)
    assert stack is not None
    assert {name: each["pid"] for name, each in parts.items()} == {
        name: running.pid for name, running in stack.running.items()
    }


def test_another_partition_count_is_refused(up: local.Stack) -> None:
    with pytest.raises(Misconfigured, match="2 partitions; the count is for life"):
        local.up(up.folder, 3, say=_silent)


def test_servers_of_another_provider_are_refused(up: local.Stack) -> None:
    with pytest.raises(Misconfigured, match="postgres is embedded, not docker"):
        local.up(up.folder, 2, say=_silent, provider="docker")


def test_a_killed_process_is_told_and_started_again_alone(up: local.Stack) -> None:
    processes.stop(up.running["sandbox-bank"], first=signal.SIGKILL)
    code, parts = told(up.folder)
    assert code == 1
    assert {name: each["state"] for name, each in parts.items()} == {
        "postgres": "ready", "kafka": "ready", "sandbox-bank": "dead",
    }  # fmt: skip
    with pytest.raises(Misconfigured, match="sandbox-bank"):
        local.find(up.folder)
    assert local.find(up.folder, whole=False).kafka == up.kafka
    again = local.up(up.folder, 2, say=_silent)
    assert told(up.folder)[0] == 0
    assert again.running["kafka"] == up.running["kafka"]


def test_down_and_up_keep_the_data_though_ports_were_taken(up: local.Stack) -> None:
    async def keep() -> None:
        connection = await asyncpg.connect(f"{up.postgres}/ingestion")
        await connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS seven")
        await connection.close()

    asyncio.run(keep())
    local.down(up, say=_silent)
    assert not any(each.alive() for each in up.running.values())
    ports = [int(up.kafka.rpartition(":")[2]), int(up.postgres.rpartition(":")[2]), *up.http.values()]
    taken = [socket.create_server(("127.0.0.1", port)) for port in ports]
    try:
        again = local.up(up.folder, 2, say=_silent)
    finally:
        for each in taken:
            each.close()
    assert again.kafka != up.kafka
    assert again.postgres != up.postgres
    assert told(up.folder)[0] == 0
    assert asyncio.run(fetchval(again, "SELECT seven FROM kept")) == 7
    assert asyncio.run(topics(again)) == {each.name for each in TOPICS}


def test_a_state_file_of_dead_processes_and_of_strangers_is_no_obstacle(up: local.Stack) -> None:
    stale = local.read(up.folder)
    assert stale is not None
    # This test's own pid with another start time: a pid that was given out again.
    stale.running["sandbox-bank"] = Running(os.getpid(), 1.0)
    stale.save()
    processes.stop(up.running["sandbox-bank"])
    assert told(up.folder)[1]["sandbox-bank"]["state"] == "dead"
    again = local.up(up.folder, 2, say=_silent)
    assert again.running["sandbox-bank"].pid != os.getpid()
    assert told(up.folder)[0] == 0


def test_wiping_stops_and_removes_everything(up: local.Stack) -> None:
    local.wipe(up.folder, say=_silent)
    assert not any(each.alive() for each in up.running.values())
    assert not up.folder.exists()
    answer = CliRunner().invoke(status, [], obj=up.folder)
    assert answer.exit_code == 1
