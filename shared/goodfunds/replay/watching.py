"""Seeing what a transaction changes: triggers note every row of a service's tables, where they are asked."""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal

from goodfunds.lanes.records import Connection, Emission
from goodfunds.postgres import statements
from goodfunds.replay import STATEMENTS
from goodfunds.replay.effects import NUMBERING, Change, Effects, Row, Table, effects_of

_JSON = json.JSONDecoder(parse_float=Decimal)
SQL = statements(STATEMENTS)


class Watch:
    """Of one connection. It notes nothing outside of transactions that `begin` was called in."""

    def __init__(self, connection: Connection, tables: Mapping[str, Table]) -> None:
        self.tables = tables
        self._connection = connection

    @classmethod
    async def on(cls, connection: Connection) -> "Watch":
        """Make a connection able to watch; outside of any transaction."""
        await connection.execute(SQL["make_changed_rows"])
        return cls(connection, await read_tables(connection))

    async def begin(self) -> None:
        """Watch from here to the end of the transaction that is under way."""
        await self._connection.execute(SQL["watch"])

    async def collect(self, emissions: Mapping[int, Iterable[Emission]]) -> Effects:
        """What was changed since `begin` or the last call, with what is emitted, by lane."""
        found = await self._connection.fetch(SQL["changed_rows"])
        if found:
            await self._connection.execute(SQL["forget_changed_rows"])
        changes = (Change(row["table_name"], _row(row["before"]), _row(row["after"])) for row in found)
        return effects_of(self.tables, changes, emissions)


async def read_tables(connection: Connection) -> dict[str, Table]:
    """The tables that can be watched, by name."""
    return {
        row["table_name"]: Table(
            row["table_name"],
            tuple(row["key"]),
            frozenset(row["numbers"]),
            frozenset(row["told_by_the_clock"]) | NUMBERING,
        )
        for row in await connection.fetch(SQL["watched_tables"])
    }


def _row(text: str | None) -> Row | None:
    return None if text is None else _JSON.raw_decode(text)[0]
