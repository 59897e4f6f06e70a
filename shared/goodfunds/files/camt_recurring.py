"""Entries that recur in a camt.053 or camt.054: what their patterns read, made into records."""

from collections.abc import Sequence

from goodfunds.files import camt_mapping as mapping
from goodfunds.files.leaves import TextLeaves
from goodfunds.files.outline import Kind
from goodfunds.files.reports import Entry, EntryBatch, EntryTransaction

# Charges are told apart by what stands beside them: the parser's.
DETAIL = Kind("TxDtls", left_to_parser=frozenset({"Chrgs"}))
ENTRY = Kind(
    "Ntry",
    (("NtryDtls", "Ntry"), ("Btch", "NtryDtls"), ("TxDtls", "NtryDtls")),
    left_to_parser=frozenset({"Chrgs"}),
)


def entry_again(found: Sequence[TextLeaves], number: int, default_status: str) -> Entry:
    """Ntry from its leaves and those of its parts. Raises Unsound."""
    batches: list[EntryBatch] = []
    transactions: list[EntryTransaction] = []
    batch = EntryBatch()
    for each in found[1:]:
        if each.name == "TxDtls":
            transactions.append(mapping.entry_transaction(each, batch))
        elif each.name == "Btch":
            batch = mapping.entry_batch(each)
            batches.append(batch)
        else:
            batch = EntryBatch()
    return mapping.entry(found[0], number, default_status, batches, tuple(transactions))
