"""The shapes of SWIFT messages: customer statements (MT940, 941, 942, 950) and FIN messages at large.

SWIFT Standards MT, category 9 and general information. Amounts are integers in minor units, signed where
said so; an empty string is an absent subfield, None an absent date or amount. `line` is 1-based and takes no
part in comparison.
"""

from dataclasses import dataclass, field
from datetime import date

from goodfunds.files.records import FileError


@dataclass(frozen=True, slots=True)
class Balance:
    """Fields 60a, 62a, 64, 65. `tag` such as `60F`; `amount_minor` signed, credit positive."""

    tag: str
    amount_minor: int
    currency: str
    on: date | None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class EntriesTotal:
    """Fields 90D and 90C: how many debits or credits, and what they add up to (positive)."""

    tag: str
    number: int
    amount_minor: int
    currency: str
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Statement:
    """One message up to its first entry. `kind` mt940, mt941, mt942 or mt950; `number` counts from 1.

    `currency`: of the opening balance, else the floor limit, else what the account ends with; may be empty.
    `created_at` is field 13D as it stands. One statement of several pages is several messages.
    """

    number: int
    kind: str
    transaction_reference: str
    account: str
    currency: str
    related_reference: str = ""
    account_owner: str = ""
    statement_number: str = ""
    sequence_number: str = ""
    created_at: str = ""
    opening: Balance | None = None
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Details:
    """What field 86 says in a structure, where it has one that is known; the text itself stays beside it.

    Germany's codes (`?20`, EREF+, as the banks of DK write them), and code words between slashes (/EREF/).
    """

    business_transaction_code: str = ""
    end_to_end_id: str = ""
    mandate_id: str = ""
    creditor_id: str = ""
    remittance: str = ""
    counterparty_name: str = ""
    counterparty_account: str = ""
    return_reason: str = ""


@dataclass(frozen=True, slots=True)
class StatementLine:
    """Field 61 with its 86, the number counting from 1 in its message.

    `mark`: C, D, RC (a reversed credit, which debits), RD (which credits), EC, ED (expected, not booked).
    `entry_date` has the year that is nearest to the value date. `information` is 86 as it stands, its lines
    kept; several are joined.
    """

    number: int
    mark: str
    amount_minor: int
    currency: str
    value_date: date | None
    entry_date: date | None = None
    funds_code: str = ""
    transaction_type: str = ""
    account_owner_reference: str = ""
    account_servicer_reference: str = ""
    supplementary_details: str = ""
    information: str = ""
    details: Details = Details()
    line: int = field(default=0, compare=False)

    @property
    def booked(self) -> bool:
        """Whether the account has moved: an expected entry has not moved it."""
        return not self.mark.startswith("E")

    @property
    def signed_minor(self) -> int:
        """The amount as it moves the account: credit positive, debit negative."""
        return self.amount_minor if self.mark in ("C", "RD", "EC") else -self.amount_minor


@dataclass(frozen=True, slots=True)
class StatementEnd:
    """After a message's entries. `booked_minor`: signed sum of the booked ones.

    `information` is the 86 that belongs to the whole. `warnings`: where the bank left the standard without
    harm to money or identity.
    """

    statement: Statement
    entries: int
    booked_minor: int
    closing: Balance | None = None
    available: Balance | None = None
    forward_available: tuple[Balance, ...] = ()
    totals: tuple[EntriesTotal, ...] = ()
    information: str = ""
    warnings: tuple[FileError, ...] = ()


@dataclass(frozen=True, slots=True)
class FinMessage:
    """A FIN message of any type, recognised: its blocks, and its fields as they stand.

    `kind` such as mt103; `sender` and `receiver` are logical terminals or their BIC, where the header has
    them. `amounts`: (tag, amount in minor units, currency) of each field 32A, 32B, 32C, 32D; of MT102, 104
    and 107 those of the transactions, not what settles them.
    """

    kind: str
    sender: str
    receiver: str
    reference: str
    uetr: str
    fields: tuple[tuple[str, str], ...]
    amounts: tuple[tuple[str, int, str], ...] = ()
    line: int = field(default=0, compare=False)
