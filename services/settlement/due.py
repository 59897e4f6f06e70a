"""What time or a person asks of a lane: sealing batches at their cut-off, and requests."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from goodfunds import ids
from goodfunds.errors import InvariantBroken
from goodfunds.lanes import Poll
from goodfunds.ledger.posting import Posting, bank_opening_balance
from goodfunds.money import exponent
from goodfunds.postgres import all_written
from services.settlement.store import SQL, Connection


class DueBatch(NamedTuple):
    """An open batch whose cut-off has passed."""

    batch_id: bytes


class WholeBatch(NamedTuple):
    """After a restore: a found batch whose payments are all there. Any poll seals it (`found.seal_found`)."""

    batch_id: bytes


class Request(NamedTuple):
    """A row of `requests` that waits; `payload` is JSON."""

    request_id: int
    kind: str
    payload: str


Due = DueBatch | WholeBatch | Request


async def find_due(connection: Connection, lanes: Sequence[int], now: datetime) -> dict[int, list[Due]]:
    """Batches to seal and requests to carry out, by lane; reads only."""
    found: dict[int, list[Due]] = {}
    for lane, batch_id in await connection.fetch(SQL["due_batches"], lanes, now):
        found.setdefault(lane, []).append(DueBatch(batch_id))
    for lane, batch_id in await connection.fetch(SQL["whole_found_batches"], lanes):
        found.setdefault(lane, []).append(WholeBatch(batch_id))
    for lane, *request in await connection.fetch(SQL["waiting_requests"], lanes):
        found.setdefault(lane, []).append(Request(*request))
    return found


async def carry_out(connection: Connection, poll: Poll) -> dict[int, list[Posting]]:
    """Seal what is due and do what was asked, before the poll's records; returns what is to be posted."""
    batch_ids: list[bytes] = []
    closing: list[int] = []
    requests: list[tuple[int, Request]] = []
    for lane, dues in poll.due.items():
        for due in dues:
            if isinstance(due, DueBatch):
                batch_ids.append(due.batch_id)
            elif isinstance(due, Request):
                requests.append((lane, due))
                if due.kind == "close_cut_off":
                    closing.append(lane)
    if batch_ids or closing:
        sealed = {row[1] for row in await connection.fetch(SQL["seal_batches"], batch_ids, closing, poll.now)}
        missing = set(batch_ids) - sealed
        if missing:
            # Found at the bank since they fell due: those are sealed as they went out.
            missing -= {row[0] for row in await connection.fetch(SQL["found_among"], list(missing))}
        if missing:
            raise InvariantBroken(f"{len(missing)} batches that fell due were sealed already")
    postings: dict[int, list[Posting]] = {}
    outcomes = {}
    for lane, request in requests:
        outcomes[request.request_id] = "done"
        if request.kind not in ("close_cut_off", "open_nostro"):
            outcomes[request.request_id] = f"refused: a lane does not {request.kind}"
        elif request.kind == "open_nostro":
            outcome, posted = await _open_nostro(connection, lane, json.loads(request.payload), poll.now)
            outcomes[request.request_id] = outcome
            postings.setdefault(lane, []).extend(posted)
    if outcomes:
        status = await connection.execute(
            SQL["finish_requests"], list(outcomes), list(outcomes.values()), poll.now
        )
        all_written(status, len(outcomes), "requests that waited")
    return postings


async def _open_nostro(
    connection: Connection, lane: int, payload: Mapping[str, object], now: datetime
) -> tuple[str, list[Posting]]:
    nostro, currency, source = (payload.get(name) for name in ("nostro", "currency", "source"))
    balance_minor = payload.get("balance_minor")
    if not (isinstance(nostro, str) and nostro and isinstance(currency, str) and type(balance_minor) is int):
        return "refused: nostro, currency and balance_minor (an integer in minor units) are needed", []
    try:
        exponent(currency)
    except ValueError as unknown:
        return f"refused: {unknown}", []
    opened = await connection.fetchval(SQL["nostro_is_open"], nostro)
    if opened is not None:
        return ("done" if opened == balance_minor else f"refused: it was opened with {opened}"), []
    await connection.execute(SQL["open_nostro"], nostro, lane, currency, balance_minor, now)
    if balance_minor == 0:
        return "done", []
    entry_id = ids.derived_id(0, b"open_nostro", nostro.encode())
    origin = source if isinstance(source, str) and source else "opening"
    return "done", [bank_opening_balance(entry_id, origin, nostro, balance_minor, currency)]
