"""What a rail is to the services: a name and the functions and values of its scheme."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal, Protocol

from goodfunds.rails.reasons import Refusal

Finality = Literal["confirmed", "booked", "presumed"]
"""What counts as done: the bank says so, it is on the statement, or nobody objected by a date."""


class Instruction(Protocol):
    """The fields of a payment instruction that rails judge; an empty string is an absent one."""

    @property
    def amount_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...
    @property
    def end_to_end_id(self) -> str: ...
    @property
    def debtor_name(self) -> str: ...
    @property
    def creditor_account(self) -> str: ...
    @property
    def creditor_name(self) -> str: ...
    @property
    def creditor_agent(self) -> str: ...
    @property
    def charge_bearer(self) -> str: ...
    @property
    def remittance_unstructured(self) -> str: ...
    @property
    def remittance_reference(self) -> str: ...
    @property
    def creditor_street(self) -> str: ...
    @property
    def creditor_building(self) -> str: ...
    @property
    def creditor_postcode(self) -> str: ...
    @property
    def creditor_town(self) -> str: ...
    @property
    def creditor_country(self) -> str: ...
    @property
    def creditor_address_lines(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Rail:
    """A scheme that moves money between banks.

    `refusals(instruction)`: why the scheme does not take it, or None. `day_of(now)`: the rail's own day.
    `effective_date(requested, today)`: the business day it can be executed on. `cut_off(day)`: the instant,
    UTC, that seals the day's batch.
    `batch_date(requested, now)`: the day and cut-off of the batch that a payment joins at `now`.
    `transliterate(text, limit)`: text in the scheme's characters. `unknown_after`: how long after sending
    a bank's "not found" counts. `duplicate_codes`: rejections that say the first copy stands.
    """

    name: str
    currencies: frozenset[str]
    finality: Finality
    is_business_day: Callable[[date], bool]
    refusals: Callable[[Instruction], Refusal | None]
    day_of: Callable[[datetime], date]
    effective_date: Callable[[date, date], date]
    cut_off: Callable[[date], datetime]
    batch_date: Callable[[date, datetime], tuple[date, datetime]]
    transliterate: Callable[[str, int], str]
    unknown_after: timedelta
    duplicate_codes: frozenset[str]
