"""Writing XML by hand: elements from text, escaped, checked against the length the schema allows."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache

from goodfunds.files.records import Address
from goodfunds.files.totals import Total
from goodfunds.money import MAX_DIGITS, MAX_MINOR, format_amount

_SPECIAL = re.compile("[&<>\r\n\t]")
_UNUSUAL = re.compile("[&<>\x00-\x1f\ud800-\udfff\ufffe\uffff]")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
_IBAN = re.compile("[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}")
_BIC = re.compile("[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?")


class Unwritable(ValueError):
    """A record that its message cannot carry: whoever made it let text through that it had to refuse."""


def element(name: str, text: str, limit: int = 0) -> str:
    """`<name>text</name>`, nothing for empty text. Raises Unwritable beyond `limit` characters (0: any)."""
    if not text:
        return ""
    if limit and len(text) > limit:
        raise Unwritable(f"{name} takes {limit} characters, not {len(text)}")
    # Without the call where there is nothing to escape: a payment has three dozen elements.
    return f"<{name}>{text if _UNUSUAL.search(text) is None else escape(text)}</{name}>"


def nest(path: str, content: str) -> str:
    """`<a><b>content</b></a>` for the path `a/b`; nothing around nothing."""
    if not content:
        return ""
    opening, closing = _tags(path)
    return f"{opening}{content}{closing}"


@cache
def _tags(path: str) -> tuple[str, str]:
    """The tags of a path, of which our messages have some dozens."""
    names = path.split("/")
    return "".join(f"<{name}>" for name in names), "".join(f"</{name}>" for name in reversed(names))


def escape(text: str) -> str:
    """Text as element content. Raises Unwritable for what XML 1.0 cannot hold."""
    if _UNUSUAL.search(text) is None:
        return text
    if _FORBIDDEN.search(text):
        raise Unwritable(f"{text[:40]!r} holds a character that XML cannot")
    return _SPECIAL.sub(lambda found: _REFERENCES[found[0]], text)


def amount(name: str, minor: int, currency: str) -> str:
    """An amount element with its Ccy attribute."""
    if minor < 0:
        raise Unwritable(f"{name} takes no negative amount")
    if minor > MAX_MINOR:
        raise Unwritable(f"{name} takes {MAX_DIGITS} digits")
    return f'<{name} Ccy="{currency}">{format_amount(minor, currency)}</{name}>'


def control_sum(amounts: Iterable[tuple[int, str]]) -> str:
    """CtrlSum of (minor, currency)."""
    total = Total()
    for minor, currency in amounts:
        total.add(minor, currency)
    return decimal_number("CtrlSum", total.amount)


def decimal_number(name: str, number: Decimal) -> str:
    """The text of a DecimalNumber, which an element `name` takes. Raises Unwritable beyond 18 digits."""
    if len(number.as_tuple().digits) > MAX_DIGITS:
        raise Unwritable(f"{name} takes {MAX_DIGITS} digits")
    return format(number, "f")


def moment(at: datetime) -> str:
    """A point in time to the second, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(name: str, on: date | None) -> str:
    """`<name><Dt>…</Dt></name>` (DateAndDateTime2Choice), nothing for no date."""
    return f"<{name}><Dt>{on.isoformat()}</Dt></{name}>" if on else ""


def account(name: str, identification: str, currency: str = "") -> str:
    """A CashAccount: by IBAN where the text has that form, else by Othr/Id; nothing for an empty one."""
    if not identification:
        return ""
    if _IBAN.fullmatch(identification):
        inner = f"<IBAN>{identification}</IBAN>"
    else:
        inner = f"<Othr>{element('Id', identification, 34)}</Othr>"
    return f"<{name}><Id>{inner}</Id>{element('Ccy', currency)}</{name}>"


def agent(name: str, bic: str) -> str:
    """A financial institution by its BIC; nothing without one."""
    if bic and _BIC.fullmatch(bic) is None:
        raise Unwritable(f"{name} takes a BIC, not {bic[:40]!r}")
    return nest(f"{name}/FinInstnId/BICFI", bic)


def postal_address(address: Address) -> str:
    """PostalAddress24, its elements in the order of the schema; nothing for an empty one."""
    return nest(
        "PstlAdr",
        element("StrtNm", address.street, 70)
        + element("BldgNb", address.building, 16)
        + element("PstCd", address.postcode, 16)
        + element("TwnNm", address.town, 35)
        + element("Ctry", address.country, 2)
        + "".join(element("AdrLine", line, 70) for line in address.lines[:7]),
    )


def document(namespace: str, content: str) -> bytes:
    """The whole message as bytes of UTF-8."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{namespace}">{content}</Document>\n'
    ).encode()
