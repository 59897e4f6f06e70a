"""Every command shows how it is used, speaks JSON to programs, and says what its exit codes mean."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from goodfunds.cli.root import FAILED, INTERRUPTED, NO, PIPE_CLOSED, root

EXIT_CODES = Path(__file__).parents[3] / "docs" / "exit-codes.md"
WITHOUT_JSON = {
    ("completion",): "what it prints is a script for a shell",
    ("client", "schema"): "what it prints is SQL",
}
"""Commands without --json, each with its reason."""


def commands(group: click.Group, *above: str) -> dict[tuple[str, ...], click.Command]:
    """All commands that do something, by their words."""
    found: dict[tuple[str, ...], click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= commands(command, *above, name)
        else:
            found[*above, name] = command
    return found


EVERY = commands(root)


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_help_has_an_example(words: tuple[str, ...]) -> None:
    told = CliRunner().invoke(root, [*words, "--help"]).stdout
    example = re.compile(
        rf"^ *(\S+=\S+ )*(eval \"\$\()?goodfunds (--folder \S+ )?{' '.join(words)}\b", re.MULTILINE
    )
    assert example.search(told.partition("\n")[2]), told


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_a_program_can_ask_for_json(words: tuple[str, ...]) -> None:
    has = any("--json" in each.opts for each in EVERY[words].params)
    assert has is (words not in WITHOUT_JSON)


def test_every_option_and_argument_says_what_it_is_for() -> None:
    silent = [
        f"{' '.join(words)} {option.opts[0]}"
        for words, command in EVERY.items()
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert silent == []


def test_the_page_of_exit_codes_names_every_command_and_no_other() -> None:
    told = re.findall(r"^\| `([a-z -]+)` \| (.+) \|$", EXIT_CODES.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(name for name, _ in told) == sorted(" ".join(words) for words in EVERY)


def test_the_page_of_exit_codes_has_the_codes_that_there_are() -> None:
    told = re.findall(r"^\| (\d+) \|", EXIT_CODES.read_text(encoding="utf-8"), re.MULTILINE)
    assert list(map(int, told)) == [0, NO, FAILED, INTERRUPTED, PIPE_CLOSED]
    epilog = root.epilog or ""
    assert [int(each) for each in re.findall(r"(\d+) ", epilog)] == [0, NO, FAILED, INTERRUPTED, PIPE_CLOSED]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_gets_what_completes_commands(shell: str) -> None:
    answer = CliRunner().invoke(root, ["completion", shell])
    assert answer.exit_code == 0
    assert "_GOODFUNDS_COMPLETE" in answer.stdout


def test_commands_options_and_choices_are_completed() -> None:
    def completed(words: str) -> set[str]:
        told = CliRunner().invoke(
            root,
            prog_name="goodfunds",
            env={"_GOODFUNDS_COMPLETE": "bash_complete", "COMP_WORDS": f"goodfunds {words}",
                 "COMP_CWORD": str(len(words.split(" ")))},
        )  # fmt: skip
        return {line.partition(",")[2] for line in told.stdout.splitlines()}

    assert {"accounts", "prove", "schemas", "registry"} <= completed("")
    assert completed("accounts o") == {"open"}
    assert completed("cutoff close --j") == {"--json"}
    assert "settlement-notifications" in completed("watch settl")
