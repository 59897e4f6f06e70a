"""Loads what a poll's statements touch: their closings, the chain around them, what arrived of each."""

from collections.abc import Callable, Iterable, Sequence

from goodfunds.lanes.records import Connection
from services.reconciliation import rows
from services.reconciliation.books import Books, Share

Lanes = dict[int, Books]


async def load_shares(connection: Connection, lanes: Lanes, of: Callable[[Books], Iterable[bytes]]) -> None:
    wanted = {(lane, sid) for lane, books in lanes.items() for sid in of(books) if sid not in books.shares}
    for row in await rows.closed_statements(connection, wanted):
        lanes[row["lane"]].shares[row["statement_id"]] = Share(
            row["statement_id"], row["nostro"], row["currency"], row["to_date"], row["lane_lines"],
            row["lane_sum_minor"],
        )  # fmt: skip


async def load_statements(connection: Connection, lanes: Lanes) -> None:
    """What is concluded of statements; of one whose header has come before nothing is anew."""
    headers = {(lane, each.statement_id) for lane, books in lanes.items() for each in books.opened}
    known = set(await rows.known_statements(connection, headers))
    for lane, books in lanes.items():
        books.opened = [each for each in books.opened if (lane, each.statement_id) not in known]
    late = {
        (lane, line.statement_id)
        for lane, books in lanes.items()
        for line in books.lines
        if line.statement_id in books.shares and line.handed_over_from is None and not books.knows(line)
    }
    chains = {
        (lane, each.nostro, each.currency, each.to_date)
        for lane, books in lanes.items()
        for each in books.opened
    }
    chains |= {
        (lane, each.nostro, each.currency, each.to_date)
        for lane, books in lanes.items()
        for each in books.new_closings()
    }
    # A statement that lacked them alone is reconciled by them.
    shares = ((lane, lanes[lane].shares[statement_id]) for lane, statement_id in late)
    chains |= {(lane, each.nostro, each.currency, each.to_date) for lane, each in shares}
    named = {
        (lane, each.nostro, each.statement_number, each.bank_statement_id)
        for lane, books in lanes.items()
        for each in books.opened
    }
    for statement in await rows.chains(connection, chains):
        lanes[statement.lane].chain.append(statement)
    for statement in await rows.statements_named(connection, named):
        lanes[statement.lane].named_alike.append(statement)
    await load_shares(connection, lanes, lambda books: (each.statement_id for each in books.chain))
    closing = {(lane, each.statement_id) for lane, books in lanes.items() for each in books.new_closings()}
    counted = closing | late
    received = await rows.received(connection, counted)
    for lane, sid in counted:
        lanes[lane].received[sid] = received.get((lane, sid), (0, 0))
    about: Sequence[tuple[int, bytes]] = sorted(
        counted | {(s.lane, s.statement_id) for books in lanes.values() for s in books.chain}
    )
    for each in await rows.breaks_of_statements(connection, about):
        lanes[each.lane].statement_breaks.setdefault(each.statement_id, []).append(each)
