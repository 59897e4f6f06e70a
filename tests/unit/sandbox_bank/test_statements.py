"""Every named statement of the bank prepares against its schema, and its tables are written by it alone."""

from pathlib import Path

import pytest

from services.sandbox_bank.books import SQL
from services.sandbox_bank.store import Store


@pytest.mark.parametrize("name", sorted(SQL))
def test_each_statement_prepares(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "books.sqlite")
    statement = SQL[name]
    numbered = [int(part[:1]) for part in statement.split("?")[1:] if part[:1].isdigit()]
    count = max(numbered, default=statement.count("?"))
    store.connection().execute(f"EXPLAIN {statement}", (0,) * count)
    store.close()


def test_a_commit_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    store = Store(tmp_path / "books.sqlite")
    assert store.connection().execute("PRAGMA synchronous").fetchone() == (2,)
    assert store.connection().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
