"""Which lines a statement's entry is, of which lanes: one a transaction, or one sum. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from goodfunds.files.reports import Entry, EntryTransaction
from goodfunds.ids import NO_ID, read_reference
from services.reconciliation.strays import NO_END_TO_END_ID


@dataclass(frozen=True, slots=True)
class Lanes:
    """Where lines go: the lane of their reference, else that of the statement's account."""

    partitions: int
    account_lane: int

    def payment(self, instruction_id: str) -> tuple[int, bytes] | None:
        """(lane, payment id) of an InstrId of ours, (lane, batch id) of a PmtInfId of ours."""
        found = read_reference(instruction_id)
        return found if found is not None and found[0] < self.partitions else None


Part = tuple[int, bytes, bytes, int, int, EntryTransaction]


def parts(entry: Entry, lanes: Lanes) -> Iterator[Part]:
    """(lane, payment id, batch id, signed amount, transactions, details) of each line that an entry is."""
    details = entry.transactions
    if len(details) == 1:
        yield _single(details[0], entry.signed_minor, lanes)
    elif details and _sum(entry) == entry.signed_minor:
        for each in details:
            yield _single(each, _signed(entry, each) or 0, lanes)
    else:
        # One sum: no details, or details whose amounts do not make it.
        names = {each.payment_information_id for each in entry.batches}
        names |= {each.payment_information_id for each in details}
        found = lanes.payment(names.pop()) if len(names) == 1 else None
        counts = [each.number_of_transactions for each in entry.batches if each.number_of_transactions]
        count = sum(counts) or len(details) or 1
        lane, batch_id = found or (lanes.account_lane, NO_ID)
        yield lane, NO_ID, batch_id, entry.signed_minor, count, EntryTransaction()


def _single(detail: EntryTransaction, amount: int, lanes: Lanes) -> Part:
    found = lanes.payment(detail.instruction_id)
    if found is not None:
        return found[0], found[1], NO_ID, amount, 1, detail
    batch = lanes.payment(detail.payment_information_id)
    if batch is not None and detail.end_to_end_id in NO_END_TO_END_ID:
        return batch[0], NO_ID, batch[1], amount, 1, detail
    return lanes.account_lane, NO_ID, NO_ID, amount, 1, detail


def _sum(entry: Entry) -> int | None:
    """What the details come to; None where one has no amount."""
    total = 0
    for each in entry.transactions:
        amount = _signed(entry, each)
        if amount is None:
            return None
        total += amount
    return total


def _signed(entry: Entry, detail: EntryTransaction) -> int | None:
    if detail.amount_minor is None or detail.currency not in ("", entry.currency):
        return None
    return (
        detail.amount_minor if (detail.credit_debit or entry.credit_debit) == "CRDT" else -detail.amount_minor
    )
