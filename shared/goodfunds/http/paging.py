"""Pages of a list: from a key on, which a cursor holds; no page costs more than another."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Query
from pydantic import BaseModel, Field

from goodfunds import ids
from goodfunds.observability.http import Problem

Item = TypeVar("Item")
EXAMINED: Final = 1_000
"""Rows that are looked at for a page of those that a filter keeps."""
_LONGEST: Final = 2_000

Limit = Annotated[int, Query(ge=1, le=500, description="The most items of the page.")]
Cursor = Annotated[
    str | None,
    Query(max_length=_LONGEST, description="`next_cursor` of the page before, as it came."),
]


class Page(BaseModel, Generic[Item]):
    """A part of a list."""

    items: list[Item]
    next_cursor: str | None = Field(
        description="Where the list goes on; null at its end. A page may hold few items, or none, before it."
    )


def page(
    rows: Sequence[Any],
    limit: int,
    asked: int,
    place: Callable[[Any], tuple[str, ...]],
    keeps: Callable[[Any], bool] = lambda _row: True,
) -> tuple[list[Any], str | None]:
    """Up to `limit` rows that `keeps` takes of those read, and the cursor of what comes after them.

    `asked`: how many rows were asked for; fewer of them are the list's end. `place`: what a cursor after a
    row holds.
    """
    kept: list[Any] = []
    for number, row in enumerate(rows):
        if len(kept) == limit:
            # There is more, perhaps: this row is looked at again.
            return kept, cursor_of(place(rows[number - 1]))
        if keeps(row):
            kept.append(row)
    return kept, cursor_of(place(rows[-1])) if len(rows) == asked else None


def cursor_of(place: tuple[str, ...]) -> str:
    """An opaque cursor: it holds no right, since every list is read for its principal anyway."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(cursor: str | None, parts: int) -> tuple[str, ...] | None:
    """What a cursor holds; None of no cursor. Raises Problem 422 of what `cursor_of` does not write."""
    if cursor is None:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _no_cursor() from None
    if not isinstance(found, list) or len(found) != parts or not all(map(_is_text, found)):
        raise _no_cursor()
    return tuple(found)


def instant_in(part: str) -> datetime:
    """The aware instant of a cursor's part. Raises Problem 422."""
    try:
        found = datetime.fromisoformat(part)
    except ValueError:
        raise _no_cursor() from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def day_in(part: str) -> date:
    """The day of a cursor's part. Raises Problem 422."""
    try:
        return date.fromisoformat(part)
    except ValueError:
        raise _no_cursor() from None


def id_in(part: str) -> bytes:
    """The 16 bytes of a cursor's part that is a UUID. Raises Problem 422."""
    try:
        return ids.parse(part)
    except ValueError:
        raise _no_cursor() from None


def number_in(part: str) -> int:
    """The whole number of a cursor's part, of 63 bits. Raises Problem 422."""
    if not (part.isascii() and part.isdigit() and len(part) < 20) or (found := int(part)) >> 63:
        raise _no_cursor()
    return found


def _is_text(part: Any) -> bool:
    """What Postgres takes as text: no NUL, no half of a surrogate pair."""
    return isinstance(part, str) and not any(each == "\0" or "\ud800" <= each <= "\udfff" for each in part)


def _no_cursor() -> Problem:
    return Problem(422, "the cursor is none that this list has given")
