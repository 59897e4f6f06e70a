"""Which fields a SWIFT message must have, by its type.

SWIFT Standards MT, categories 1, 2 and 9, format specifications. Statements have 20, 25 and 28C; MT940 and
MT950 an opening and a closing balance, MT941 a closing one, MT942 a floor limit.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from goodfunds.files.findings import Findings
from goodfunds.files.mt_records import Statement
from goodfunds.rails.reasons import CONTENT_INCORRECT, INCORRECT_ACCOUNT_NUMBER, MANDATORY_ELEMENT_MISSING

_ONCE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "mt103": ("23B", "32A", "50", "59", "71A"),
        **dict.fromkeys(("mt200", "mt202", "mt205", "mt900", "mt910"), ("32A",)),
    }
)
"""Type → what its one amount and its parties are in; a field without a letter may have any, or none."""


def check_beginning(
    statement: Statement, given: Mapping[str, str], floor_currency: str, findings: Findings
) -> None:
    """What stands before the entries; `given` by the digits of the fields' tags."""
    line = statement.line
    if not statement.account:
        findings.refuse(INCORRECT_ACCOUNT_NUMBER, line, "25", "the account must be there")
    if not statement.transaction_reference:
        findings.wrong(MANDATORY_ELEMENT_MISSING, line, "20", "the reference must be there")
    if "28" not in given:
        findings.wrong(MANDATORY_ELEMENT_MISSING, line, "28C", "the statement number must be there")
    if statement.kind == "mt942":
        if not floor_currency:
            findings.wrong(MANDATORY_ELEMENT_MISSING, line, "34F", "the floor limit must be there")
    elif statement.kind != "mt941" and "60" not in given:
        findings.refuse(MANDATORY_ELEMENT_MISSING, line, "60F", "the opening balance must be there")


def check_end(statement: Statement, given: Mapping[str, str], findings: Findings) -> None:
    """What stands behind them."""
    if statement.kind != "mt942" and "62" not in given:
        told = "the closing balance, without which the message may be cut, must be there"
        findings.refuse(MANDATORY_ELEMENT_MISSING, statement.line, "62F", told)


def check_once(kind: str, tags: Sequence[str], line: int, findings: Findings) -> None:
    """Refuse a message of this type that has not each of them once. `tags` of all its fields."""
    for wanted in _ONCE.get(kind, ()):
        count = sum(wanted in (tag, tag[:2]) for tag in tags)
        if not count:
            findings.refuse(MANDATORY_ELEMENT_MISSING, line, wanted, f"field {wanted} must be there")
        elif count > 1:
            told = f"field {wanted} stands there {count} times, once it must"
            findings.refuse(CONTENT_INCORRECT, line, wanted, told)
