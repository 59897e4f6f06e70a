"""The public surface: what is listed is there, and nothing is loaded before it is asked for."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import goodfunds

PAGE = Path(__file__).parents[3] / "docs" / "client.md"


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has after `code`."""
    told = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)},
    )  # fmt: skip
    return set(told.stdout.split())


@pytest.mark.parametrize("code", ["import goodfunds", "from goodfunds import Money", "import goodfunds.ids"])
def test_whoever_needs_money_alone_loads_no_client_of_kafka_or_postgres(code: str) -> None:
    heavy = {"aiokafka", "asyncpg", "structlog", "pydantic", "fastapi", "lxml", "goodfunds.client"}
    assert not loaded_by(code) & heavy


def test_a_publisher_is_loaded_when_it_is_asked_for() -> None:
    assert "aiokafka" in loaded_by("from goodfunds import Publisher")


def test_every_listed_name_is_there_and_says_what_it_is_for() -> None:
    assert sorted(goodfunds.__all__) == goodfunds.__all__
    assert set(goodfunds.__all__) <= set(dir(goodfunds))
    for name in goodfunds.__all__:
        assert inspect.getdoc(getattr(goodfunds, name)), name
    with pytest.raises(AttributeError, match="no attribute 'Cheque'"):
        goodfunds.Cheque  # noqa: B018


def test_every_public_method_says_what_it_does() -> None:
    for name in ("Publisher", "Subscription", "Batch", "Outbox", "Received", "Receipt"):
        for member, found in inspect.getmembers(getattr(goodfunds, name), callable):
            if not member.startswith("_"):
                assert inspect.getdoc(found), f"{name}.{member}"


def test_the_types_that_checkers_see_are_those_that_are_loaded() -> None:
    tree = ast.parse(Path(goodfunds.__file__).read_text(encoding="utf-8"))
    told = {
        alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names if node.module.startswith("goodfunds.")
    }  # fmt: skip
    assert told == set(goodfunds.__all__)


def test_whether_a_fault_is_retriable_is_told_by_its_class_and_by_the_page() -> None:
    told = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    faults = {
        name: found for name in goodfunds.__all__
        if isinstance(found := getattr(goodfunds, name), type) and issubclass(found, goodfunds.GoodfundsError)
    }  # fmt: skip
    del faults["GoodfundsError"]
    assert told == {name: "yes" if fault.retriable else "no" for name, fault in faults.items()}
