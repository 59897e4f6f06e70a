"""Set-based reads: each takes keys with their lanes and returns rows as the model's records."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from operator import attrgetter
from typing import Any, TypeVar

from goodfunds.events.types import BreakOpened, PaymentMatched, StatementLine, decode
from goodfunds.lanes.records import Connection
from services.reconciliation.model import Break, Candidate, Item, Line, Statement
from services.reconciliation.store import SQL

Named = Iterable[tuple[int, bytes]]
"""(lane, id) pairs."""

_Row = TypeVar("_Row")


async def _read(connection: Connection, name: str, keys: Named, build: Callable[..., _Row]) -> list[_Row]:
    wanted = list(keys)
    if not wanted:
        return []
    rows = await connection.fetch(SQL[name], [k[0] for k in wanted], [k[1] for k in wanted])
    return [build(*row.values()) for row in rows]


def _pair(lane: int, identifier: bytes) -> tuple[int, bytes]:
    return lane, identifier


async def items(connection: Connection, payments: Named) -> list[Item]:
    return await _read(connection, "items_of_payments", payments, Item)


async def unexplained_lines(connection: Connection, payments: Named) -> list[Line]:
    return await _read(connection, "unexplained_lines_of_payments", payments, Line)


async def breaks_of_payments(connection: Connection, payments: Named) -> list[Break]:
    return await _read(connection, "breaks_of_payments", payments, Break)


async def unexplained_lines_of_statements(connection: Connection, named: Named) -> list[Line]:
    return await _read(connection, "unexplained_lines_of_statements", named, Line)


async def lines_of_batches(connection: Connection, batches: Named) -> list[Line]:
    return await _read(connection, "lines_of_batches", batches, Line)


async def breaks_of_batches(connection: Connection, batches: Named) -> list[Break]:
    return await _read(connection, "breaks_of_batches", batches, Break)


async def payments_of_batches(connection: Connection, batches: Named) -> list[tuple[int, bytes]]:
    return await _read(connection, "payments_of_batches", batches, _pair)


async def batches_booked_as_a_sum(connection: Connection, batches: Named) -> list[tuple[int, bytes]]:
    return await _read(connection, "batches_booked_as_a_sum", batches, _pair)


async def known_statements(connection: Connection, named: Named) -> list[tuple[int, bytes]]:
    return await _read(connection, "known_statements", named, _pair)


async def breaks_of_statements(connection: Connection, named: Named) -> list[Break]:
    return await _read(connection, "breaks_of_statements", named, Break)


async def lines_at(connection: Connection, places: Iterable[tuple[int, bytes, int]]) -> list[Line]:
    """Lines by (lane, statement id, line number), in whatever state."""
    wanted = list(places)
    if not wanted:
        return []
    rows = await connection.fetch(SQL["lines_at"], *(list(column) for column in zip(*wanted, strict=True)))
    return [Line(*row.values()) for row in rows]


async def breaks_of_lines(connection: Connection, lines: Sequence[Line]) -> list[Break]:
    if not lines:
        return []
    rows = await connection.fetch(
        SQL["breaks_of_lines"],
        [line.lane for line in lines],
        [line.statement_id for line in lines],
        [line.line_number for line in lines],
    )
    return [Break(*row.values()) for row in rows]


async def strays_of_entries(connection: Connection, entries: Iterable[tuple[int, str]]) -> list[Line]:
    """Unexplained lines without payment or batch, by (lane, bank reference)."""
    wanted = list(entries)
    if not wanted:
        return []
    rows = await connection.fetch(
        SQL["stray_lines_of_entries"], [k[0] for k in wanted], [k[1] for k in wanted]
    )
    return [Line(*row.values()) for row in rows]


async def contradictions_of_entries(
    connection: Connection, lanes: Iterable[int], references: Iterable[str]
) -> list[Break]:
    wanted = sorted(set(references))
    if not wanted:
        return []
    rows = await connection.fetch(SQL["contradictions_of_entries"], sorted(set(lanes)), wanted)
    return [Break(*row.values()) for row in rows]


async def candidates(
    connection: Connection, lines: Sequence[Line]
) -> dict[tuple[bytes, int], list[Candidate]]:
    """Open expected items of all lanes that each line could be, by the line's place."""
    found: dict[tuple[bytes, int], list[Candidate]] = defaultdict(list)
    if lines:
        fields = (
            "lane",
            "statement_id",
            "line_number",
            "nostro",
            "end_to_end_id",
            "amount_minor",
            "currency",
        )
        columns = [list(map(attrgetter(name), lines)) for name in fields]
        for row in await connection.fetch(SQL["candidates"], *columns):
            place = row["statement_id"], row["line_number"]
            found[place].append(Candidate(row["lane"], row["payment_id"]))
    return found


async def told_owners(
    connection: Connection, lines: Sequence[Line]
) -> list[tuple[int, tuple[bytes, int], Candidate]]:
    """(lane, place, whose it is) of lines that name no payment, as far as that was told before a restore."""
    if not lines:
        return []
    wanted = zip(*((line.lane, *line.place) for line in lines), strict=True)
    found = []
    for row in await connection.fetch(SQL["told_owners"], *map(list, wanted)):
        event = decode(row["body"])
        assert isinstance(event, (PaymentMatched, BreakOpened, StatementLine))
        lane = row["destination"] if isinstance(event, StatementLine) else row["lane"]
        found.append((row["lane"], (row["id"], row["number"]), Candidate(lane, event.payment_id)))
    return found


async def payments_to_miss(
    connection: Connection, covered: Iterable[tuple[int, str, date]]
) -> list[tuple[int, bytes]]:
    wanted = list(covered)
    if not wanted:
        return []
    columns = (list(column) for column in zip(*wanted, strict=True))
    rows = await connection.fetch(SQL["payments_to_miss"], *columns)
    return [(row["lane"], row["payment_id"]) for row in rows]


async def closed_statements(connection: Connection, named: Named) -> list[Any]:
    """Rows of statement_shares."""
    wanted = list(named)
    if not wanted:
        return []
    return list(await connection.fetch(SQL["shares"], [k[0] for k in wanted], [k[1] for k in wanted]))


async def received(connection: Connection, named: Named) -> dict[tuple[int, bytes], tuple[int, int]]:
    """(count, signed sum) of the reader's stored lines, by (lane, statement id)."""
    rows = await _read(connection, "received_of_statements", named, lambda *row: row)
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


async def chains(connection: Connection, wanted: Iterable[tuple[int, str, str, date]]) -> list[Statement]:
    """The statements from the day before each (lane, nostro, currency, last day) on, each once."""
    return await _statements(connection, "chains", wanted)


async def statements_named(
    connection: Connection, wanted: Iterable[tuple[int, str, str, str]]
) -> list[Statement]:
    """Statements with one of the given (lane, nostro, number, bank's id)."""
    return await _statements(connection, "statements_named", wanted)


async def _statements(connection: Connection, name: str, keys: Iterable[tuple[Any, ...]]) -> list[Statement]:
    wanted = list(keys)
    if not wanted:
        return []
    rows = await connection.fetch(SQL[name], *(list(column) for column in zip(*wanted, strict=True)))
    return list({(row["lane"], row["statement_id"]): Statement(*row.values()) for row in rows}.values())
