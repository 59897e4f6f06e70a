"""The parts of chaos do what a run relies on: schedule, links, clock, fault points, report."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path

import pytest

from tests.auditor.audit import Report
from tests.auditor.evidence import Finding
from tests.chaos.faults import KINDS, schedule
from tests.chaos.proxy import Link
from tests.chaos.report import DOUBLED, LOST, REORDERED, Committed, Run, as_markdown, as_object
from tests.chaos.watch import Stages

INSTANCES = ["ingestion-1", "ingestion-2", "settlement-1", "settlement-gateway", "sandbox-bank"]


def test_the_same_seed_gives_the_same_faults_and_each_round_has_all_kinds() -> None:
    one, same = (list(islice(schedule(7, INSTANCES), 4 * len(KINDS))) for _ in range(2))
    other = list(islice(schedule(8, INSTANCES), 4 * len(KINDS)))
    assert one == same != other
    for start in range(0, len(one), len(KINDS)):
        assert {each.kind for each in one[start : start + len(KINDS)]} == {*KINDS}


@pytest.fixture
async def echo() -> AsyncIterator[Link]:
    """A link before a server that answers what it is told."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    link = Link("echo", server.sockets[0].getsockname()[1])
    await link.open()
    yield link
    await link.close()
    server.close()


async def test_a_whole_link_passes_and_a_cut_one_drops_what_is_connected(echo: Link) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", echo.port)
    writer.write(b"one\n")
    assert await reader.readline() == b"one\n"
    echo.become("cut")
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    echo.become("whole")
    reader, writer = await asyncio.open_connection("127.0.0.1", echo.port)
    writer.write(b"two\n")
    assert await reader.readline() == b"two\n"
    writer.close()


async def test_a_stalled_link_holds_back_and_passes_all_once_it_is_whole(echo: Link) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", echo.port)
    writer.write(b"zero\n")
    assert await reader.readline() == b"zero\n"
    echo.become("stalled")
    writer.write(b"one\n")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting := asyncio.ensure_future(reader.readline())), 0.2)
    echo.become("whole")
    assert await asyncio.wait_for(waiting, 5) == b"one\n"
    writer.close()


def test_a_process_told_to_die_at_a_point_dies_there_once(tmp_path: Path) -> None:
    control = tmp_path / "control.json"
    control.write_text(json.dumps({"die_at": "after_commit"}))
    program = (
        "import sys; from pathlib import Path; from tests.chaos.instance import Control\n"
        "control = Control(Path(sys.argv[1])); control.reach('before_commit'); control.reach('after_commit')"
    )
    run = [sys.executable, "-c", program, str(control)]
    root = Path(__file__).parents[2]
    assert subprocess.run(run, check=False, cwd=root).returncode == -9
    assert not control.exists()
    assert subprocess.run(run, check=False, cwd=root).returncode == 0


def test_a_process_clock_is_moved_by_what_the_control_file_says(tmp_path: Path) -> None:
    control = tmp_path / "control.json"
    control.write_text(json.dumps({"skew": -3600}))
    program = (
        "import sys; from pathlib import Path; from datetime import UTC, datetime\n"
        "from tests.chaos.instance import Control, move_clock; from goodfunds.clock import SystemClock\n"
        "move_clock(Control(Path(sys.argv[1])))\n"
        "print(round((SystemClock().now() - datetime.now(UTC)).total_seconds()))"
    )
    run = [sys.executable, "-c", program, str(control)]
    root = Path(__file__).parents[2]
    assert subprocess.run(run, check=True, cwd=root, capture_output=True).stdout == b"-3600\n"


def test_a_stage_is_behind_as_long_as_it_lacks_what_stood_before_it() -> None:
    healed = Stages(given=10, accepted=9, sealed=8, submitted=7)
    assert healed.behind(healed) == ["deciding", "receiving", "sending", "reconciling"]
    after = Stages(given=99, decided=10, accepted=50, received=9, sealed=60, submitted=8, known=7)
    assert after.behind(healed) == []


def test_payments_in_flight_are_those_given_less_those_refused_and_ended() -> None:
    assert Stages(given=10, decided=9, accepted=7, ended=3).in_flight == 5


def test_the_report_counts_findings_as_lost_doubled_reordered_or_unaccounted() -> None:
    run = Run(1, 5.0, proof_holds=True, proof_says="0 unaccounted for")
    run.faults = [
        Committed("freeze", "settlement-1", 1.0, 12.0, 40, 15.0),
        Committed("freeze", "x", 2, 13, 60),
    ]
    rules = (
        "no instruction is lost",
        "an outcome comes once",
        "events are in order",
        "a balance is what we compute",
    )
    told = as_object(run, Report([Finding(rule, "s", "w") for rule in rules], [], {}))
    counted = [told[name] for name in ("lost", "doubled", "reordered", "unaccounted")]
    assert counted == [1, 1, 1, 1]
    assert not told["found_nothing"]
    assert told["faults"]["freeze"] == {
        "injected": 2, "lasted_p50": 12.5, "recovered_p50": 15.0, "recovered_max": 15.0, "never": 1,
        "in_flight_p50": 50,
    }  # fmt: skip
    assert "| freeze | 2 | 12.5 | 15.0 | 15.0 | 1 | 50 |" in as_markdown(run, Report([], [], {}))


def test_the_report_says_how_many_replays_ran_and_a_row_that_one_changed_spoils_the_run() -> None:
    run = Run(1, 5.0, proof_holds=True)
    done = {"state": "done", "fault": None, "forecast": {"rows": {}, "rewritten": 0}}
    outcome = {"handled": 700, "rows_changed": 0, "events_emitted": 0}
    run.replayed.count({**done, "outcome": outcome})
    run.replayed.count({**done, "state": "rehearsing", "outcome": None, "forecast": None})
    quiet = Report([], [], {})
    assert as_object(run, quiet)["found_nothing"]
    assert "1 done, 1 given up; 700 records handled again changed **0 rows**" in as_markdown(run, quiet)
    run.replayed.count({**done, "outcome": None, "forecast": {"rows": {"balances": {"update": 1}}}})
    assert as_object(run, quiet)["replays"]["rows_changed"] == 1
    assert not as_object(run, quiet)["found_nothing"]


def test_the_rules_that_the_report_sorts_are_rules_of_the_auditor() -> None:
    checks = Path(__file__).parents[1] / "auditor"
    text = "".join(path.read_text(encoding="utf-8") for path in checks.glob("checks_*.py"))
    assert {rule for rule in LOST | DOUBLED | REORDERED if f'"{rule}"' not in text} == set()
