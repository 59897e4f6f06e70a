"""What takes long shows in a terminal that it goes on, and leaves nothing behind; a pipe holds the result."""

from io import StringIO

import pytest
from rich.console import Console

from goodfunds.cli import root as module
from goodfunds.cli.progress import Progress, shown


def told(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """stderr, a terminal or not."""
    seen = StringIO()
    monkeypatch.setattr(module, "ERRORS", Console(file=seen, force_terminal=terminal, width=80))
    return seen


def test_a_terminal_shows_what_is_waited_for_and_is_clean_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = told(True, monkeypatch)
    with module.waiting("proving [all]"):
        pass
    assert "proving [all]…" in seen.getvalue()
    assert seen.getvalue().endswith("\x1b[2K"), "the line is erased again"


def test_a_pipe_is_told_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = told(False, monkeypatch)
    with module.waiting("proving"):
        pass
    assert seen.getvalue() == ""


def test_a_long_job_in_a_pipe_says_each_stage_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with shown() as show:
        show("deciding", Progress(accepted=1_200))
        show("deciding", Progress(accepted=1_300))
        show("to the bank", Progress(accepted=1_300))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "deciding… 1,200 accepted, 0 settled, 0 matched",
        "to the bank… 1,300 accepted, 0 settled, 0 matched",
    ]
