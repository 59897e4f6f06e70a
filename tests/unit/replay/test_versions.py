"""Versions: another byte of the code or another migration is another version, and nothing else is."""

from pathlib import Path
from typing import Any

from goodfunds.replay.versions import code_folders, code_version, schema_version
from services.ingestion.handlers import IngestionHandler


def test_a_version_changes_with_modules_and_statements_and_with_nothing_else(tmp_path: Path) -> None:
    folder = tmp_path / "service"
    (folder / "sql").mkdir(parents=True)
    (folder / "decide.py").write_text("ANSWER = 42\n")
    (folder / "sql" / "read.sql").write_text("SELECT 1")
    first = code_version([folder])
    (folder / "notes.txt").write_text("nothing that decides")
    assert code_version([folder]) == first
    (folder / "decide.py").write_text("ANSWER = 43\n")
    changed = code_version([folder])
    (folder / "sql" / "read.sql").write_text("SELECT 2")
    assert len({first, changed, code_version([folder])}) == 3
    (folder / "decide.py").rename(folder / "other.py")
    assert code_version([folder]) not in {first, changed}


def test_a_services_code_is_its_own_and_the_librarys() -> None:
    assert [each.name for each in code_folders(IngestionHandler())] == ["goodfunds", "ingestion"]


def test_a_schema_is_what_was_applied_in_whatever_order_it_is_read() -> None:
    rows: list[dict[str, Any]] = [
        {"source": "lanes", "file": "0001.sql", "digest": "a"},
        {"source": "audit", "file": "0001.sql", "digest": "b"},
    ]
    assert schema_version(rows) == schema_version(rows[::-1])
    assert schema_version(rows) != schema_version(rows[:1])
    assert schema_version(rows) != schema_version([{**rows[0], "digest": "c"}, rows[1]])
