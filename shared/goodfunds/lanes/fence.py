"""The lane's row: creating, reading, fencing and stopping lanes, one statement each."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from goodfunds.lanes.records import Connection
from goodfunds.lanes.state import Admitted, LaneState
from goodfunds.postgres import statements

SQL = statements(Path(__file__).parent / "sql")


def to_json(mapping: dict[Any, int]) -> str:
    """Keys that are tuples are joined: watermarks by `|`, destinations by `/`."""
    return json.dumps(
        {key if isinstance(key, str) else _joined(key): value for key, value in mapping.items()},
        separators=(",", ":"),
    )


def _joined(key: tuple[Any, ...]) -> str:
    return "|".join(key) if len(key) == 3 else f"{key[0]}/{key[1]}"


def destinations(text: str) -> dict[tuple[str, int], int]:
    """(topic, partition) → number, of a column whose keys are `topic/partition`."""
    found = {}
    for key, value in json.loads(text).items():
        topic, _, partition = key.rpartition("/")
        found[topic, int(partition)] = value
    return found


def read_watermarks(text: str) -> dict[tuple[str, str, str], int]:
    """(topic, producer, producer's lane) → last seq handled, of a column whose keys are joined by `|`."""
    found = {}
    for key, value in json.loads(text).items():
        topic, producer, lane = key.split("|")
        found[topic, producer, lane] = value
    return found


def read_state(row: Any) -> LaneState:
    """A lane's row as the memory of its owner."""
    return LaneState(
        lane=row["lane"],
        epoch=row["epoch"],
        version=row["version"],
        offsets=json.loads(row["offsets"]),
        started_above=frozenset(json.loads(row["started_above"])),
        watermarks=read_watermarks(row["watermarks"]),
        next_seq=destinations(row["destinations"]),
        acknowledged=destinations(row["acknowledged"]),
        outbox_seq=row["outbox_seq"],
        published_seq=row["published_seq"],
        restored_from=None if row["restored_from"] is None else destinations(row["restored_from"]),
        catch_up=json.loads(row["catch_up"]),
    )


async def fence(
    connection: Connection, incarnation: str, shares: Sequence[Admitted], now: datetime
) -> frozenset[int]:
    """Lock the lanes, prove that we own them and move their offsets; returns the lanes that are not ours.

    The first statement of every transaction. What it misses was taken over, stopped or is not as we
    remember: the caller rolls back.
    """
    states = [share.state for share in shares]
    rows = await connection.fetch(
        SQL["fence"],
        [state.lane for state in states],
        [state.epoch for state in states],
        [state.version for state in states],
        [to_json(state.offsets) for state in states],
        [to_json(share.offsets) for share in shares],
        [to_json(share.watermarks) for share in shares],
        [state.published_seq for state in states],
        [to_json(state.acknowledged) for state in states],
        incarnation,
        now,
    )
    return frozenset(state.lane for state in states) - {row["lane"] for row in rows}


def unchanged(state: LaneState) -> Admitted:
    """A share that handles nothing: the fence of an idle lane, which also writes what was acknowledged."""
    return Admitted(state, state.offsets, state.watermarks, [], [])
