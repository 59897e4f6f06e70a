"""After a restore: the batches in which payments had gone out, as the gateway found them at the bank."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from goodfunds.errors import InvariantBroken, OutOfTurn, Unavailable
from goodfunds.events.types import BankEntryReported
from goodfunds.lanes import Poll
from goodfunds.lanes.records import Connection
from services.settlement.batching import FoundBatches
from services.settlement.books import Notice, names_nothing
from services.settlement.model import Batch
from services.settlement.store import SQL, batches_by_id, read_batch


async def is_restored(connection: Connection) -> bool:
    """Whether what had gone out before a restore has yet to be put where it was.

    Asked each time: who remembers an answer may have slept through the restore. Raises Unavailable until
    the gateway has read the bank's folders for it.
    """
    row = await connection.fetchrow(SQL["restore_under_way"])
    if row is not None and row["folders_read_at"] is None:
        raise Unavailable("restored: the gateway has yet to read the bank's folders for what had gone out")
    return row is not None


async def wait_for_others(connection: Connection, lane: int, poll: Poll, notices: Collection[Notice]) -> None:
    """Let `lane`, the nostro's, wait while what other lanes have yet to handle again may explain `notices`.

    An answer that names nothing of ours may be about a payment of any lane, or repeat what settled one:
    read before that, it would go to suspense. Raises OutOfTurn.
    """
    if not any(_may_be_of_any_lane(each) for each in notices):
        return
    behind = {row["lane"] for row in await connection.fetch(SQL["lanes_behind"])}
    others = [each for each in poll.records if each != lane]
    if others:
        # This transaction has moved them on already, and what it decides was read before.
        for row in await connection.fetch(SQL["catch_ups"], others):
            ends: dict[str, int] = json.loads(row["catch_up"])
            if any(each.offset < ends.get(each.topic, 0) for each in poll.records[row["lane"]]):
                behind.add(row["lane"])
    if behind := behind - {lane}:
        raise OutOfTurn(lane, f"lanes {sorted(behind)} are to handle again what they had, first")


def _may_be_of_any_lane(notice: Notice) -> bool:
    if not names_nothing(notice) or not notice.end_to_end_id:
        return False
    return not isinstance(notice, BankEntryReported) or notice.status == "BOOK"


async def found_of_payments(connection: Connection, payment_ids: Collection[bytes]) -> FoundBatches:
    """The batches that files at the bank carry these payments in."""
    found = FoundBatches()
    for row in await connection.fetch(SQL["found_of_payments"], list(payment_ids)):
        found.of.setdefault(row[0], []).append(read_batch(row[1:]))
    ids = {batch.batch_id for of_payment in found.of.values() for batch in of_payment}
    found.there.update(batch.batch_id for batch in await batches_by_id(connection, ids))
    return found


async def found_of_lanes(connection: Connection, lanes: Sequence[int]) -> list[Batch]:
    """The batches of files at the bank that have yet to be adopted."""
    return [read_batch(row) for row in await connection.fetch(SQL["found_of_lanes"], lanes)]


async def seal_found(connection: Connection, lanes: Sequence[int], at: datetime) -> None:
    """Seal found batches whose payments are all there. Raises InvariantBroken where others are."""
    await connection.execute(SQL["withdraw_answered"], lanes, at)
    for batch_id, agrees in await connection.fetch(SQL["seal_found"], lanes, at):
        if not agrees:
            raise InvariantBroken(f"batch {batch_id.hex()} has other payments than the bank has of it")
