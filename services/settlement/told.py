"""After a restore: what a lane told before it on settlement-notifications stands, and is not told twice."""

import json
from collections.abc import Collection, Sequence

from goodfunds.events import types
from goodfunds.lanes.records import Connection
from services.settlement.store import SQL

Telling = (
    types.PaymentSubmitted
    | types.PaymentDelayed
    | types.PaymentSettled
    | types.PaymentRejectedByBank
    | types.PaymentReturned
    | types.SettlementContradicted
)
"""The events of settlement-notifications."""


class ToldBefore:
    """Events of the payments of a poll that were told already, by their seq; each is taken once."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str, bytes, str], list[int]] = {}
        self._taken: list[tuple[int, int]] = []

    def add(self, lane: int, seq: int, kind: str, payment_id: bytes, reference: str) -> None:
        """Have an event wait for its input; of several alike the last added is taken first."""
        self._waiting.setdefault((lane, kind, payment_id, reference), []).append(seq)

    def take(self, lane: int, event: Telling) -> int | None:
        """The seq under which the event stands already; None where it was not told."""
        if not self._waiting:
            return None
        waiting = self._waiting.get((lane, type(event).__name__, event.payment_id, reference(event)))
        if not waiting:
            return None
        seq = waiting.pop()
        self._taken.append((lane, seq))
        return seq

    async def load(
        self, connection: Connection, lanes: Sequence[int], payment_ids: Collection[bytes]
    ) -> None:
        """Read what was told of these payments."""
        for row in await connection.fetch(SQL["told"], list(payment_ids), lanes):
            self.add(*row)

    async def forget(self, connection: Connection) -> None:
        """Delete what was taken."""
        if self._taken:
            lanes, seqs = zip(*self._taken, strict=True)
            await connection.execute(SQL["forget_told"], lanes, seqs)


def reference(event: Telling) -> str:
    """What tells events of one kind and payment apart; times are not of it."""
    if isinstance(event, (types.PaymentSubmitted, types.PaymentDelayed)):
        return event.batch_id.hex()
    if isinstance(event, types.SettlementContradicted):
        return json.dumps([
            event.kind, event.nostro, event.currency, event.amount_minor, event.bank_reference,
            event.end_to_end_id, event.reason_code,
        ])  # fmt: skip
    return ""
