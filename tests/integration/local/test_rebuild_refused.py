"""`goodfunds rebuild`: what it says, and its exit codes, where there is nothing to be made anew."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from goodfunds.cli.root import root


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GOODFUNDS_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("GOODFUNDS_POSTGRES", "postgresql://127.0.0.1:1")

    def ask(*arguments: str) -> Result:
        return CliRunner().invoke(root, ["--folder", str(tmp_path), "rebuild", *arguments])

    return ask


@pytest.mark.parametrize(("name", "lacks"), [("settlement", "bank files"), ("ingestion", "payment files")])
def test_a_service_whose_state_is_not_of_topics_alone_is_refused_with_why(
    asked: Any, name: str, lacks: str
) -> None:
    answer = asked("--service", name)
    assert answer.exit_code == 1
    assert f"refused: {name} cannot be rebuilt from topics: " in answer.stderr
    assert lacks in answer.stderr
    assert '"swapped": false' in asked("--service", name, "--json").stdout


def test_an_unknown_service_is_a_mistake(asked: Any) -> None:
    answer = asked("--service", "treasury")
    assert answer.exit_code == 2
    assert "no service is called treasury: ingestion, reconciliation, settlement" in answer.stderr


def test_servers_that_do_not_answer_are_told_in_a_line(asked: Any) -> None:
    answer = asked("--service", "reconciliation")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("goodfunds: ")
