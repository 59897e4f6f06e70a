"""Three databases in which nothing moves: read with the auditor's own SQL, each from one moment.

Memory stays flat however many payments there are: sets of rows are compared by sums that Postgres makes of
them, by lane and bucket, and only the rows behind sums that differ are looked at one by one.
"""

import asyncio
import struct
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from tests.auditor.evidence import Finding

SERVICES = ("ingestion", "settlement", "reconciliation")
_SQL = Path(__file__).with_name("sql")
_OPEN = "-- name: "
SHOWN = 20
"""Findings of a rule, and rows of a difference, that are named; the rest are counted."""
_LONGEST_SECONDS = 3600
_NUMBER = struct.Struct(">hiiiq")
"""A row of COPY in binary: how many fields, then the length and value of an integer and of a bigint."""
_HEAD = 19


class Sum(NamedTuple):
    """What rows of one lane and bucket come to: how many, minor units, and a sum of their hashes."""

    rows: int
    minor: int
    print: int


@cache
def statements() -> Mapping[str, str]:
    """`service.name`, or `every.name` for one that holds of each service, → the statement."""
    found = {}
    for path in sorted(_SQL.glob("*.sql")):
        for part in path.read_text(encoding="utf-8").split(_OPEN)[1:]:
            name, _, body = part.partition("\n")
            found[name] = body
    return found


class Resting:
    """The three databases; a statement at a time on each."""

    def __init__(self, connections: Mapping[str, Any]) -> None:
        self._connections = connections
        self._turns = {service: asyncio.Lock() for service in connections}

    async def fetch(self, service: str, statement: str, *arguments: Any) -> list[Any]:
        """Rows of a statement's text."""
        async with self._turns[service]:
            rows: list[Any] = await self._connections[service].fetch(
                statement, *arguments, timeout=_LONGEST_SECONDS
            )
        return rows

    async def rows(self, name: str, *arguments: Any) -> list[Any]:
        """Rows of a service's own named statement."""
        return await self.fetch(name.partition(".")[0], statements()[name], *arguments)

    async def every(self, service: str, name: str) -> list[Any]:
        """Rows of a statement that each of the databases answers."""
        return await self.fetch(service, statements()[f"every.{name}"])

    async def broken(self, rule: str, service: str, name: str) -> list[Finding]:
        """A rule whose statement has a row for whatever breaks it: subject and words."""
        first = _within("every.first", statements()[name])
        found = [Finding(rule, row["subject"], row["words"]) for row in await self.fetch(service, first)]
        return shown(rule, service, found)

    async def differing(self, rule: str, left: str, right: str) -> tuple[list[Finding], Sum]:
        """A rule by which two statements give the same rows; what differs, and what the left comes to."""
        sums = await asyncio.gather(self._sums(left), self._sums(right))
        places = sorted(place for place in {*sums[0], *sums[1]} if sums[0].get(place) != sums[1].get(place))
        found: list[Finding] = []
        for place in places:
            if len(found) > SHOWN:
                break
            found += await self._named(rule, left, right, place)
        if len(found) > SHOWN:
            said = [f"{name} {_total(each)}" for name, each in zip((left, right), sums, strict=True)]
            rest = Finding(rule, "and more", f"{len(places)} buckets differ: {', '.join(said)}")
            found = [*found[:SHOWN], rest]
        whole = sums[0].values()
        return found, Sum(sum(each.rows for each in whole), sum(each.minor for each in whole), 0)

    async def _sums(self, name: str) -> dict[tuple[int, int], Sum]:
        service = name.partition(".")[0]
        rows = await self.fetch(service, _within("every.sums", statements()[name]))
        return {
            (row["lane"], row["bucket"]): Sum(row["rows"], int(row["minor"]), int(row["print"]))
            for row in rows
        }

    async def _named(self, rule: str, left: str, right: str, place: tuple[int, int]) -> Iterator[Finding]:
        sides = []
        for name in (left, right):
            rows = await self.fetch(
                name.partition(".")[0], _within("every.bucket", statements()[name]), *place
            )
            sides.append(Counter(tuple(row) for row in rows))
        ours, theirs = sides[0] - sides[1], sides[1] - sides[0]
        return (
            Finding(rule, str(one), f"{left}: {_said(ours, one)}; {right}: {_said(theirs, one)}")
            for one in sorted({row[0] for row in (*ours, *theirs)})
        )

    async def numbers(self, name: str, take: Callable[[Iterator[tuple[int, int]]], None]) -> None:
        """Hand on the (lane, number) pairs of a statement, as they come."""
        rest, skip = b"", _HEAD

        async def parts(chunk: bytes) -> None:
            nonlocal rest, skip
            rest += chunk
            if len(rest) < skip:
                return
            whole = skip + (len(rest) - skip) // _NUMBER.size * _NUMBER.size
            rows = _NUMBER.iter_unpack(memoryview(rest)[skip:whole])
            take((lane, number) for _, _, lane, _, number in rows)
            rest, skip = rest[whole:], 0

        service = name.partition(".")[0]
        async with self._turns[service]:
            await self._connections[service].copy_from_query(
                statements()[name], output=parts, format="binary", timeout=_LONGEST_SECONDS
            )


def shown(rule: str, where: str, found: Sequence[Finding]) -> list[Finding]:
    """The first of them; that there are more is one finding."""
    if len(found) <= SHOWN:
        return list(found)
    return [*found[:SHOWN], Finding(rule, "and more", f"more than {SHOWN} in {where}")]


def _within(frame: str, statement: str) -> str:
    return statements()[frame].replace("{rows}", statement)


def _said(rows: Counter[tuple[Any, ...]], of: Any) -> str:
    words = [" ".join(map(str, row[1:])) + f" (× {n})" * (n > 1) for row, n in rows.items() if row[0] == of]
    return ", ".join(f"lane {each}" for each in words) or "nothing"


def _total(sums: Mapping[Any, Sum]) -> str:
    return f"{sum(each.rows for each in sums.values()):,} of {sum(each.minor for each in sums.values()):,}"


@asynccontextmanager
async def resting(dsns: Mapping[str, str]) -> AsyncIterator[Resting]:
    """Open each service's database, to be read as it is now; nothing can be written on the way."""
    async with AsyncExitStack() as held:
        connections = {}
        for service in SERVICES:
            connection = connections[service] = await asyncpg.connect(dsns[service])
            held.push_async_callback(connection.close)
            await held.enter_async_context(connection.transaction(isolation="repeatable_read", readonly=True))
            # Joins of millions; what they take is given back at the end of the transaction.
            await connection.execute("SET LOCAL work_mem = '64MB'")
        yield Resting(connections)
