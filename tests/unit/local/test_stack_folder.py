"""A stack's folder: its record, whose turn it is, and what is never removed."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from goodfunds.cli import demo as demo_module
from goodfunds.cli.stack import _masked, up
from goodfunds.errors import Misconfigured
from goodfunds.local import kafka, postgres, processes, stack
from goodfunds.local.processes import Running
from goodfunds.local.providers import PROVIDERS
from goodfunds.local.state import Stack, read
from goodfunds.local.turn import DEMO, UP_OR_DOWN, turn


def silent(_text: str) -> None:
    """Nobody listens."""


def test_what_is_saved_is_read_again_and_is_the_users_alone(tmp_path: Path) -> None:
    made = Stack(
        tmp_path, "there:9092", "postgresql://me:secret@there", 24, 2222, {"ingestion": 8080},
        {"ingestion": Running(7, 1.5)}, {"kafka": "ab12"}, {"kafka": "docker"}, True,
    )  # fmt: skip
    made.save()
    assert read(tmp_path) == made
    assert stat.S_IMODE((tmp_path / "stack.json").stat().st_mode) == 0o600


def test_a_state_file_of_an_earlier_build_is_still_read(tmp_path: Path) -> None:
    old = {"folder": "", "kafka": "k", "postgres": "p", "partitions": 12, "bank_sftp_port": 1, "http": {},
           "running": {"kafka": {"pid": 7, "started": 1.5}}}  # fmt: skip
    (tmp_path / "stack.json").write_text(json.dumps(old))
    found = read(tmp_path)
    assert found is not None
    assert found.running == {"kafka": Running(7, 1.5)}
    assert found.providers == {}


def test_a_pid_that_was_given_out_again_is_not_ours() -> None:
    assert not Running(os.getpid(), 1.0).alive()


def test_a_folder_of_something_else_is_neither_used_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("dear Ada")
    with pytest.raises(Misconfigured, match="no stack"):
        stack.up(tmp_path, say=silent)
    with pytest.raises(Misconfigured, match="nothing of it is removed"):
        stack.wipe(tmp_path, say=silent)
    assert (tmp_path / "letters.txt").read_text() == "dear Ada"


def test_wiping_what_is_not_there_is_no_fault(tmp_path: Path) -> None:
    stack.wipe(tmp_path / "nothing", say=silent)
    assert not (tmp_path / "nothing").exists()


def test_the_second_waits_for_the_first_even_where_that_removes_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "stack"
    waiting, held = threading.Event(), threading.Event()

    def second() -> None:
        with turn(folder, lambda _: waiting.set()):
            assert (folder / UP_OR_DOWN).exists()
            held.set()

    thread = threading.Thread(target=second)
    with turn(folder, silent):
        thread.start()
        # The bounds only keep a hanging test from holding the suite.
        assert waiting.wait(10)
        assert not held.is_set()
        (folder / UP_OR_DOWN).unlink()
        folder.rmdir()
    assert held.wait(10)
    thread.join(10)


@pytest.mark.parametrize(("existed", "left"), [(True, True), (False, False)])
def test_a_demo_wipes_what_it_made_and_nothing_that_was_there_before(
    existed: bool, left: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()

    def make(folder: Path, temporary: bool, **_: object) -> Stack:
        made = read(folder) or Stack(folder, "", "", 12, temporary=temporary)
        made.save()
        return made

    def fail(*_: object) -> None:
        raise RuntimeError("the bank burned down")

    if existed:
        Stack(folder, "", "", 12).save()
    monkeypatch.setattr(stack, "up", make)
    monkeypatch.setattr(demo_module, "_run", fail)
    answer = CliRunner().invoke(demo_module.demo, [], obj=folder)
    assert "burned down" in str(answer.exception)
    assert (folder / "stack.json").exists() is left


@pytest.mark.parametrize("server", ["postgres", "kafka"])
def test_a_server_is_on_record_before_it_listens(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(postgres, "create", lambda folder: postgres.Server(folder, folder, 5432))
    monkeypatch.setattr(kafka, "java_command", lambda _: ["java", "-cp", "jars"])
    monkeypatch.setattr(kafka, "create", lambda folder, _: kafka.Broker(folder, 9092, 9093))
    monkeypatch.setattr(processes, "start", lambda *_, **__: Running(7, 1.5))
    monkeypatch.setattr(processes, "wait_for_port", interrupted)
    with pytest.raises(KeyboardInterrupt):
        PROVIDERS["embedded"].start(Stack(tmp_path, "", "", 12), server, silent)
    found = read(tmp_path)
    assert found is not None
    assert found.running == {server: Running(7, 1.5)}
    assert "127.0.0.1" in getattr(found, server)


def test_a_demo_begins_anew_where_a_killed_one_has_left_its_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stack"
    folder.mkdir()
    Stack(folder, "", "", 12, temporary=True).save()
    (folder / "payments of yesterday").touch()
    found: list[bool] = []

    def look(folder: Path, **_: object) -> Stack:
        found.append((folder / "payments of yesterday").exists())
        # The lock that a second demo would wait for is still ours.
        assert (folder / DEMO).exists()
        raise RuntimeError("seen enough")

    monkeypatch.setattr(stack, "up", look)
    CliRunner().invoke(demo_module.demo, [], obj=folder)
    assert found == [False]


def test_a_demo_that_is_told_to_end_wipes_its_stack_and_leaves_signals_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stack"

    def make(folder: Path, **_: object) -> Stack:
        Stack(folder, "", "", 12, temporary=True).save()
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("the signal comes first")

    monkeypatch.setattr(stack, "up", make)
    answer = CliRunner().invoke(demo_module.demo, [], obj=folder)
    assert answer.exit_code == 1
    assert "Aborted" in answer.output
    assert not folder.exists()
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.parametrize("faults", ["reject=often", "=", "reject=0.1,return=x"])
def test_faults_that_are_no_rates_are_told_before_anything_is_started(
    faults: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stack, "up", lambda *_, **__: pytest.fail("started"))
    answer = CliRunner().invoke(demo_module.demo, ["--faults", faults], obj=tmp_path)
    assert answer.exit_code == 2
    assert "is not NAME=RATE" in answer.output


def test_a_password_is_not_shown() -> None:
    assert _masked("postgresql://me:secret@there:5432") == "postgresql://me:***@there:5432"
    assert _masked("postgresql://goodfunds@127.0.0.1:5432") == "postgresql://goodfunds@127.0.0.1:5432"


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not processes.is_free(port)
    assert processes.is_free(port)


def test_a_port_that_is_chosen_is_given_to_no_outgoing_connection_meanwhile() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    chosen = {processes.free_port() for _ in range(50)}
    assert max(chosen) < first
    assert all(processes.is_free(port) for port in chosen)


def test_a_port_that_one_process_has_chosen_and_nobody_listens_on_yet_is_chosen_by_no_other() -> None:
    chosen = {processes.free_port() for _ in range(50)}
    choose = (
        "import random, sys; from goodfunds.local import processes\n"
        "wanted = list(map(int, sys.argv[1:]))\n"
        "choices = iter([*wanted, *range(20_000, 32_000)])\n"
        "random.randrange = lambda *bounds: next(choices)\n"
        "print(processes.free_port())"
    )
    other = subprocess.run(
        [sys.executable, "-c", choose, *map(str, chosen)], check=True, capture_output=True, text=True
    )
    assert len(chosen) == 50
    assert int(other.stdout) not in chosen


@pytest.mark.parametrize("told", ["1024\t60999\n", "", None])
def test_a_port_is_found_also_where_the_system_leaves_none_below_its_own(
    told: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    range_file = tmp_path / "range"
    if told is not None:
        range_file.write_text(told)
    monkeypatch.setattr(processes, "_OUTGOING", range_file)
    assert processes.is_free(processes.free_port())


@pytest.mark.parametrize(("asked", "provider"), [([], None), (["--stack", "docker"], "docker")])
def test_the_command_line_says_where_the_servers_come_from(
    asked: list[str], provider: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []

    def note(folder: Path, *_: object, **named: object) -> Stack:
        heard.append(named["provider"])
        return Stack(folder, "", "", 12)

    monkeypatch.setattr(stack, "up", note)
    monkeypatch.setattr(demo_module, "_run", lambda *_: None)
    assert CliRunner().invoke(up, [*asked, "--json"], obj=tmp_path).exit_code == 0
    CliRunner().invoke(demo_module.demo, asked, obj=tmp_path)
    assert heard == [provider, provider]
