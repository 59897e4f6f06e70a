"""What the controls of a NACHA batch and file must agree with: counts, entry hash, debits and credits.

Nacha Operating Rules, Appendix Three, Company/Batch Control Record and File Control Record.
"""

from dataclasses import dataclass
from typing import Final

from goodfunds.files.nacha_codes import CREDIT, is_digits
from goodfunds.files.nacha_fields import AchFindings
from goodfunds.files.nacha_lines import BLOCK
from goodfunds.files.nacha_records import (
    BatchControl,
    BatchHead,
    BatchHeader,
    FileControl,
)
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_CONTROL_SUM,
    INVALID_NUMBER_OF_TRANSACTIONS,
)

HASH_DIGITS: Final = 10


@dataclass(slots=True)
class Totals:
    """Sums over entries. `hash_sum`: of the first eight digits of routing numbers, not yet cut to ten."""

    entries: int = 0
    addenda: int = 0
    debit_minor: int = 0
    credit_minor: int = 0
    hash_sum: int = 0

    def add_entry(self, receiving_dfi: str, direction: str, amount_minor: int) -> None:
        """One entry; a direction that is unknown counts no money."""
        self.entries += 1
        if is_digits(receiving_dfi[:8]):
            self.hash_sum += int(receiving_dfi[:8])
        if direction == CREDIT:
            self.credit_minor += amount_minor
        elif direction:
            self.debit_minor += amount_minor

    def add(self, other: "Totals") -> None:
        """A batch to its file."""
        self.entries += other.entries
        self.addenda += other.addenda
        self.debit_minor += other.debit_minor
        self.credit_minor += other.credit_minor
        self.hash_sum += other.hash_sum

    @property
    def count(self) -> int:
        """Entry/Addenda Count."""
        return self.entries + self.addenda

    @property
    def entry_hash(self) -> int:
        """The rightmost ten digits of the sum."""
        return self.hash_sum % 10**HASH_DIGITS


def check_batch_control(
    control: BatchControl, header: BatchHead, totals: Totals, findings: AchFindings
) -> None:
    """A batch control against its header and entries. IAT's and ADV's names no company."""
    pairs = [
        ("ServiceClassCode", control.service_class_code, header.service_class_code),
        ("OriginatingDFIIdentification", control.originating_dfi, header.originating_dfi),
        ("BatchNumber", str(control.batch_number), str(header.batch_number)),
    ]
    if isinstance(header, BatchHeader) and header.standard_entry_class != "ADV":
        company = ("CompanyIdentification", control.company_identification, header.company_identification)
        pairs.append(company)
    for name, stated, above in pairs:
        if stated != above:
            why = f"{stated!r} in the batch control, {above!r} in the header"
            findings.error(CONTENT_INCORRECT, f"BatchControl/{name}", why)
    _check_totals(control, totals, "BatchControl", findings)


def check_file_control(
    control: FileControl, totals: Totals, batches: int, records: int, findings: AchFindings
) -> None:
    """The file control against all batches. `records`: up to and with the control, without filler."""
    _check(control.batch_count, batches, "FileControl/BatchCount", findings)
    _check(control.block_count, -(-records // BLOCK), "FileControl/BlockCount", findings)
    _check_totals(control, totals, "FileControl", findings)


def _check_totals(
    control: BatchControl | FileControl, totals: Totals, where: str, findings: AchFindings
) -> None:
    _check(control.entry_addenda_count, totals.count, f"{where}/EntryAddendaCount", findings)
    sums = (
        ("EntryHash", control.entry_hash, totals.entry_hash),
        ("TotalDebitEntryDollarAmount", control.debit_minor, totals.debit_minor),
        ("TotalCreditEntryDollarAmount", control.credit_minor, totals.credit_minor),
    )
    for name, stated, found in sums:
        if stated != found:
            findings.error(INVALID_CONTROL_SUM, f"{where}/{name}", f"{stated} stated, {found} found")


def _check(stated: int, found: int, name: str, findings: AchFindings) -> None:
    if stated != found:
        findings.error(INVALID_NUMBER_OF_TRANSACTIONS, name, f"{stated} stated, {found} found")
