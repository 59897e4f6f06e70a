"""Events as people and JSON have them: ids as UUIDs, times as ISO 8601, empty fields left out."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from goodfunds import ids
from goodfunds.clock import EPOCH
from goodfunds.errors import Unreadable
from goodfunds.events.json_bodies import decode_json
from goodfunds.events.types import decode


def decoded(value: bytes | None, event_type: str, json: bool = False) -> tuple[str, dict[str, Any]]:
    """(type, fields) of an event's bytes; of what cannot be read the type it was told with, and why.

    `event_type`, `json`: its header `ce_type`, and whether its body is JSON.
    """
    try:
        event: Any = decode_json(event_type, value or b"") if json else decode(value)
    except Unreadable as fault:
        return event_type, {"unreadable": str(fault)}
    return type(event).__name__, readable(asdict(event))


def readable(value: Any, name: str = "") -> Any:
    """Ids as UUIDs, times and dates as ISO 8601; what is empty is left out."""
    if isinstance(value, dict):
        shown = {key: readable(each, key) for key, each in value.items()}
        return {key: each for key, each in shown.items() if each not in ("", (), [], None)}
    if isinstance(value, bytes):
        return "" if value == ids.NO_ID else ids.text(value)
    if isinstance(value, int) and name.endswith("_at"):
        return _instant(value)
    return value.isoformat() if isinstance(value, date) else value


def _instant(micros: int) -> str | int:
    """The number as it came, where no calendar has that time."""
    try:
        return (EPOCH + timedelta(microseconds=micros)).isoformat(timespec="milliseconds")
    except OverflowError:
        return micros
