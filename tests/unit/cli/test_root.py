"""How the command line ends: help is no fault, a user's mistake is a line, and each has its exit code."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from goodfunds.cli.root import root
from goodfunds.errors import Misconfigured


def every_command(group: click.Group, *above: str) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        found.append((*above, name))
        if isinstance(command, click.Group):
            found += every_command(command, *above, name)
    return found


@pytest.mark.parametrize("command", every_command(root), ids=" ".join)
def test_help_of_every_command_is_given_and_no_fault(command: tuple[str, ...]) -> None:
    answer = CliRunner().invoke(root, [*command, "--help"])
    assert answer.exit_code == 0
    assert answer.stderr == ""
    assert answer.stdout.startswith("Usage:")


@pytest.mark.parametrize(
    "asked",
    ["publish FILE", "cutoff close", "watch", "payment show X", "accounts show", "accounts open A --name B",
     "accounts fund A 1", "prove", "prove --json", "db migrate",
     "db restored --service ingestion", "topics check", "tokens list",
     "tokens create --client a --scope payments:read", "tokens revoke 019a2f3c-0000-7000-8000-000000000000"],
)  # fmt: skip
def test_where_no_stack_is_up_a_line_says_how_to_start_one(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("GOODFUNDS_KAFKA", "GOODFUNDS_POSTGRES"):
        monkeypatch.delenv(variable, raising=False)
    file = tmp_path / "payments.xml"
    file.touch()
    words = asked.replace("FILE", str(file)).split()
    answer = CliRunner().invoke(root, ["--folder", str(tmp_path / "none"), *words])
    assert answer.exit_code == 2
    assert isinstance(answer.exception, SystemExit)
    assert not (tmp_path / "none").exists()


def test_a_fault_is_told_as_it_is_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    group = type(root)("made")

    @group.command()
    def fails() -> None:
        raise Misconfigured("use [these] partitions")

    with pytest.raises(SystemExit) as ended:
        group.main(["fails"], standalone_mode=False)
    assert ended.value.code == 2
    assert "use [these] partitions" in capsys.readouterr().err
