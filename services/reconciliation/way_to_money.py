"""The way through an Avro body to its amount and currency, without decoding what lies behind them."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Step(NamedTuple):
    """A field on the way to the money: to be read, or passed over."""

    kind: str
    size: int = 0


_AMOUNT, _CURRENCY, _FIXED, _NUMBER, _TEXT = "amount", "currency", "fixed", "number", "text"


def way_to_money(schema: Any) -> tuple[Step, ...] | None:
    """The fields up to amount and currency; () without an amount, None where no plain way leads there."""
    holder = {each["name"] for each in schema["fields"]}
    if "amount_minor" not in holder and "instruction" not in holder:
        return ()
    steps: list[Step] = []
    if not _lead(schema, steps, set(), {}):
        return None
    return tuple(steps)


def _lead(schema: Any, steps: list[Step], found: set[str], named: dict[str, Any]) -> bool:
    for each in schema["fields"]:
        kind = each["type"]
        kind = named.get(kind, kind) if isinstance(kind, str) else kind
        if isinstance(kind, dict) and "name" in kind:
            named[kind["name"]] = kind
        plain = kind["type"] if isinstance(kind, dict) else kind
        name = each["name"]
        if name in (_CURRENCY, "amount_minor"):
            steps.append(Step(_CURRENCY) if name == _CURRENCY else Step(_AMOUNT, kind["size"]))
            found.add(name)
            if len(found) == 2:
                return True
        elif plain == "record":
            if _lead(kind, steps, found, named):
                return True
        elif plain == "fixed":
            steps.append(Step(_FIXED, kind["size"]))
        elif plain == "boolean":
            steps.append(Step(_FIXED, 1))
        elif plain in ("int", "long", "enum"):
            steps.append(Step(_NUMBER))
        elif plain in ("string", "bytes"):
            steps.append(Step(_TEXT))
        else:
            return False
    return False


def read_money(value: bytes, at: int, way: Sequence[Step]) -> tuple[int, str]:
    """(minor units, currency) of a body that begins at `at`.

    Raises IndexError where it breaks off, UnicodeDecodeError.
    """
    amount, currency = 0, ""
    for kind, size in way:
        if kind == _FIXED:
            at += size
        elif kind == _AMOUNT:
            amount = int.from_bytes(value[at : at + size], "big", signed=True)
            at += size
        else:
            number, shift = value[at] & 0x7F, 7
            while value[at] & 0x80:
                at += 1
                number |= (value[at] & 0x7F) << shift
                shift += 7
            at += 1
            if kind == _NUMBER:
                continue
            length = number >> 1
            if kind == _CURRENCY:
                currency = value[at : at + length].decode()
            at += length
    if at > len(value):
        raise IndexError("it breaks off")
    return amount, currency
