"""`goodfunds status`: lag and money at a glance, also where Kafka or Postgres does not answer."""

import json
import socket
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner
from rich.console import Console

from goodfunds.cli import stack as commands
from goodfunds.cli.standing import Standing, Waiting, money_table
from goodfunds.local.processes import Running
from goodfunds.local.state import Stack

HELD = Waiting("settlement", "held", "EUR", 123_456_789, 2_000, 93_784.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A stack of which this very process is all that runs; nobody listens at its addresses."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    here = psutil.Process()
    running = {"settlement": Running(here.pid, here.create_time())}
    Stack(tmp_path, nobody, f"postgresql://me:secret@{nobody}", 12, running=running).save()
    return tmp_path


def test_status_tells_lag_and_money(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def read(_stack: Stack) -> Standing:
        return Standing({"settlement": 1_234}, [HELD])

    monkeypatch.setattr(commands, "read_standing", read)
    answer = CliRunner().invoke(commands.status, ["--json"], obj=folder)
    told = json.loads(answer.stdout)
    assert told["lags"] == {"settlement": 1_234}
    assert told["money"][0]["amount_minor"] == 123_456_789
    assert "secret" not in answer.stdout


def test_status_tells_what_runs_though_kafka_and_postgres_do_not_answer(folder: Path) -> None:
    answer = CliRunner().invoke(commands.status, ["--json"], obj=folder)
    assert answer.exit_code == 0
    told = json.loads(answer.stdout)
    assert told["processes"]["settlement"]["state"] == "ready"
    assert "lags" not in told


def test_money_that_waits_is_shown_with_its_age() -> None:
    console = Console(width=100)
    with console.capture() as shown:
        console.print(money_table([HELD, Waiting("ingestion", "parked", "ZZZ", 5, 1, 61.0)]))
    assert "1,234,567.89 EUR" in shown.get()
    assert "1 d 2 h" in shown.get()
    assert "5 minor" in shown.get()
    assert "1 min 1 s" in shown.get()
