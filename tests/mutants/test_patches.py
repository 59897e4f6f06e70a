"""Every planted bug can be planted, the report is about all of them, and a copy runs its own code."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.copies import environment, make_copy
from tests.mutants.hunt import Catch, Hunt
from tests.mutants.patches import ROOT, DoesNotApply, Patch, apply, check, every, parse
from tests.mutants.report import REPORT, rows, updated

MONEY = "shared/goodfunds/money.py"
TESTS = "tests/unit/base/test_money.py"
LONG = pytest.mark.long
"""Of tests that plant a bug: each runs pytest on a copy of the house, some of them twice."""


def patch(old: str, new: str, path: str = MONEY, found_by: str = TESTS) -> Patch:
    diff = f"--- a/{path}\n+++ b/{path}\n@@ -1 +1 @@\n-{old}\n+{new}\n"
    return parse("canary/one", f"what is wrong\nwhat it would do\nFound-by: {found_by}\n{diff}")


@pytest.mark.parametrize("planted", every(), ids=lambda planted: planted.name)
def test_the_bug_can_be_planted(planted: Patch) -> None:
    check(planted, ROOT)


def test_the_report_is_about_every_planted_bug_and_no_other() -> None:
    found = rows(REPORT.read_text(encoding="utf-8"))
    assert found.keys() == {planted.name for planted in every()}
    assert [name for name, row in found.items() if "**nothing**" in row] == []


def test_a_run_of_one_bug_leaves_the_other_rows_as_they_were() -> None:
    first, second = patch("a", "b"), replace(patch("a", "b"), name="canary/two")
    both = updated("", [Catch(first, "tests/x.py::test_x[a|b]", 2.0), Catch(second, "", 1.0)], ["canary/one"])
    assert "2 planted, 1 found, 1 survived" in both
    again = updated(both, [Catch(second, "tests/y.py::test_y", 3.0)], ["canary/one", "canary/two"])
    assert "2 planted, 2 found, 0 survived" in again
    assert rows(again)["canary/one"] == rows(both)["canary/one"]
    assert rows(updated(again, [], ["canary/two"])).keys() == {"canary/two"}


def test_every_bug_names_tests_that_exist() -> None:
    missing = []
    for planted in every():
        for selection in planted.found_by:
            path, _, test = selection.split()[0].partition("::")
            there = path == "make" or (ROOT / path).exists()
            if not there or (test and f"def {test}(" not in (ROOT / path).read_text(encoding="utf-8")):
                missing.append((planted.name, selection))
    assert missing == []


def test_a_bug_goes_to_its_place_alone_and_nowhere_if_the_place_is_gone(tmp_path: Path) -> None:
    (tmp_path / "shared/goodfunds").mkdir(parents=True)
    there = tmp_path / MONEY
    there.write_text("above\nsome line\nbelow\n")
    apply(patch("some line", "another"), tmp_path)
    assert there.read_text() == "above\nanother\nbelow\n"
    with pytest.raises(DoesNotApply, match="0 times"):
        apply(patch("some line", "another"), tmp_path)
    there.write_text("some line\nsome line\n")
    with pytest.raises(DoesNotApply, match="2 times"):
        apply(patch("some line", "another"), tmp_path)
    with pytest.raises(DoesNotApply, match="is not there"):
        check(patch("some line", "another", "shared/gone.py"), tmp_path)


@pytest.fixture(scope="module")
def hunt(tmp_path_factory: pytest.TempPathFactory) -> Hunt:
    return Hunt(ROOT, tmp_path_factory.mktemp("hunt"))


def test_a_copy_runs_its_own_code_and_not_the_one_that_is_installed(tmp_path: Path) -> None:
    copy = make_copy(ROOT, tmp_path / "copy")
    where = "import goodfunds.money as m, services.ingestion.decide as d; print(m.__file__, d.__file__)"
    found = subprocess.run(
        [sys.executable, "-c", where],
        cwd=tmp_path, env=environment(copy), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert found.stdout.split() == [str(copy / MONEY), str(copy / "services/ingestion/decide.py")]


@LONG
def test_a_bug_that_the_tests_see_is_found_by_the_test_that_fails_first(hunt: Hunt) -> None:
    found = hunt.one(patch("MAX_DIGITS = 18", "MAX_DIGITS = 17"), wider=False)
    assert found.found_by.startswith(f"{TESTS}::test_")


@LONG
def test_a_change_that_no_test_sees_survives(hunt: Hunt) -> None:
    harmless = patch("MAX_DIGITS = 18", "MAX_DIGITS = int(18)")
    assert hunt.one(harmless, wider=False).found_by == ""


@LONG
def test_what_cannot_be_imported_is_no_catch(hunt: Hunt) -> None:
    broken = hunt.one(patch("MAX_DIGITS = 18", "MAX_DIGITS = ("), wider=False)
    assert (broken.found, bool(broken.fault)) == (False, True)


@LONG
def test_tests_that_fail_without_the_bug_find_nothing(hunt: Hunt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(hunt._passing, "tests/gone.py", 1.0)
    gone = hunt.one(patch("MAX_DIGITS = 18", "MAX_DIGITS = 17", found_by="tests/gone.py"), wider=False)
    assert "ended with 4" in gone.fault
