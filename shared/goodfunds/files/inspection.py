"""What a file says at a glance: its format, whether it keeps to it, entries, sums and balances."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from goodfunds.files.records import FileError


@dataclass(frozen=True, slots=True)
class StatementFacts:
    """One statement of an account. `sum_minor` is signed, credit positive: of its booked entries, and of all

    that an intraday report (camt.052) or a notification (camt.054) lists.
    Balances are the booked ones, signed; None where the bank gave none. An unknown currency is "".
    """

    account: str
    currency: str
    entries: int
    sum_minor: int
    opening_minor: int | None = None
    closing_minor: int | None = None


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found. `format` such as `pain.001.001.09`, `mt940`, `bai2`, `nacha`, `csv`.

    `valid`: to the letter of its format, with its own counts, hashes and totals; None for a format that is
    recognised and not read, or a version of which nothing is known. `readable`: the facts below hold though
    it may not be valid; where not, they are what came before the fault. `entries`: transactions or lines, the
    details of a batch not counted twice. `sums`: minor units by currency; of payments the amounts, of
    statements the signed sum of booked entries, of intraday reports and notifications that of all entries, of
    NACHA credits less debits.
    """

    format: str
    valid: bool | None
    readable: bool
    entries: int
    sums: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    statements: tuple[StatementFacts, ...] = ()
    errors: tuple[FileError, ...] = ()
    warnings: tuple[FileError, ...] = ()
    details: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
