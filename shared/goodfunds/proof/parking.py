"""What parked events say of money: handled by being set aside, so neither missing nor in the books yet."""

from collections import Counter
from typing import Any

from goodfunds.errors import Unreadable
from goodfunds.events.topics import PAYMENTS, SETTLEMENT_NOTIFICATIONS
from goodfunds.events.types import (
    PaymentAccepted,
    PaymentRejectedByBank,
    PaymentReturned,
    PaymentSettled,
    decode,
)
from goodfunds.proof.evidence import NostroCurrency
from goodfunds.proof.snapshot import Snapshot
from goodfunds.proof.tally import Tally


async def park_received(snapshot: Snapshot, received: Tally) -> Tally:
    """Settlement's, with the payments that ingestion accepted and whose events are parked."""
    for lane, event in await _events(snapshot, PAYMENTS):
        if isinstance(event, PaymentAccepted):
            instruction = event.instruction
            received.park(lane, (event.payment_id, instruction.currency, instruction.amount_minor))
    return received


async def park_refunded(snapshot: Snapshot, refunded: Tally) -> Tally:
    """Ingestion's, with the payments that settlement gave back, in full, and whose events are parked."""
    for lane, event in await _events(snapshot, SETTLEMENT_NOTIFICATIONS):
        if isinstance(event, PaymentRejectedByBank | PaymentReturned):
            refunded.park(lane, (event.payment_id, event.currency, event.amount_minor))
    return refunded


async def park_known(snapshot: Snapshot, known: Tally) -> tuple[dict[NostroCurrency, int], Tally]:
    """Reconciliation's, with what settlement moved, in the bank's sign, and whose events are parked.

    First what these come to by nostro and currency.
    """
    nostros: Counter[NostroCurrency] = Counter()
    for lane, event in await _events(snapshot, SETTLEMENT_NOTIFICATIONS):
        if isinstance(event, PaymentSettled):
            minor = -event.amount_minor
        elif isinstance(event, PaymentReturned):
            minor = event.amount_minor - event.charges_minor
        else:
            continue
        known.park(lane, (event.payment_id, event.currency, minor))
        nostros[event.nostro, event.currency] += minor
    return dict(nostros), known


async def _events(snapshot: Snapshot, topic: str) -> list[tuple[int, Any]]:
    found = []
    for row in await snapshot.fetch("parked_events", topic):
        try:
            found.append((row["lane"], decode(row["value"] or b"")))
        except Unreadable:
            continue
    return found
