"""What a registry holds of the events: subjects, their versions, and the ids that the lock gave out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import goodfunds
from goodfunds.errors import Misconfigured
from goodfunds.events.lock import read_lock
from goodfunds.events.schemas import Schema

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
"""Of what a registry is asked and answers."""
_READ = ("type", "name", "fields", "items", "values", "symbols", "size", "logicalType", "precision", "scale",
         "default")  # fmt: skip
"""What of a schema decides how bytes are read (Avro 1.12, "Parsing Canonical Form", and logical types)."""


@dataclass(frozen=True, slots=True)
class Version:
    """A schema that has an id. `subject`: the record's full name; `schema` stands alone."""

    id: int
    subject: str
    version: int
    schema: Schema

    @property
    def text(self) -> str:
        """The schema as a registry keeps it: a string of JSON."""
        return json.dumps(self.schema, separators=(",", ":"), ensure_ascii=False)


@dataclass(frozen=True)
class Catalogue:
    """All that was ever given an id, in the order of the ids."""

    versions: tuple[Version, ...]

    @cached_property
    def by_id(self) -> Mapping[int, Version]:
        """id → what it stands for."""
        return {each.id: each for each in self.versions}

    @cached_property
    def by_subject(self) -> Mapping[str, tuple[Version, ...]]:
        """subject → its versions from 1 on, subjects in the order of the alphabet."""
        found: dict[str, tuple[Version, ...]] = {}
        for each in self.versions:
            found[each.subject] = (*found.get(each.subject, ()), each)
        return dict(sorted(found.items()))


def find_schemas() -> Path:
    """The folder of the schemas that go with this installation, or lie in its checkout."""
    package = Path(goodfunds.__file__).parent
    places = [above / "schemas" for above in (package.parents[1], package.parent)]
    for place in places:
        if (place / "registry.lock.json").exists():
            return place
    raise Misconfigured("this installation has no schemas: name their folder with --schemas")


def read_catalogue(folder: Path) -> Catalogue:
    """What the lock and the history of a folder say. Raises Misconfigured where it holds no schemas."""
    try:
        locked = sorted(read_lock(folder), key=lambda each: each.id)
        counted: dict[str, int] = {}
        versions = []
        for each in locked:
            schema = json.loads((folder / "history" / f"{each.id}.avsc").read_text(encoding="utf-8"))
            subject = f"{schema['namespace']}.{schema['name']}"
            counted[subject] = counted.get(subject, 0) + 1
            versions.append(Version(each.id, subject, counted[subject], schema))
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise Misconfigured(f"{folder} holds no schemas that can be served: {fault}") from fault
    if not versions:
        raise Misconfigured(f"{folder} holds no schemas: there is no registry.lock.json with any")
    return Catalogue(tuple(versions))


def read_alike(one: Any, other: Any) -> bool:
    """Whether two schemas read the same bytes the same way, whatever they say for people."""
    return bool(_read(one) == _read(other))


def _read(schema: Any) -> Any:
    if isinstance(schema, str):
        return schema.rpartition(".")[2]
    if isinstance(schema, list):
        return [_read(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: schema[key] if key == "default" else _read(schema[key]) for key in _READ if key in schema}
    # A primitive may be written as an object of its own.
    return kept["type"] if kept.keys() == {"type"} else kept
