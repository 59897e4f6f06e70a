"""What handling records has changed and emitted, in a form that a rehearsal and a run share; pure.

Of a slice's effects there is a digest that comes out the same when the slice is handled later, beside live
traffic: rows count by what they are after it, numbers that move by how far. Left out are times and numbers
that only say when something was written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from hashlib import sha256
from operator import itemgetter
from typing import Any

from goodfunds.errors import Unreadable
from goodfunds.events.passing import split_payment_accepted
from goodfunds.events.types import BY_NAME, PaymentAccepted, decode
from goodfunds.lanes.records import Emission

NUMBERING = frozenset({"event_seq"})
"""Columns that hold the number an event got: live traffic takes numbers too."""
_SUMS = frozenset({"balances"})
"""Tables in which a row that is not there stands for zero: making it is moving it."""
_MONEY = ("balances", "account", "currency", "balance_minor")
_REFUSING = frozenset({"payments", "refused_records"})
"""Tables whose new rows say with a reason code that something was refused."""
_LONGEST = 200
"""Characters of a value in a sample."""

_TIMELESS = {
    each.__name__: tuple(part.name for part in fields(each) if not part.name.endswith("_at"))
    for each in BY_NAME.values()
}
"""An event's fields but the time at which it was decided."""

_PASSED_ON = PaymentAccepted.__name__

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Table:
    """A table's columns: of its key, of numbers, and those that count for nothing."""

    name: str
    key: tuple[str, ...]
    numbers: frozenset[str]
    ignored: frozenset[str]


@dataclass(frozen=True, slots=True)
class Change:
    """A row before and after, None where there was none; columns as JSON shows them."""

    table: str
    before: Row | None
    after: Row | None

    @property
    def operation(self) -> str:
        """`insert`, `update` or `delete`."""
        return "insert" if self.before is None else "delete" if self.after is None else "update"


@dataclass(frozen=True, slots=True)
class Effects:
    """Of one slice. `changes` are net, a row once; `digest` is empty where there are no effects.

    `rewritten`: rows that were written as they had been.
    """

    changes: tuple[Change, ...]
    rewritten: int
    events: Mapping[tuple[str, str], int]
    digest: bytes

    @property
    def rows_changed(self) -> int:
        """Rows that are not what they were."""
        return len(self.changes)

    @property
    def events_emitted(self) -> int:
        """Events of all topics."""
        return sum(self.events.values())


NO_EFFECTS = Effects((), 0, {}, b"")


def effects_of(
    tables: Mapping[str, Table], changed: Iterable[Change], emissions: Mapping[int, Iterable[Emission]]
) -> Effects:
    """The effects of what was changed, in the order of its writing, and of what is emitted, by lane."""
    changes, rewritten = _net(tables, changed)
    events: dict[tuple[str, str], int] = {}
    items = [_fingerprint(tables[change.table], change) for change in changes]
    for each in (emission for of_lane in emissions.values() for emission in of_lane):
        place = each.topic, each.event_type
        events[place] = events.get(place, 0) + 1
        items.append(_event_fingerprint(each))
    return Effects(tuple(changes), rewritten, events, _digest(items))


def chained(before: bytes, digest: bytes) -> bytes:
    """The digest of a lane's slices so far and a further one; one without effects adds nothing."""
    return sha256(before + digest).digest() if digest else before


def of_lanes(digests: Mapping[int, bytes]) -> bytes:
    """One digest of the lanes' digests; of lanes without effects it does not speak."""
    told = sha256()
    for lane in sorted(lane for lane, digest in digests.items() if digest):
        told.update(lane.to_bytes(4, "big") + digests[lane])
    return told.digest()


def money_of(changes: Iterable[Change]) -> dict[tuple[str, str], int]:
    """(account, currency) → how far its balance moves, in minor units."""
    table, account, currency, minor = _MONEY
    found: dict[tuple[str, str], int] = {}
    for change in changes:
        if change.table == table:
            row = change.after or change.before or {}
            moved = (change.after or {}).get(minor, 0) - (change.before or {}).get(minor, 0)
            place = row[account], row[currency]
            found[place] = found.get(place, 0) + int(moved)
    return {place: moved for place, moved in found.items() if moved}


def refusals_of(changes: Iterable[Change]) -> dict[str, int]:
    """Reason code → how often it refuses."""
    found: dict[str, int] = {}
    for change in changes:
        code = (change.after or {}).get("reason_code") if change.before is None else None
        if code and change.table in _REFUSING:
            found[code] = found.get(code, 0) + 1
    return found


def sample(table: Table, change: Change) -> dict[str, Any]:
    """A change as people look at it: its key, and of an update only the columns that differ."""
    before, after = change.before, change.after
    if before is not None and after is not None:
        differing = {column for column in after if before.get(column) != after[column]}
        before, after = ({c: row.get(c) for c in sorted(differing)} for row in (before, after))
    row = change.after or change.before or {}
    return {
        "operation": change.operation,
        "key": {column: _short(row[column]) for column in table.key},
        "before": None if before is None else {column: _short(value) for column, value in before.items()},
        "after": None if after is None else {column: _short(value) for column, value in after.items()},
    }


def _net(tables: Mapping[str, Table], changed: Iterable[Change]) -> tuple[list[Change], int]:
    """Each row once, as it was first and is last; and how many rows are left as they were.

    A row whose key changes is another one; of a table without a key each change stands alone.
    """
    keys = {name: itemgetter(*table.key) if table.key else None for name, table in tables.items()}
    ends: dict[tuple[str, Any], list[Row | None]] = {}
    for number, change in enumerate(changed):
        table, before, after = change.table, change.before, change.after
        key_of = keys[table]
        if before is not None:
            ends.setdefault((table, number if key_of is None else key_of(before)), [before, None])[1] = None
        if after is not None:
            ends.setdefault((table, number if key_of is None else key_of(after)), [None, after])[1] = after
    net, rewritten = [], 0
    for (table, _), (first, last) in ends.items():
        if first != last:
            net.append(Change(table, first, last))
        elif first is not None:
            rewritten += 1
    return net, rewritten


def _fingerprint(table: Table, change: Change) -> bytes:
    before, after = change.before, change.after
    row = after if after is not None else before
    assert row is not None, "a change has a row"
    key = [row[column] for column in table.key if column not in table.ignored]
    operation = change.operation
    if table.name in _SUMS:
        operation, before, after = "moved", before or {}, after or {}
    values: dict[str, Any] | list[Any]
    if after is None:
        values = [] if table.key else list(row.values())
    elif before is None:
        values = [value for column, value in after.items() if column not in table.ignored]
    else:
        values = {}
        for column in {**before, **after}:
            if column in table.ignored or column in table.key:
                continue
            was, now = before.get(column), after.get(column)
            if column in table.numbers:
                moved = (now or 0) - (was or 0)
                if moved or (was is None) != (now is None):
                    values[column] = moved
            elif was != now:
                values[column] = now
    return _bytes([table.name, operation, key, values])


def _event_fingerprint(emission: Emission) -> bytes:
    topic, partition, key, event_type, body, _, first_time = emission
    said: Any
    try:
        if event_type == _PASSED_ON:
            payment_id, amount_minor, instruction = split_payment_accepted(body)
            # Unread: its bytes say all.
            said = payment_id, amount_minor, sha256(instruction).digest()
        else:
            event = decode(body)
            said = [getattr(event, name) for name in _TIMELESS[type(event).__name__]]
    except Unreadable:
        said = body
    return _bytes([topic, partition, key, event_type, first_time, said])


def _bytes(item: Sequence[Any]) -> bytes:
    # Columns come in the order of their table, which is one. Measured: as JSON it takes twice as long.
    return repr(item).encode()


def _digest(items: Sequence[bytes]) -> bytes:
    """Whatever their order was: that of a handler's writes says nothing. None has a line's end in it."""
    return sha256(b"\n".join(sorted(items))).digest() if items else b""


def _short(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str) and len(value) > _LONGEST:
        return f"{value[:_LONGEST]}… ({len(value)} characters)"
    return value
