"""The house rules that a machine can check: rooms, names, sizes and who may import whom."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("ingestion", "settlement", "reconciliation")
LONGEST = 250
LONGER = {
    "shared/goodfunds/events/types.py": "generated from schemas/events",
}
"""Modules that may be longer than a sitting, each with its reason."""

PURE = (
    "goodfunds.money",
    "goodfunds.ids",
    "goodfunds.errors",
    "goodfunds.frozen",
    "goodfunds.clock",
    "goodfunds.events",
    "goodfunds.rails",
    "goodfunds.ledger.posting",
)


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_module_fits_one_sitting() -> None:
    long = {
        name(path): lines
        for path in modules("shared", "services", "tests")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST
        and name(path) not in LONGER
        and not name(path).startswith("tests/")
    }
    assert long == {}


def test_the_first_line_of_every_module_says_what_it_is_for() -> None:
    silent = [
        name(path)
        for path in modules("shared", "services")
        if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_module_is_named_for_nothing() -> None:
    banned = re.compile(r"(^|_)(utils?|helpers?|common|managers?|misc|stuff)(_|$)")
    assert [name(path) for path in modules("shared", "services") if banned.search(path.stem)] == []


def test_no_work_is_left_for_later_in_comments() -> None:
    marker = re.compile(
        r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b(?!\")"
    )
    left = [
        f"{name(path)}:{number}"
        for path in modules("shared", "services", "tests")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if "#" in line and marker.search(line.split("#", 1)[1])
    ]
    assert left == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_rooms(service: str) -> None:
    rooms = {path.name for path in (ROOT / "services" / service).iterdir()}
    assert rooms >= {
        "__init__.py", "__main__.py", "app.py", "settings.py", "model.py", "decide.py", "handlers.py",
        "store.py", "sql", "migrations", "http.py",
    }  # fmt: skip


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize("room", ["model.py", "decide.py"])
def test_what_decides_knows_no_broker_database_clock_or_log(service: str, room: str) -> None:
    own = f"services.{service}."
    strangers, seen, left = set(), set(), [ROOT / "services" / service / room]
    while left:
        path = left.pop()
        seen.add(path)
        for module in imported(path):
            if module.startswith(own):
                # A room that decide leans on answers to the same law.
                leaned_on = ROOT / "services" / service / f"{module.removeprefix(own).split('.')[0]}.py"
                left += [leaned_on] if leaned_on not in seen else []
            elif module.split(".")[0] not in sys.stdlib_module_names and not module.startswith(PURE):
                strangers.add(module)
    assert strangers == set()


@pytest.mark.parametrize("service", [*SERVICES, "sandbox_bank"])
def test_only_the_composition_root_reads_settings(service: str) -> None:
    readers = {
        path.name
        for path in modules(f"services/{service}")
        if any(module.startswith(f"services.{service}.settings") for module in imported(path))
    }
    assert readers <= {"app.py", "__main__.py"}


def test_the_library_knows_no_service_and_services_do_not_know_each_other() -> None:
    guilty = [
        f"{name(path)} imports {module}"
        for path in modules("shared", "services")
        for module in imported(path)
        if module.startswith("services.") and not name(path).startswith("/".join(module.split(".")[:2]) + "/")
    ]
    assert guilty == []


def test_sql_lives_in_sql_files() -> None:
    statement = re.compile(r"\b(INSERT INTO|DELETE FROM|UPDATE \w+ SET|SELECT .+ FROM)\b")
    allowed = {
        "shared/goodfunds/postgres/migrate.py": "it makes the table that migrations are recorded in",
    }
    found = [
        f"{name(path)}:{number}"
        for path in modules("shared", "services")
        if name(path) not in allowed and "/local/" not in name(path)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if statement.search(line) and not line.lstrip().startswith("#")
    ]
    assert found == []


def test_a_process_that_calls_no_bank_does_without_asyncssh() -> None:
    apps = ", ".join(f"services.{service}.app" for service in SERVICES)
    told = f"import sys, {apps}; print('asyncssh' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout == "False\n", "it takes 20 MB, and is imported where a bank is called"
