"""Whatever a person types, and whatever is down: a line that says so and a documented exit code, no trace."""

import gc
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from goodfunds.cli.root import root
from goodfunds.observability import http
from tests.unit.cli.test_every_command import EVERY

NUMBERS = ("", "x", "-1", "1e3", "٣", "99999999999999999999", "0x10")
TEXTS = ("", " ", "\udcff", "[red]x[/red]", "{}", "%s%n", "-", "../..", "'; DROP TABLE x; --", "٣",
         "\x1b[31m", "x" * 10_000, "a\nb")  # fmt: skip
CHOICES = ("", "nothing", "\udcff")


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a checkout, servers that nobody answers at, and a registry that ends at once."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("GOODFUNDS_KAFKA", nobody)
    monkeypatch.setenv("GOODFUNDS_POSTGRES", f"postgresql://{nobody}")
    monkeypatch.chdir(tmp_path)

    async def serve(*_given: Any, listening: socket.socket) -> None:
        listening.close()

    monkeypatch.setattr(http, "serve", serve)
    (tmp_path / "junk").write_bytes(os.urandom(2_000))
    (tmp_path / "empty").touch()
    (tmp_path / "folder").mkdir()


def run(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(root, ["--folder", str(folder), *arguments])


def assert_told(answer: Result, *codes: int) -> None:
    assert answer.exception is None or isinstance(answer.exception, SystemExit), answer.exception
    assert answer.exit_code in (codes or (0, 1, 2))
    assert "Traceback" not in answer.output


def plausible(option: click.Parameter) -> str:
    if isinstance(option.type, click.Path):
        return "folder" if not option.type.file_okay else "junk"
    if isinstance(option.type, click.Choice):
        return str(option.type.choices[0])
    return "1" if isinstance(option.type, click.IntRange) else "x"


def hostile(option: click.Parameter) -> tuple[str, ...]:
    if isinstance(option.type, click.Path):
        return ("", "missing", "folder", "junk", "empty", "/dev/null", "junk/below", "\udcff", "x" * 5_000)
    if isinstance(option.type, click.Choice):
        return CHOICES
    return NUMBERS if isinstance(option.type, click.IntRange) else TEXTS


def given(option: click.Parameter, value: str) -> list[str]:
    if isinstance(option, click.Argument):
        return [value]
    return [f"{option.opts[0]}={value}"]


def calls(command: click.Command) -> Iterator[list[str]]:
    """Calls with one hostile value each, else plausible; and calls of the wrong shape."""
    options = [each for each in command.params if isinstance(each, click.Option)]
    named = [each for each in options if each.required]
    base = [each.opts[0] for each in named if each.is_flag]
    arguments = [each for each in command.params if isinstance(each, click.Argument) and each.required]
    base += [word for each in named if not each.is_flag for word in given(each, plausible(each))]
    places = [plausible(each) for each in arguments]
    yield []
    yield ["--nonsense"]
    yield [*base, "--", *places, "one", "too", "many"]
    for place, argument in enumerate(arguments):
        for value in hostile(argument):
            yield [*base, "--", *places[:place], value, *places[place + 1 :]]
    for option in options:
        if not option.is_flag:
            for value in hostile(option):
                yield [*base, *given(option, value), "--", *places]


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_no_argument_of_a_command_brings_a_trace(words: tuple[str, ...], tmp_path: Path) -> None:
    for number, arguments in enumerate(calls(EVERY[words])):
        assert_told(run(tmp_path / f"stack-{number}", *words, *arguments))


RECORDS = {
    "no JSON": b"{",
    "no object": b"[]",
    "no text": b"\xff\xfe",
    "nothing in it": b"{}",
    "other kinds": b'{"running": {"kafka": 7}, "kafka": 1}',
    "a field too many": b'{"running": {}, "kafka": "", "postgres": "", "partitions": 1, "moon": 1}',
    "no number": b'{"running": {"kafka": {"pid": -1, "started": 1}}, "kafka": "", "postgres": "", '
    b'"partitions": 1}',
    "partitions that are none": b'{"running": {}, "kafka": "k", "postgres": "p", "partitions": "x"}',
}
ASKED = ("status", "down", "down --wipe", "prove", "cutoff close", "watch", "payment show X", "accounts show",
         "bank-files show", "db migrate", "topics check", "publish junk")  # fmt: skip


@pytest.mark.parametrize("record", RECORDS)
def test_a_state_file_that_is_none_is_told(
    record: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOODFUNDS_KAFKA")
    folder = tmp_path / "stack"
    folder.mkdir()
    (folder / "stack.json").write_bytes(RECORDS[record])
    for asked in ASKED:
        answer = run(folder, *asked.split())
        assert_told(answer, 2)
        assert "stack.json tells of no stack" in answer.stderr
        assert (folder / "stack.json").read_bytes() == RECORDS[record]


@pytest.mark.parametrize("folder", ["/dev/null/below", "junk", "junk/below", "x" * 5_000, "/proc/nothing"])
def test_a_folder_that_cannot_be_is_told(folder: str) -> None:
    for asked in (*ASKED, "up", "demo"):
        assert_told(run(Path(folder), *asked.split()))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GOODFUNDS_KAFKA", "nonsense"), ("GOODFUNDS_KAFKA", "host:port"), ("GOODFUNDS_KAFKA", "h:99999"),
        ("GOODFUNDS_POSTGRES", "nonsense"), ("GOODFUNDS_POSTGRES", "postgresql://[::1"),
        ("GOODFUNDS_POSTGRES", "postgresql://host:port"), ("GOODFUNDS_POSTGRES", "http://127.0.0.1"),
        ("GOODFUNDS_PARTITIONS", "many"), ("GOODFUNDS_PARTITIONS", "0"),
    ],
)  # fmt: skip
def test_a_variable_that_names_nothing_is_told(
    variable: str, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    for asked in (
        "prove",
        "watch",
        "accounts show",
        "accounts open A --name B",
        "db migrate",
        "topics check",
    ):
        answer = run(tmp_path / "stack", *asked.split())
        assert_told(answer, 2)
        assert (
            variable in answer.stderr
            or "--kafka" in answer.stderr
            or "--partitions" in answer.stderr
            or (variable == "GOODFUNDS_POSTGRES" and asked == "topics check")
        )


def test_what_does_not_answer_is_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for asked, what in {
        "prove": "database cannot be read", "accounts show": "database cannot be read",
        "payment show X": "database cannot be read", "cutoff close": "settlement's database cannot",
        "watch": "Kafka does not answer", "topics check": "Kafka does not answer",
        "accounts open A --name B": "Kafka does not answer", "publish junk": "no process ingestion",
        "schemas push http://a:secret@127.0.0.1:1": "goodfunds: 127.0.0.1:1 does not answer",
    }.items():  # fmt: skip
        answer = run(tmp_path / "stack", *asked.split())
        assert_told(answer, 2)
        assert what in answer.stderr, answer.stderr
    # A client that is not stopped complains when it is collected, wherever that may be.
    gc.collect()
    assert "Unclosed" not in caplog.text


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = run(tmp_path / "stack", "registry", "--port", str(taken.getsockname()[1]))
    assert_told(answer, 2)
    assert "in use" in answer.stderr


def test_schemas_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    events = tmp_path / "schemas" / "events"
    events.mkdir(parents=True)
    for content in (b"{", b"[]", b"\xff", b'{"name": "Other"}', b'{"name": "Broken"}', b"7"):
        (events / "Broken.avsc").write_bytes(content)
        for asked in ("check", "generate"):
            answer = run(tmp_path / "stack", "schemas", asked)
            assert_told(answer, 2)
            assert "cannot be read" in answer.stderr
