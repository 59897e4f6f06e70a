"""The shapes of a BAI2 file: groups, accounts with their summaries, transactions.

Cash Management Balance Reporting Specifications, version 2 (BAI, 10/2005; now ASC X9). Amounts are integers
in minor units of the account's currency, signed as the file has them; an empty string is an absent field.
`line` is 1-based and takes no part in comparison. Times are the file's own four digits (2400 and 9999 mean
the end of the day), in the zone of the sender or originator.
"""

from dataclasses import dataclass, field
from datetime import date

from goodfunds.files.records import FileError


@dataclass(frozen=True, slots=True)
class FileHeader:
    """01. `physical_record_length` and `block_size` are None where records are of variable length."""

    sender_identification: str
    receiver_identification: str
    file_creation_date: date | None
    file_creation_time: str
    file_identification_number: str
    physical_record_length: int | None = None
    block_size: int | None = None
    version_number: str = "2"
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class GroupHeader:
    """02. `group_status` 1 update, 2 deletion, 3 correction, 4 test only; where it is left out, an update.

    `as_of_date_modifier`: 1 interim and 2 final of the previous day, 3 interim and 4 final of the same day.
    `currency` is USD where the file has none.
    """

    ultimate_receiver_identification: str
    originator_identification: str
    group_status: str
    as_of_date: date | None
    as_of_time: str = ""
    currency: str = "USD"
    as_of_date_modifier: str = ""
    line: int = field(default=0, compare=False)

    @property
    def stands(self) -> bool:
        """Whether what the group tells has happened: not where it deletes an earlier group, or is a test."""
        return self.group_status not in ("2", "4")


@dataclass(frozen=True, slots=True)
class FundsType:
    """When money is available. `kind`: empty or Z unknown, 0 immediate, 1 one day, 2 two days or more,

    S distributed over those three, V on a value date, D distributed over days. `distribution`: days and
    amounts, the last of an S being two days or more.
    """

    kind: str = ""
    value_date: date | None = None
    value_time: str = ""
    distribution: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Summary:
    """A status or summary of a 03: type code such as 010 (opening ledger), 015 (closing ledger), 100."""

    type_code: str
    amount_minor: int | None
    item_count: int | None = None
    funds_type: FundsType = FundsType()


@dataclass(frozen=True, slots=True)
class AccountIdentifier:
    """03. `currency` is the account's, else its group's."""

    customer_account_number: str
    currency: str
    summaries: tuple[Summary, ...] = ()
    line: int = field(default=0, compare=False)

    def amount_minor(self, type_code: str) -> int | None:
        """The first amount of this type, None where there is none."""
        found = (each.amount_minor for each in self.summaries if each.type_code == type_code)
        return next((amount for amount in found if amount is not None), None)


@dataclass(frozen=True, slots=True)
class TransactionDetail:
    """16, its number counting from 1 in its account. `direction` CRDT, DBIT, or empty (890, no money).

    `text` keeps the line ends of its continuation records.
    """

    number: int
    type_code: str
    direction: str
    amount_minor: int
    funds_type: FundsType = FundsType()
    bank_reference_number: str = ""
    customer_reference_number: str = ""
    text: str = ""
    line: int = field(default=0, compare=False)

    @property
    def signed_minor(self) -> int:
        """The amount as it moves the account: credit positive, debit negative."""
        return -self.amount_minor if self.direction == "DBIT" else self.amount_minor


@dataclass(frozen=True, slots=True)
class AccountTrailer:
    """49, and what the account held. `booked_minor`: signed sum of its transactions.

    `warnings`: what is odd in the account, without harm to money.
    """

    account: AccountIdentifier
    control_total: int
    number_of_records: int
    transactions: int
    booked_minor: int
    warnings: tuple[FileError, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class GroupTrailer:
    """98."""

    control_total: int
    number_of_accounts: int
    number_of_records: int
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class FileTrailer:
    """99."""

    control_total: int
    number_of_groups: int
    number_of_records: int
    line: int = field(default=0, compare=False)
