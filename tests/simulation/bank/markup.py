"""Elements of the bank's messages, written by hand."""

from datetime import datetime
from xml.sax.saxutils import escape

from tests.simulation.bank.orders import major

ISO = "urn:iso:std:iso:20022:tech:xsd:"


def tag(name: str, *content: str) -> str:
    """`<name>…</name>` around markup, nothing around nothing."""
    inner = "".join(content)
    return f"<{name}>{inner}</{name}>" if inner else ""


def text(name: str, value: str, longest: int = 140) -> str:
    """An element with text, cut at what its type takes; nothing for none."""
    return tag(name, escape(value[:longest]))


def money(name: str, amount_minor: int, currency: str) -> str:
    """An amount with its currency, without a sign."""
    return f'<{name} Ccy="{currency}">{major(abs(amount_minor), currency)}</{name}>'


def direction(signed_minor: int) -> str:
    """CdtDbtInd of a signed amount."""
    return text("CdtDbtInd", "DBIT" if signed_minor < 0 else "CRDT")


def account(name: str, identification: str, *more: str) -> str:
    """An account by IBAN, or by another identification."""
    iban = identification[:2].isalpha() and identification[2:4].isdigit()
    known = text("IBAN", identification) if iban else tag("Othr", text("Id", identification, 34))
    return tag(name, tag("Id", known), *more) if identification else ""


def moment(at: datetime) -> str:
    """ISODateTime, in UTC."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def document(message: str, content: str) -> bytes:
    """A whole message of a type such as `camt.053.001.08`."""
    declaration = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f'{declaration}<Document xmlns="{ISO}{message}">{content}</Document>'.encode()
