"""The first step of a poll: load, set-based, every row that its events can touch."""

from collections.abc import Iterable

from goodfunds.events.types import PaymentRejectedByBank
from goodfunds.ids import NO_ID
from goodfunds.lanes.records import Connection
from services.reconciliation import rows
from services.reconciliation.books import Books
from services.reconciliation.breaks import contradiction
from services.reconciliation.catching_up import wait_for_others
from services.reconciliation.model import BATCH_TOTAL, BROKEN, MATCHED, Case, Line, empty
from services.reconciliation.statement_loading import Lanes, load_shares, load_statements
from services.reconciliation.store import SQL


async def load(connection: Connection, lanes: Lanes) -> None:
    """Fill each lane's books. Reads only; the items of other lanes are read for stray lines alone.

    Raises OutOfTurn where those have yet to be handled again after a restore.
    """
    await load_shares(connection, lanes, lambda books: _statement_ids(books))
    closing = {(lane, each.statement_id) for lane, books in lanes.items() for each in books.new_closings()}
    waiting = await rows.unexplained_lines_of_statements(connection, closing)
    arriving = await _new_strays(connection, lanes)
    known = await rows.lines_at(
        connection, [(lane, *place) for lane, books in lanes.items() for place in books.due]
    )
    entries = {(line.lane, line.bank_reference) for line in arriving if line.bank_reference}
    entries |= await _newly_contradicted_entries(connection, lanes)
    known += await rows.strays_of_entries(connection, entries)
    for line in known + [line for line in waiting if empty(line.payment_id) and empty(line.batch_id)]:
        books = lanes[line.lane]
        if not empty(line.payment_id):
            books.explained.add(line.place)
            continue
        books.lines_before[line.place] = line
        if line.handed_over_to is None:
            books.strays[line.place] = line
    for line in arriving:
        lanes[line.lane].strays.setdefault(line.place, line)
    await _load_strays(connection, lanes)

    payments = {(lane, pid) for lane, books in lanes.items() for pid in _payment_ids(books)}
    payments |= {(line.lane, line.payment_id) for line in waiting if not empty(line.payment_id)}
    payments |= _own_candidates(lanes)
    payments |= set(
        await rows.payments_to_miss(
            connection,
            {
                (lane, each.nostro, each.to_date)
                for lane, books in lanes.items()
                for each in books.new_closings()
            },
        )
    )
    await _load_payments(connection, lanes, payments)
    await _load_batches(connection, lanes, payments, {
        (line.lane, line.batch_id) for line in waiting if empty(line.payment_id) and not empty(line.batch_id)
    })  # fmt: skip
    await _load_matched_lines(connection, lanes)
    await load_shares(
        connection, lanes, lambda books: (line.statement_id for line in books.lines_before.values())
    )
    for row in await connection.fetch(SQL["covered_to"], list(lanes)):
        lanes[row["lane"]].covered_to[row["nostro"]] = row["to_date"]
    await load_statements(connection, lanes)


def _statement_ids(books: Books) -> Iterable[bytes]:
    yield from (line.statement_id for line in books.lines)
    yield from (event.statement_id for event in books.closings)
    yield from (event.statement_id for event in books.opened)


async def _new_strays(connection: Connection, lanes: Lanes) -> list[Line]:
    """Those of this poll's lines without a payment that have not come before.

    What became of one that has stands: whose it could be since, in lanes that are not looked at here, is
    found when it falls due.
    """
    strays = [
        line
        for books in lanes.values()
        for line in books.lines
        if empty(line.payment_id) and empty(line.batch_id)
    ]
    for line in await rows.lines_at(connection, ((line.lane, *line.place) for line in strays)):
        lanes[line.lane].explained.add(line.place)
    return [line for line in strays if line.place not in lanes[line.lane].explained]


async def _newly_contradicted_entries(connection: Connection, lanes: Lanes) -> set[tuple[int, str]]:
    """(lane, bank's reference) of entries of which settlement's finding has not come before."""
    found = [
        (lane, event)
        for lane, books in lanes.items()
        for event, _ in books.events
        if event.payment_id == NO_ID
    ]
    if not found:
        return set()
    references = {event.bank_reference for _, event in found}
    for each in await rows.contradictions_of_entries(connection, lanes, references):
        lanes[each.lane].entry_breaks.append(each)
    known = {(lane, each.break_id) for lane, books in lanes.items() for each in books.entry_breaks}
    return {
        (lane, event.bank_reference)
        for lane, event in found
        if event.bank_reference and (lane, contradiction(event, lane).break_id) not in known
    }


def _payment_ids(books: Books) -> Iterable[bytes]:
    yield from (event.payment_id for event, _ in books.events)
    yield from (line.payment_id for line in books.lines if line.payment_id != NO_ID)


def _own_candidates(lanes: Lanes) -> set[tuple[int, bytes]]:
    return {
        (lane, each.payment_id)
        for lane, books in lanes.items()
        for found in books.candidates.values()
        for each in found
        if each.lane == lane
    }


async def _load_strays(connection: Connection, lanes: Lanes) -> None:
    strays = [line for books in lanes.values() for line in books.strays.values()]
    if not strays:
        return
    for each in await rows.breaks_of_lines(connection, strays):
        lanes[each.lane].stray_breaks.setdefault((each.statement_id, each.line_number), []).append(each)
    references = {line.bank_reference for line in strays if line.bank_reference}
    for each in await rows.contradictions_of_entries(connection, lanes, references):
        if each not in lanes[each.lane].entry_breaks:
            lanes[each.lane].entry_breaks.append(each)
    closed = [line for line in strays if _is_closed(lanes[line.lane], line)]
    places = {line.place: line.lane for line in closed}
    for place, found in (await rows.candidates(connection, closed)).items():
        lanes[places[place]].candidates[place] = found
    for lane, place, owner in await rows.told_owners(connection, closed):
        lanes[lane].told.owners[place] = owner
        lanes[lane].candidates[place] = [owner]
    await wait_for_others(connection, lanes, closed)


def _is_closed(books: Books, line: Line) -> bool:
    return (
        line.state == BROKEN
        or line.statement_id in books.shares
        or any(each.statement_id == line.statement_id for each in books.closings)
    )


async def _load_payments(connection: Connection, lanes: Lanes, payments: set[tuple[int, bytes]]) -> None:
    wanted = {key for key in payments if key[1] != NO_ID and key[1] not in lanes[key[0]].cases}
    for lane, payment_id in wanted:
        lanes[lane].cases[payment_id] = Case(payment_id)
    for item in await rows.items(connection, wanted):
        books = lanes[item.lane]
        books.items_before[item.payment_id, item.side] = item
        case = books.cases[item.payment_id]
        books.cases[item.payment_id] = case.with_item(item)
    for line in await rows.unexplained_lines(connection, wanted):
        _keep(lanes, line)
    for each in await rows.breaks_of_payments(connection, wanted):
        books = lanes[each.lane]
        case = books.cases[each.payment_id]
        books.cases[each.payment_id] = case._replace(breaks=(*case.breaks, each))


def _keep(lanes: Lanes, line: Line) -> None:
    books = lanes[line.lane]
    if line.place not in books.lines_before:
        books.lines_before[line.place] = line
        case = books.cases[line.payment_id]
        books.cases[line.payment_id] = case.with_lines((*case.lines, line))


async def _load_batches(
    connection: Connection,
    lanes: Lanes,
    payments: set[tuple[int, bytes]],
    waiting: set[tuple[int, bytes]],
) -> None:
    """Whole batches, but only those that a statement books as one sum."""
    arriving = {
        (lane, line.batch_id)
        for lane, books in lanes.items()
        for line in books.lines
        if empty(line.payment_id) and not empty(line.batch_id)
    }
    touched = {(lane, item.batch_id) for lane, books in lanes.items() for item in books.items_before.values()}
    touched |= {
        (lane, event.batch_id)
        for lane, books in lanes.items()
        for event, _ in books.events
        if getattr(event, "batch_id", NO_ID) != NO_ID
    }
    batches = arriving | waiting | set(await rows.batches_booked_as_a_sum(connection, touched))
    if not batches:
        return
    for line in await rows.lines_of_batches(connection, batches):
        books = lanes[line.lane]
        books.lines_before[line.place] = line
        books.batch_lines.setdefault(line.batch_id, {})[line.place] = line
    for each in await rows.breaks_of_batches(connection, batches):
        lanes[each.lane].batch_breaks.setdefault(each.batch_id, []).append(each)
    await _load_payments(
        connection, lanes, set(await rows.payments_of_batches(connection, batches)) - payments
    )


async def _load_matched_lines(connection: Connection, lanes: Lanes) -> None:
    """Lines already explained, where this poll could take the explanation away or bring them again."""
    rejected = {
        (lane, event.payment_id)
        for lane, books in lanes.items()
        for event, _ in books.events
        if type(event) is PaymentRejectedByBank
    }
    places = set()
    for lane, books in lanes.items():
        for item in books.items_before.values():
            if item.state == MATCHED and item.match_kind != BATCH_TOTAL:
                assert item.statement_id is not None
                place = (item.statement_id, item.line_number)
                if (lane, item.payment_id) in rejected:
                    places.add((lane, *place))
                else:
                    books.explained.add(place)
    for line in await rows.lines_at(connection, places):
        _keep(lanes, line)
