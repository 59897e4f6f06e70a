"""The books laid open: every row as a line of JSON, from one moment, for an independent auditor."""

import json
from collections.abc import Iterator

from services.sandbox_bank.books import SQL
from services.sandbox_bank.store import Store

BOOKS = (
    "bank",
    "accounts",
    "files",
    "payments",
    "transfers",
    "answers",
    "told",
    "damaged_lines",
    "faults",
)


_ROWS_A_CHUNK = 1_000


def book_lines(store: Store) -> Iterator[str]:
    """Chunks of lines, a JSON object each, `book` first; read in one transaction. Amounts in minor units."""
    connection = store.connect()
    try:
        connection.execute("BEGIN")
        for book in BOOKS:
            cursor = connection.execute(SQL[f"book_{book}"])
            columns = [column[0] for column in cursor.description]
            while rows := cursor.fetchmany(_ROWS_A_CHUNK):
                yield "".join(
                    json.dumps({"book": book, **dict(zip(columns, row, strict=True))}) + "\n" for row in rows
                )
    finally:
        connection.close()
