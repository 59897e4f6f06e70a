"""From the fields of statement messages to balances, totals and lines; `findings` is told what is wrong."""

import re
from datetime import date
from typing import Final

from goodfunds.files import mt_grammar as grammar
from goodfunds.files.findings import Findings
from goodfunds.files.mt_records import Balance, EntriesTotal, StatementLine
from goodfunds.files.mt_statement_fields import Field
from goodfunds.files.short_dates import short_date
from goodfunds.files.withdrawn_currencies import places_of
from goodfunds.money import InvalidAmount, UnknownCurrency
from goodfunds.rails.reasons import (
    CONTENT_INCORRECT,
    INVALID_AMOUNT,
    INVALID_DATE,
    INVALID_TRANSACTION_CURRENCY,
)

_ACCOUNT_CURRENCY: Final = re.compile(r"[^\n]*[0-9 ]([A-Z]{3})", re.ASCII)
_BOOKED_BALANCES: Final = ("60", "62")


def balance(field: Field, booked: Balance | None, findings: Findings) -> Balance | None:
    """60a, 62a, 64 or 65. One that cannot be read is refused where it is booked, else left out.

    It has one line; what goes on in a second cannot be read. The account has one currency: a balance without
    one has that of the `booked` balance above.
    """
    tell = findings.refuse if field.tag[:2] in _BOOKED_BALANCES else findings.wrong
    parts = grammar.split_balance(field.value)
    if parts is None:
        told = f"{field.value[:40]!r} is no balance: mark, date, currency, amount"
        tell(CONTENT_INCORRECT, field.line, field.tag, told)
        return None
    mark, day, currency, text = parts
    if not currency and booked is not None:
        currency = booked.currency
        told = f"the balance has no currency: taken for {currency}"
        findings.wrong(INVALID_TRANSACTION_CURRENCY, field.line, field.tag, told)
    amount, why, code = _amount(text, currency)
    if amount is None:
        tell(code, field.line, field.tag, why)
        return None
    if why:
        findings.wrong(code, field.line, field.tag, why)
    on = short_date(day)
    if on is None:
        findings.warn(INVALID_DATE, field.line, field.tag, f"{day} is no date: left out")
    return Balance(field.tag, -amount if mark == "D" else amount, currency, on, line=field.line)


def entries_total(field: Field, findings: Findings) -> EntriesTotal | None:
    """90C or 90D; None, and told, where it cannot be read."""
    parts = grammar.split_entries_total(field.value)
    amount, why, code = _amount(parts[2], parts[1]) if parts else (None, "", CONTENT_INCORRECT)
    if parts is None or amount is None:
        told = why or f"{field.value[:40]!r} is no number, currency and amount"
        findings.wrong(code, field.line, field.tag, told)
        return None
    if why:
        findings.wrong(code, field.line, field.tag, why)
    return EntriesTotal(field.tag, parts[0], amount, parts[1], line=field.line)


def floor_currency(field: Field, findings: Findings) -> str:
    """The currency of 34F; empty, and told, where there is none that is known."""
    parts = grammar.split_floor_limit(field.value)
    if parts is None:
        findings.wrong(CONTENT_INCORRECT, field.line, field.tag, f"{field.value[:40]!r} is no floor limit")
        return ""
    amount, why, code = _amount(parts[2], parts[0])
    if why:
        findings.wrong(code, field.line, field.tag, why)
    return "" if amount is None and code == INVALID_TRANSACTION_CURRENCY else parts[0]


def currency_of(balance: Balance | None, floor_currency: str, account: str) -> str:
    """Of a booked balance, else the floor limit, else what the account ends with; may be empty."""
    if balance is not None:
        return balance.currency
    if floor_currency:
        return floor_currency
    found = _ACCOUNT_CURRENCY.fullmatch(account.strip())
    try:
        places_of(found[1] if found else "")
    except UnknownCurrency:
        return ""
    return found[1] if found else ""


def statement_line(
    field: Field, number: int, currency: str, around: date | None, findings: Findings
) -> StatementLine | None:
    """61, refused where its direction or amount cannot be read.

    `around`: a date near which an entry date without a value date is.
    """
    raw = grammar.split_line(field.value)
    if raw is None:
        told = f"{field.value[:40]!r} is no statement line: value date, mark, amount"
        findings.refuse(CONTENT_INCORRECT, field.line, "61", told)
        return None
    if not raw.amount_has_ended:
        told = f"nothing shows that {raw.amount[:40]!r} is the whole amount"
        findings.refuse(INVALID_AMOUNT, field.line, "61", told)
        return None
    amount, why, code = _amount(raw.amount, currency, ended=bool(raw.transaction_type))
    if amount is None:
        findings.refuse(code, field.line, "61", why)
        return None
    if why:
        findings.wrong(code, field.line, "61", why)
    if not raw.mark.isupper():
        findings.warn(CONTENT_INCORRECT, field.line, "61", f"the mark {raw.mark} is not in capitals")
    value_date = short_date(raw.value_date)
    if value_date is None:
        told = f"the value date {raw.value_date} is no date: left out"
        findings.warn(INVALID_DATE, field.line, "61", told)
    entry_date = grammar.read_entry_date(raw.entry_date, value_date or around)
    if entry_date is None and raw.entry_date:
        told = f"the entry date {raw.entry_date} is no date: left out"
        findings.warn(INVALID_DATE, field.line, "61", told)
    return StatementLine(
        number=number,
        mark=raw.mark.upper(),
        amount_minor=amount,
        currency=currency,
        value_date=value_date,
        entry_date=entry_date,
        funds_code=raw.funds_code,
        transaction_type=raw.transaction_type,
        account_owner_reference=raw.account_owner_reference,
        account_servicer_reference=raw.account_servicer_reference,
        supplementary_details=raw.supplementary_details,
        line=field.line,
    )


def _amount(text: str, currency: str, *, ended: bool = False) -> tuple[int | None, str, str]:
    """Minor units (None where they cannot be read), what is wrong with them, and its reason code."""
    try:
        amount, keeps = grammar.read_amount(text, currency, ended=ended)
    except InvalidAmount as fault:
        return None, str(fault), INVALID_AMOUNT
    except UnknownCurrency as fault:
        return None, str(fault), INVALID_TRANSACTION_CURRENCY
    why = "" if keeps else f"{text[:40]!r} does not keep to the form of amounts in {currency}"
    return amount, why, INVALID_AMOUNT
