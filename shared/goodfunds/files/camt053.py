"""camt.053, bank to customer statement: reads a bank's account of a day, and writes one."""

from goodfunds.files.camt_writing import write_report
from goodfunds.files.records import AccountReport


def write(report: AccountReport) -> bytes:
    """A camt.053.001.08; every statement has balances. Raises Unwritable, UnknownCurrency."""
    return write_report(report, "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", "BkToCstmrStmt", "Stmt")
