"""BAI2, cash management balance reporting: reads a bank's accounts with their balances and transactions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import BinaryIO

from goodfunds.files.bai2_codes import CLOSING_LEDGER, OPENING_LEDGER
from goodfunds.files.bai2_reading import Reading, Record
from goodfunds.files.bai2_records import (
    AccountIdentifier,
    AccountTrailer,
    FileHeader,
    GroupHeader,
    TransactionDetail,
)
from goodfunds.files.findings import Findings
from goodfunds.files.inspection import Inspection, StatementFacts
from goodfunds.files.records import InvalidFile
from goodfunds.files.text_lines import pieces
from goodfunds.rails.reasons import CONTENT_INCORRECT

MOST_ACCOUNTS = 100_000
"""Accounts whose facts an inspection holds."""


def read(source: BinaryIO) -> Iterator[Record]:
    """FileHeader, and of each group its header, its accounts, their transactions, and all the trailers.

    Streams. Raises InvalidFile, perhaps late: amounts and types that cannot be read, control totals and
    counts that differ, a file that is cut. A caller that may not take half a file reads it to its end first.
    """
    return Reading(pieces(source), Findings()).records()


def inspect(source: BinaryIO) -> Inspection:
    """What a BAI2 file says: entries are its 16 records, balances the ledger's (010, 015).

    The accounts of a group that deletes an earlier one or is a test are in neither sums nor statements.
    """
    findings, seen = Findings(collect=True), _Seen()
    reading = Reading(pieces(source), findings)
    try:
        for record in reading.records():
            seen.take(record)
    except InvalidFile as fault:
        findings.stop(fault)
    seen.close_account()
    if seen.accounts > len(seen.statements):
        told = f"there are {seen.accounts} accounts: the facts of the first {len(seen.statements)} are told"
        findings.warn(CONTENT_INCORRECT, 0, "03", told)
    return Inspection(
        format="bai2",
        valid=not findings.errors,
        readable=not findings.refused,
        entries=reading.details_seen,
        sums=MappingProxyType(dict(seen.sums)),
        statements=tuple(seen.statements),
        errors=tuple(findings.errors),
        warnings=tuple(findings.warnings),
        details=seen.details(),
    )


@dataclass(slots=True)
class _Tally:
    account: AccountIdentifier
    entries: int = 0
    sum_minor: int = 0


class _Seen:
    """What an inspection has seen so far."""

    def __init__(self) -> None:
        self.sums: dict[str, int] = {}
        self.statements: list[StatementFacts] = []
        self.accounts = 0
        self._stands = True
        self._tally: _Tally | None = None
        self._groups = 0
        self._header: FileHeader | None = None

    def take(self, record: Record) -> None:
        """One record more."""
        match record:
            case FileHeader():
                self._header = record
            case GroupHeader():
                self.close_account()
                self._groups += 1
                self._stands = record.stands
            case AccountIdentifier():
                self.close_account()
                self._tally = _Tally(record)
            case TransactionDetail():
                if self._tally is not None:
                    self._tally.entries += 1
                    self._tally.sum_minor += record.signed_minor
            case AccountTrailer():
                self.close_account()
            case _:
                pass

    def close_account(self) -> None:
        """The account that is open, if one is, has all its transactions."""
        tally, self._tally = self._tally, None
        if tally is None or not self._stands:
            return
        self.accounts += 1
        account = tally.account
        self.sums[account.currency] = self.sums.get(account.currency, 0) + tally.sum_minor
        if len(self.statements) < MOST_ACCOUNTS:
            self.statements.append(
                StatementFacts(
                    account=account.customer_account_number,
                    currency=account.currency,
                    entries=tally.entries,
                    sum_minor=tally.sum_minor,
                    opening_minor=account.amount_minor(OPENING_LEDGER),
                    closing_minor=account.amount_minor(CLOSING_LEDGER),
                )
            )

    def details(self) -> Mapping[str, str]:
        """Who sent the file, and how many groups it has."""
        told = {"groups": str(self._groups)}
        if self._header is not None:
            told["sender"] = self._header.sender_identification
            told["receiver"] = self._header.receiver_identification
            told["file_identification"] = self._header.file_identification_number
        return MappingProxyType(told)
