"""camt.054, bank to customer debit credit notification: reads what a bank says it booked, and writes it."""

from goodfunds.files.camt_writing import write_report
from goodfunds.files.records import AccountReport


def write(report: AccountReport) -> bytes:
    """A camt.054.001.08; its notifications have no balances. Raises Unwritable, UnknownCurrency."""
    return write_report(
        report, "urn:iso:std:iso:20022:tech:xsd:camt.054.001.08", "BkToCstmrDbtCdtNtfctn", "Ntfctn"
    )
