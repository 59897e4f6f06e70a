"""After a restore: what ingestion told before it, of inputs that it has yet to handle again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from goodfunds.events.types import AccountFunded, AccountFundRequested, AccountOpened, AccountOpenRequested
from goodfunds.lanes.records import Connection, Record
from services.ingestion.incoming import Incoming, digest_of
from services.ingestion.store import SQL

OPENED, FUNDED, REFUNDED, REFUSED, FORWARDED = "opened", "funded", "refunded", "refused", "forwarded"


@dataclass(frozen=True, slots=True)
class Told:
    """An event that stands: its seq, and what it said."""

    event_seq: int
    credited_account: str = ""
    reason_code: str = ""
    reason: str = ""


class ToldBefore:
    """The events of a poll's inputs that were told already; each is taken once."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str, str], list[Told]] = {}
        self._taken: list[tuple[int, str, str, int]] = []

    def add(self, lane: int, kind: str, reference: str, told: Told) -> None:
        """Have an event wait for its input; of several the last added is taken first."""
        self._waiting.setdefault((lane, kind, reference), []).append(told)

    def take(self, lane: int, kind: str, reference: str) -> Told | None:
        """What was told of an input; None where nothing was."""
        waiting = self._waiting.get((lane, kind, reference))
        if not waiting:
            return None
        told = waiting.pop()
        self._taken.append((lane, kind, reference, told.event_seq))
        return told

    async def forget(self, connection: Connection) -> None:
        """Delete what was taken."""
        if self._taken:
            await connection.execute(SQL["forget_told"], *map(list, zip(*self._taken, strict=True)))


async def load(connection: Connection, incoming: Mapping[int, Incoming]) -> ToldBefore:
    """What was told of a poll's inputs before: one short question, unless there was a restore."""
    found = ToldBefore()
    lanes = {row["lane"] for row in await connection.fetch(SQL["told_lanes"], list(incoming))}
    wanted = [(lane, kind, reference) for lane in lanes for kind, reference in {*_references(incoming[lane])}]
    if wanted:
        columns = [list(column) for column in zip(*wanted, strict=True)]
        for row in await connection.fetch(SQL["told"], *columns):
            told = Told(row["event_seq"], row["credited_account"], row["reason_code"], row["reason"])
            found.add(row["lane"], row["kind"], row["reference"], told)
    return found


def _references(incoming: Incoming) -> Iterator[tuple[str, str]]:
    for unusable in incoming.unusable:
        yield REFUSED, place(unusable.record)
    for asked in incoming.asked:
        yield REFUSED, place(asked.record)
        if isinstance(asked.request, AccountOpenRequested):
            yield OPENED, opening(asked.request)
        elif isinstance(asked.request, AccountFundRequested):
            yield FUNDED, funding(asked.request)
    for asked, to_lane in incoming.forwarded:
        yield FORWARDED, forwarding(to_lane, asked.request.encode())
    for _, notice in incoming.notices:
        yield REFUNDED, notice.payment_id.hex()


def place(record: Record) -> str:
    """A record on its topic."""
    return f"{record.topic}/{record.partition}/{record.offset}"


def opening(named: AccountOpenRequested | AccountOpened) -> str:
    """An opening, as far as its event names it: neither its client nor its key."""
    return json.dumps([named.account, named.currency, named.name])


def funding(named: AccountFundRequested | AccountFunded) -> str:
    """A funding, as far as its event names it: not its client."""
    return json.dumps([
        named.account, named.idempotency_key, named.source, named.amount_minor, named.currency,
    ])  # fmt: skip


def forwarding(to_lane: int, body: bytes) -> str:
    """A request that was sent on, as its event has it."""
    return f"{to_lane} {digest_of(body).hex()}"
