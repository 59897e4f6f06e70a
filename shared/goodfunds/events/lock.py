"""The lock of the schemas: which id stands for which fingerprint, and every schema that ever had an id."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goodfunds.events.compatibility import incompatibilities
from goodfunds.events.documents import asyncapi, json_schema
from goodfunds.events.generate import generate
from goodfunds.events.schemas import EventSchema, Schema, read_schemas


@dataclass(frozen=True, slots=True)
class Locked:
    """An id that was given out, for ever."""

    id: int
    name: str
    fingerprint: str


def read_lock(folder: Path) -> list[Locked]:
    """schemas/registry.lock.json; empty where there is none yet."""
    file = folder / "registry.lock.json"
    if not file.exists():
        return []
    return [Locked(**each) for each in json.loads(file.read_text(encoding="utf-8"))["schemas"]]


def extend(locked: list[Locked], schemas: Mapping[str, EventSchema]) -> list[Locked]:
    """The lock with new ids for what is new or has changed; ids that stand are never given out again."""
    latest = {each.name: each for each in locked}
    number = max((each.id for each in locked), default=0)
    extended = list(locked)
    for name, event in schemas.items():
        if name not in latest or latest[name].fingerprint != event.fingerprint:
            number += 1
            extended.append(Locked(number, name, event.fingerprint))
    return extended


def ids(locked: list[Locked]) -> dict[str, int]:
    """name → its latest id."""
    return {each.name: each.id for each in sorted(locked, key=lambda each: each.id)}


def outputs(root: Path) -> dict[Path, str]:
    """Everything that is made from schemas/events: path → what it must hold."""
    folder = root / "schemas"
    schemas = read_schemas(folder / "events")
    locked = extend(read_lock(folder), schemas)
    numbers = ids(locked)
    made = {
        root / "shared/goodfunds/events/types.py": generate(schemas, numbers, _earlier(folder, locked)),
        folder / "asyncapi.yaml": asyncapi(schemas, numbers),
        folder / "registry.lock.json": json.dumps(
            {"schemas": [{"id": e.id, "name": e.name, "fingerprint": e.fingerprint} for e in locked]},
            indent=2,
        )
        + "\n",
    }
    for name, event in schemas.items():
        made[folder / "json" / f"{name}.json"] = json_schema(event)
        made[folder / "history" / f"{numbers[name]}.avsc"] = json.dumps(event.expanded, indent=2) + "\n"
    return made


def _earlier(folder: Path, locked: list[Locked]) -> dict[int, tuple[str, int]]:
    """id → (name, number of fields) of the schemas that were replaced and may still be on a topic."""
    latest = ids(locked)
    found: dict[int, tuple[str, int]] = {}
    for each in locked:
        if latest[each.name] != each.id:
            old: Schema = json.loads((folder / "history" / f"{each.id}.avsc").read_text(encoding="utf-8"))
            found[each.id] = (each.name, len(old["fields"]))
    return found


def breaking(root: Path) -> list[str]:
    """What of schemas/events breaks readers of the last locked schemas."""
    folder = root / "schemas"
    latest = ids(read_lock(folder))
    schemas = read_schemas(folder / "events")
    found = [f"{name}: removed" for name in latest if name not in schemas]
    for name, event in schemas.items():
        history = folder / "history" / f"{latest.get(name)}.avsc"
        if history.exists():
            old: Schema = json.loads(history.read_text(encoding="utf-8"))
            found += incompatibilities(old, event.expanded)
    return found
