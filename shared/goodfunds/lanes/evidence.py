"""What is written down when a lane stops: what was being handled, what the owner remembered, what broke."""

import json
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from goodfunds.lanes.records import Record
from goodfunds.lanes.state import LaneState

_RECORDS = 50
_VALUE_BYTES = 2_000
_KEY_BYTES = 200
_HEADERS = 20
_WORK = 20
_WORK_CHARACTERS = 2_000
_TRACEBACK_CHARACTERS = 20_000
_OF_POSTGRES = (
    ("sqlstate", "sqlstate"), ("message", "message"), ("detail", "detail"), ("hint", "hint"),
    ("context", "context"), ("schema", "schema_name"), ("table", "table_name"), ("column", "column_name"),
    ("constraint", "constraint_name"), ("statement", "query"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of a stop: the fault, the records and other work that were handled, the lane in its owner's memory."""

    fault: BaseException | None = None
    records: Sequence[Record] = ()
    work: Sequence[object] = ()
    state: LaneState | None = None


NO_EVIDENCE = Evidence()


def columns(evidence: Evidence) -> tuple[str, str, str, str | None, str | None, str]:
    """Ranges, records, work, memory and database fault as JSON, and the traceback; all of bounded size.

    Never raises for what a record holds: a lane must stop whatever came.
    """
    return (
        _json(_ranges(evidence.records)),
        _json([_record(record) for record in evidence.records[:_RECORDS]]),
        _json([repr(each)[:_WORK_CHARACTERS] for each in evidence.work[:_WORK]]),
        None if evidence.state is None else _json(_memory(evidence.state)),
        _database_fault(evidence.fault),
        "" if evidence.fault is None else _traceback(evidence.fault),
    )


def storable(text: str, most: int = 2000) -> str:
    """A fault's text as Postgres takes it: whatever a record put into it, no NUL and no half character."""
    return text[:most].encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def _json(value: object) -> str:
    return json.dumps(_storable(value))


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value, 2 * _VALUE_BYTES)
    if isinstance(value, Mapping):
        return {storable(str(key)): _storable(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_storable(each) for each in value]
    return value


def _ranges(records: Iterable[Record]) -> list[dict[str, object]]:
    of: dict[tuple[str, int], list[int]] = {}
    for record in records:
        of.setdefault((record.topic, record.partition), []).append(record.offset)
    return [
        {"topic": topic, "partition": partition, "first_offset": min(offsets), "last_offset": max(offsets),
         "count": len(offsets)}
        for (topic, partition), offsets in of.items()
    ]  # fmt: skip


def _record(record: Record) -> dict[str, object]:
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "broker_time_ms": record.timestamp,
        "key": _hex(record.key, _KEY_BYTES),
        "value": _hex(record.value, _VALUE_BYTES),
        "size": len(record.value or b""),
        "headers": [
            [name[:_KEY_BYTES], _hex(value, _KEY_BYTES)] for name, value in record.headers[:_HEADERS]
        ],
    }


def _hex(value: bytes | None, most: int) -> str | None:
    return None if value is None else bytes(value[:most]).hex()


def _memory(state: LaneState) -> dict[str, object]:
    return {
        "epoch": state.epoch,
        "version": state.version,
        "offsets": state.offsets,
        "watermarks": {"|".join(origin): seq for origin, seq in state.watermarks.items()},
        "next_seq": {f"{topic}/{partition}": seq for (topic, partition), seq in state.next_seq.items()},
        "acknowledged": {f"{topic}/{partition}": n for (topic, partition), n in state.acknowledged.items()},
        "outbox_seq": state.outbox_seq,
        "published_seq": state.published_seq,
        "parked_keys": len(state.parked_keys),
    }


def _database_fault(fault: BaseException | None) -> str | None:
    """What Postgres said, of the fault or of what it came from."""
    while fault is not None and not isinstance(fault, asyncpg.PostgresError):
        fault = fault.__cause__
    if fault is None:
        return None
    said = {name: getattr(fault, attribute, None) for name, attribute in _OF_POSTGRES}
    return _json({name: str(value) for name, value in said.items() if value is not None})


def _traceback(fault: BaseException) -> str:
    """Its end, where it is long: the fault itself stands last."""
    text = "".join(traceback.format_exception(fault))[-_TRACEBACK_CHARACTERS:]
    return storable(text, _TRACEBACK_CHARACTERS)
