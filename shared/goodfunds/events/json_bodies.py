"""JSON bodies on payment-instructions, for clients without Avro: strict about names, types and money."""

import json
import re
from datetime import date
from typing import Any

from goodfunds.errors import Unreadable
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction

ClientEvent = PaymentInstruction | AccountOpenRequested | AccountFundRequested
CLIENT_EVENTS: dict[str, type[ClientEvent]] = {
    "PaymentInstruction": PaymentInstruction,
    "AccountOpenRequested": AccountOpenRequested,
    "AccountFundRequested": AccountFundRequested,
}
LARGEST_AMOUNT = 10**18 - 1
_LARGEST_BODY = 1_000_000
_ENOUGH_DIGITS = 20
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_OPTIONAL = {
    "PaymentInstruction": frozenset({
        "end_to_end_id", "uetr", "creditor_agent", "charge_bearer", "remittance_unstructured",
        "remittance_reference", "creditor_street", "creditor_building", "creditor_postcode", "creditor_town",
        "creditor_country", "creditor_address_lines",
    }),
}  # fmt: skip


class InvalidBody(Unreadable):
    """A JSON object that is no event. `client` and `idempotency_key` where they can be read, else empty."""

    def __init__(self, fault: str, client: str, idempotency_key: str) -> None:
        super().__init__(fault)
        self.client = client
        self.idempotency_key = idempotency_key


def decode_json(name: str, body: bytes) -> ClientEvent:
    """A client's event from JSON; `name` is its `ce_type`. Raises Unreadable, of an object InvalidBody.

    Amounts are JSON integers in minor units of at most 18 digits: not `true`, `1e3`, `"10"` or `10.0`.
    """
    event = CLIENT_EVENTS.get(name)
    if event is None:
        raise Unreadable(f"{name[:40]!r} is no event that clients write")
    if len(body) > _LARGEST_BODY:
        raise Unreadable(f"a body of {len(body)} bytes: {_LARGEST_BODY} is the most")
    try:
        found = json.loads(
            body.decode(),
            object_pairs_hook=_once,
            parse_int=_integer,
            parse_float=_no_value,
            parse_constant=_no_value,
        )
    except (UnicodeDecodeError, ValueError, RecursionError) as fault:
        raise Unreadable(f"no JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise Unreadable("the body is no JSON object")
    try:
        return event(**_fields(event, found))
    except Unreadable as fault:
        raise InvalidBody(
            str(fault), _readable(found, "client"), _readable(found, "idempotency_key")
        ) from None


def _fields(event: type[ClientEvent], found: dict[str, Any]) -> dict[str, Any]:
    declared = event.__annotations__
    wanted = [name for name in declared if name != "SCHEMA_ID"]
    unknown = found.keys() - set(wanted)
    if unknown:
        raise Unreadable(f"{min(unknown)[:40]!a}: no such field")
    fields = {}
    for name in wanted:
        if name in found:
            fields[name] = _value(name, declared[name], found[name])
        elif name in _OPTIONAL.get(event.__name__, ()):
            fields[name] = () if name == "creditor_address_lines" else ""
        else:
            raise Unreadable(f"{name}: missing")
    return fields


def _value(name: str, declared: Any, value: Any) -> Any:
    if declared is int:
        if type(value) is not int:
            raise Unreadable(f"{name}: an amount is an integer in minor units")
        if abs(value) > LARGEST_AMOUNT:
            raise Unreadable(f"{name}: more than 18 digits")
        return value
    if declared is date:
        try:
            # Python reads ISO 8601's week dates too.
            if not isinstance(value, str) or _DATE.fullmatch(value) is None:
                raise ValueError
            return date.fromisoformat(value)
        except ValueError:
            raise Unreadable(f"{name}: a date is written YYYY-MM-DD") from None
    if declared is str:
        if not isinstance(value, str):
            raise Unreadable(f"{name}: a string is wanted")
        return _encodable(name, value)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Unreadable(f"{name}: a list of strings is wanted")
    return tuple(_encodable(name, each) for each in value)


def _encodable(name: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unreadable(f"{name}: half of a surrogate pair") from None
    return value


def _readable(found: dict[str, Any], name: str) -> str:
    try:
        return str(_value(name, str, found.get(name)))
    except Unreadable:
        return ""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice")
    return found


def _integer(text: str) -> int:
    # So many digits are too many already; Python would not convert thousands of them.
    return int(text[:_ENOUGH_DIGITS])


def _no_value(_text: str) -> None:
    """No field takes a fraction, NaN or Infinity: each refuses it as it refuses null."""


__all__ = ["CLIENT_EVENTS", "ClientEvent", "InvalidBody", "decode_json"]
