"""After a restore: what a lane told before it on settlement-notifications stands, and is not told twice."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from goodfunds.events import types
from goodfunds.ids import NO_ID
from goodfunds.lanes.records import Connection
from services.settlement.model import UNEXPLAINED
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

    def entry_in_suspense(self, lane: int, entry: types.BankEntryReported) -> str:
        """As what a lane told a booking that names nothing, until it is decided again; "" if it did not."""
        signed_minor = -entry.amount_minor if entry.credit_debit == "DBIT" else entry.amount_minor
        return self._in_suspense(
            lane, entry.nostro, entry.currency, signed_minor, entry.bank_reference, entry.end_to_end_id,
            entry.reason_code,
        )  # fmt: skip

    def status_in_suspense(
        self, lane: int, status: types.PaymentStatusReported, nostro: str, currency: str
    ) -> str:
        """The same of a rejection that names nothing."""
        return self._in_suspense(lane, nostro, currency, 0, "", status.end_to_end_id, status.reason_code)

    def _in_suspense(self, lane: int, *about: Any) -> str:
        for kind in UNEXPLAINED if self._waiting else ():
            if self._waiting.get((lane, "SettlementContradicted", NO_ID, _contradiction(kind, *about))):
                return kind
        return ""

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
        return _contradiction(
            event.kind, event.nostro, event.currency, event.amount_minor, event.bank_reference,
            event.end_to_end_id, event.reason_code,
        )  # fmt: skip
    return ""


def _contradiction(
    kind: str,
    nostro: str,
    currency: str,
    amount_minor: int,
    bank_reference: str,
    end_to_end_id: str,
    reason_code: str,
) -> str:
    return json.dumps([
        kind, nostro, currency, amount_minor, bank_reference, end_to_end_id, reason_code
    ])  # fmt: skip
