"""After a restore: until a lane has read again what it had read before, what it told then stands.

Matches, owners of lines and statements reconciled are decided as they were told, and not told again. Of
breaks nothing is told meanwhile, since they may open and close in another order, nor of what hangs on more
than one fact: matches by batch total, statements reconciled. In the end what is true is held against what
was told, and only the difference goes out.
"""

from collections.abc import Collection, Iterable, Mapping, Set
from datetime import datetime

import structlog

from goodfunds.errors import OutOfTurn
from goodfunds.events import types
from goodfunds.events.topics import BANK_STATEMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.lanes.records import Connection
from services.reconciliation import rows
from services.reconciliation.books import Books, Outcome
from services.reconciliation.decide import instant
from services.reconciliation.model import BATCH_TOTAL, Break, Item, Line, Statement, Told
from services.reconciliation.store import SQL, Named, write_reconciled
from services.reconciliation.strays import NO_END_TO_END_ID
from services.reconciliation.told_breaks import ToldBreak, judge

log = structlog.get_logger(__name__)

Lanes = Mapping[int, Books]

FACTS = (SETTLEMENT_NOTIFICATIONS, BANK_STATEMENTS)
"""The inputs that matches and breaks follow from."""


async def begin(connection: Connection, lanes: Lanes) -> frozenset[int]:
    """Those of a poll's lanes that catch up; their books learn which statements were told to be reconciled.

    Where one will stand as before the restore after this poll, what was told of lines in breaks is due.
    """
    found = await connection.fetch(SQL["lanes_catching_up"], list(lanes), FACTS)
    catching_up = frozenset(row["lane"] for row in found)
    if catching_up:
        for row in await connection.fetch(SQL["told_reconciled"], catching_up):
            event = types.decode(row["body"])
            assert isinstance(event, types.StatementReconciled)
            lanes[row["lane"]].told.reconciled[row["id"]] = instant(event.reconciled_at)
        ending = [row["lane"] for row in await connection.fetch(SQL["caught_up"], catching_up, FACTS)]
        for row in await connection.fetch(SQL["owned_lines_in_breaks"], ending):
            lanes[row["lane"]].due.append((row["statement_id"], row["line_number"]))
    return catching_up


async def wait_for_others(connection: Connection, lanes: Lanes, strays: Iterable[Line]) -> None:
    """Let a lane wait while payments that others have yet to handle again may be what its `strays` are.

    Raises OutOfTurn. A lane that has yet to handle settlement's events again itself does not wait, since two
    could for each other: its strays are nobody's so far, and fall due later.
    """
    unsure = [
        line
        for line in strays
        if line.end_to_end_id not in NO_END_TO_END_ID and line.place not in lanes[line.lane].told.owners
    ]
    if not unsure:
        return
    first = {
        lane: books.settlement_from for lane, books in lanes.items() if books.settlement_from is not None
    }
    found = await connection.fetch(
        SQL["lanes_behind"], SETTLEMENT_NOTIFICATIONS, list(first), list(first.values())
    )
    behind = {row["lane"] for row in found}
    for line in unsure:
        if line.lane in behind:
            lanes[line.lane].candidates.pop(line.place, None)
        elif behind:
            raise OutOfTurn(line.lane, f"lanes {sorted(behind)} are to handle again what they had, first")


async def load_matches(connection: Connection, lanes: Lanes, catching_up: Set[int]) -> None:
    """What was told of the payments that a poll touches."""
    wanted = [(lane, payment) for lane in catching_up & lanes.keys() for payment in lanes[lane].cases]
    if wanted:
        columns = zip(*wanted, strict=True)
        for row in await connection.fetch(SQL["told_matches"], *map(list, columns)):
            lanes[row["lane"]].told.matches[row["id"], row["number"]] = _told(row["body"])


async def note(connection: Connection, books: Books, outcome: Outcome) -> None:
    """Remember of breaks that are about to be written how they stand for those who listen.

    Also what could still be undone, and is told only if it is true in the end; a statement is not even
    written to be reconciled.
    """
    lane = books.lane
    stood = [(lane, "resolved", each.break_id) for each in outcome.opened]
    stood += [(lane, "opened", each.break_id) for each in outcome.resolved]
    if stood:
        await connection.execute(SQL["note_break_as_told"], *map(list, zip(*stood, strict=True)))
    untold = [(lane, "reconciled", each.statement_id, 0) for each in outcome.reconciled]
    untold += [
        (lane, "matched", item.payment_id, item.side)
        for item, _ in outcome.pairs
        if item.match_kind == BATCH_TOTAL
    ]
    outcome.reconciled = []
    if untold:
        await connection.execute(SQL["note_untold"], *map(list, zip(*untold, strict=True)))


async def hold_back(connection: Connection, books: Books, outcome: Outcome) -> None:
    """Take out of a lane's outcome, which is written already, what was told or may be undone, and breaks."""
    told = books.told
    done = []
    pairs = outcome.pairs
    outcome.pairs = []
    for item, line in pairs:
        match = told.matches.get((item.payment_id, item.side))
        if match is None and item.match_kind == BATCH_TOTAL:
            continue
        if match is None:
            outcome.pairs.append((item, line))
        if match in (None, Told(line.place, item.match_kind)):
            done.append((books.lane, item.payment_id, item.side))
    outcome.handed_over = [line for line in outcome.handed_over if line.place not in told.owners]
    outcome.opened, outcome.resolved = [], []
    if done:
        await connection.execute(SQL["forget_matches"], *map(list, zip(*done, strict=True)))


async def end(
    connection: Connection, catching_up: Collection[int], outcomes: dict[int, Outcome], now: datetime
) -> None:
    """Add to the outcomes of lanes that have caught up what was not told, or otherwise than it is."""
    lanes = [row["lane"] for row in await connection.fetch(SQL["caught_up"], catching_up, FACTS)]
    if not lanes:
        return
    for lane in lanes:
        outcomes.setdefault(lane, Outcome())
    told = await _told_breaks(connection, lanes)
    known = {(each.lane, each.break_id): each for each in await _breaks(connection, told)}
    stand: list[Break] = []
    nothing: list[tuple[int, bytes]] = []
    for (lane, break_id), each in told.items():
        found, untold = judge(lane, each, known.get((lane, break_id)), now)
        if found is not None:
            stand.append(found)
            if untold:
                (outcomes[lane].opened if found.is_open else outcomes[lane].resolved).append(found)
        else:
            nothing.append((lane, break_id))
    if nothing:
        await connection.execute(SQL["drop_breaks"], *map(list, zip(*nothing, strict=True)))
    if stand:
        await connection.executemany(SQL["put_breaks_as_told"], stand)
    await _matched_otherwise(connection, lanes, outcomes)
    await _reconciled_in_the_end(connection, lanes, outcomes, now)
    await connection.execute(SQL["forget_told"], lanes)
    log.info("lanes have caught up with what they had told", lanes=lanes)


async def _told_breaks(connection: Connection, lanes: Collection[int]) -> dict[tuple[int, bytes], ToldBreak]:
    found: dict[tuple[int, bytes], ToldBreak] = {}
    for row in await connection.fetch(SQL["told_breaks"], lanes):
        key = row["lane"], row["id"]
        known = found.get(key, ToldBreak())
        event = types.decode(row["body"]) if row["body"] else None
        if row["kind"] == "opened":
            assert event is None or isinstance(event, types.BreakOpened)
            found[key] = known._replace(opened_seq=row["event_seq"], opened=event)
        else:
            assert event is None or isinstance(event, types.BreakResolved)
            found[key] = known._replace(resolved_seq=row["event_seq"], resolved=event)
    return found


async def _breaks(connection: Connection, named: Named) -> list[Break]:
    wanted = list(named)
    if not wanted:
        return []
    found = await connection.fetch(
        SQL["breaks_by_id"], [each[0] for each in wanted], [each[1] for each in wanted]
    )
    return [Break(*row.values()) for row in found]


async def _matched_otherwise(
    connection: Connection, lanes: Collection[int], outcomes: Mapping[int, Outcome]
) -> None:
    """Items of which another match was told than they have now, or none."""
    found = await connection.fetch(SQL["told_matches_left"], lanes)
    told = {
        (row["lane"], row["id"], row["number"]): _told(row["body"]) if row["body"] else None for row in found
    }
    items: list[Item] = [
        item
        for item in await rows.items(connection, {(lane, payment) for lane, payment, _ in told})
        if (key := (item.lane, item.payment_id, item.side)) in told
        and told[key] != Told((item.statement_id or b"", item.line_number), item.match_kind)
    ]
    places = {(item.lane, item.statement_id or b"", item.line_number) for item in items}
    lines = {(line.lane, *line.place): line for line in await rows.lines_at(connection, places)}
    for item in items:
        line = lines[item.lane, item.statement_id or b"", item.line_number]
        outcomes[item.lane].pairs.append((item, line))


async def _reconciled_in_the_end(
    connection: Connection, lanes: Collection[int], outcomes: Mapping[int, Outcome], now: datetime
) -> None:
    rows_found = await connection.fetch(SQL["statements_to_reconcile"], lanes)
    found = [Statement(*row.values()) for row in rows_found]
    for statement in found:
        outcomes[statement.lane].reconciled.append(statement)
    await write_reconciled(connection, ((each.lane, each.statement_id) for each in found), now)


def _told(body: bytes) -> Told:
    event = types.decode(body)
    assert isinstance(event, types.PaymentMatched)
    return Told((event.statement_id, event.line_number), event.kind)
