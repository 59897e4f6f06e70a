"""Masking: no account number, name or address of a person leaves the process in a log line."""

import re
from collections.abc import Mapping, MutableMapping
from datetime import date, datetime
from typing import Any, Final

from goodfunds import ids

_PERSONAL: Final = frozenset(
    {
        "name",
        "debtor_name",
        "creditor_name",
        "account_name",
        "remittance_unstructured",
        "creditor_street",
        "creditor_building",
        "creditor_postcode",
        "creditor_town",
        "creditor_address_lines",
    }
)
"""Keys whose value is never shown."""
_ACCOUNTS: Final = frozenset(
    {"account", "debtor_account", "creditor_account", "credited_account", "iban", "nostro", "key", "keys"}
)
"""Keys whose value is an account, in whatever form its bank numbers it."""

# MsgIds of ours begin like an IBAN of French Guiana would.
_IBAN: Final = re.compile(
    r"\b(?!GF[0-9A-Z]{26}\b)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"
)
HIDDEN: Final = "…"
"""What stands for a value that is not shown."""
_CONTROL_ACCOUNT: Final = re.compile(r"(?:transit-out|transit-in|funding|unapplied|suspense):|fees$")


def mask_account(account: str) -> str:
    """Country and last four characters of an IBAN, the last four of any other number of at least eight."""
    compact = account.replace(" ", "")
    if _IBAN.fullmatch(compact):
        return f"{compact[:2]}{HIDDEN}{compact[-4:]}"
    return f"{HIDDEN}{compact[-4:]}" if len(compact) >= 8 else HIDDEN


def mask_text(text: str) -> str:
    """`text` with every IBAN in it masked."""
    return _IBAN.sub(lambda found: mask_account(found[0]), text)


def masked(value: Any, key: str = "") -> Any:
    """`value` as JSON can hold it, masked through and through; an id of 16 bytes becomes its UUID."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if key in _PERSONAL:
        return HIDDEN if value else value
    if isinstance(value, Mapping):
        return {str(name): masked(each, str(name)) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(each, key) for each in value]
    text = _text(value)
    if key in _ACCOUNTS and not _CONTROL_ACCOUNT.match(text):
        prefix, colon, number = text.rpartition(":")
        return f"{prefix}{colon}{mask_account(number)}"
    return mask_text(text)


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor; stands last before the renderer."""
    return {key: masked(value, key) for key, value in event.items()}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        text = bytes(value).decode("utf-8", "replace")
        # A Belgian IBAN has 16 characters too, and hexadecimal would hide nothing.
        return ids.text(bytes(value)) if len(value) == 16 and not text.isprintable() else text
    if isinstance(value, datetime | date):
        return value.isoformat()
    return repr(value)
