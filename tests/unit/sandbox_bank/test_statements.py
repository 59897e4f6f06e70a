"""Every named statement of the bank prepares against its schema, and its tables are written by it alone."""

import re
from pathlib import Path

import pytest

from services.sandbox_bank.books import SQL
from services.sandbox_bank.store import Store


@pytest.mark.parametrize("name", sorted(SQL))
def test_each_statement_prepares(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "books.sqlite")
    statement = SQL[name]
    named = dict.fromkeys(re.findall(r":([a-z_]+)", statement), 0)
    store.connection().execute(f"EXPLAIN {statement}", named or (0,) * statement.count("?"))
    store.close()


def test_a_commit_is_on_disk_before_it_is_answered(tmp_path: Path) -> None:
    store = Store(tmp_path / "books.sqlite")
    assert store.connection().execute("PRAGMA synchronous").fetchone() == (2,)
    assert store.connection().execute("PRAGMA journal_mode").fetchone() == ("wal",)
    store.close()
