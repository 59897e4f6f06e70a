"""Holds the live state against the shadow's: a digest a table, and where two differ, which rows."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from goodfunds.lanes.records import Connection
from goodfunds.lanes.state import LaneState
from goodfunds.rebuild.refusals import LiveLane
from goodfunds.rebuild.shadow import SHADOW, SQL
from goodfunds.rebuild.tables import Rebuilt
from goodfunds.replay.digest import table_digests

_SHOWN = 5
"""Rows of each side that are shown of a table that differs."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A table's digest in the live state and anew; equal where the compared parts of all rows are."""

    table: str
    rows: int
    live: str
    anew: str

    @property
    def agrees(self) -> bool:
        return self.live == self.anew


@dataclass(frozen=True, slots=True)
class Difference:
    """How many compared rows only the live state has, and how many only the one made anew; some of each."""

    table: str
    only_live: int
    only_anew: int
    live_rows: Sequence[Any] = ()
    anew_rows: Sequence[Any] = ()


def parts(table: Rebuilt, columns: Sequence[str]) -> dict[str, str]:
    """Name → SQL of all that is compared of a table that has these columns."""
    found = {name: f'"{name}"' for name in columns if name not in table.uncompared}
    return {**found, **table.instead}


async def columns_of(live: Connection, tables: Sequence[Rebuilt]) -> dict[str, list[str]]:
    """Table → its columns in order."""
    found: dict[str, list[str]] = {}
    for row in await live.fetch(SQL["columns"], [each.table for each in tables]):
        found.setdefault(row["relname"], []).append(row["attname"])
    return found


async def compare(live: Connection, building: Connection, tables: Sequence[Rebuilt]) -> list[Compared]:
    """The digests of all tables, on both connections at once; each sees its own schema at its moment."""
    columns = await columns_of(live, tables)
    compared = {each.table: (list(parts(each, columns[each.table]).values()), each.only) for each in tables}
    before, anew = await asyncio.gather(table_digests(live, compared), table_digests(building, compared))
    return [Compared(name, before[name].rows, before[name].digest, anew[name].digest) for name in compared]


async def keep_differing(live: Connection, tables: Sequence[Rebuilt], compared: Sequence[Compared]) -> None:
    """Keep what is live of tables that differ, as this transaction's moment has it, for `differences`."""
    columns = await columns_of(live, tables)
    differing = {each.table for each in compared if not each.agrees}
    for table in tables:
        if table.table in differing:
            named = parts(table, columns[table.table])
            await live.execute(f'DROP TABLE IF EXISTS {SHADOW}."live {table.table}"')
            await live.execute(await live.fetchval(
                SQL["keep_live_statement"], SHADOW, table.table, list(named), list(named.values()), table.only
            ))  # fmt: skip


async def differences(
    live: Connection, tables: Sequence[Rebuilt], compared: Sequence[Compared]
) -> list[Difference]:
    """The rows that differ, of what was kept."""
    columns = await columns_of(live, tables)
    differing = {each.table for each in compared if not each.agrees}
    found = []
    for table in tables:
        if table.table in differing:
            named = parts(table, columns[table.table])
            row = await live.fetchrow(await live.fetchval(
                SQL["differences_statement"], SHADOW, table.table, list(named), list(named.values()),
                table.only, _SHOWN,
            ))  # fmt: skip
            assert row is not None
            found.append(Difference(
                table.table, row["live"], row["anew"],
                json.loads(row["live_rows"] or "[]"), json.loads(row["anew_rows"] or "[]"),
            ))  # fmt: skip
    return found


def lanes_that_differ(lanes: Sequence[LiveLane], states: Mapping[int, LaneState]) -> list[Difference]:
    """Lanes that have heard their producers further than the shadow's at the same offsets, or less far."""
    differing = [each.lane for each in lanes if dict(each.watermarks) != states[each.lane].watermarks]
    if not differing:
        return []
    return [Difference("lanes", len(differing), len(differing), [{"lane": lane} for lane in differing])]
