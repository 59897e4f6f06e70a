"""The schemas as they lie in schemas/events: read, made to stand alone, fingerprinted."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventSchema:
    """One event: its name, its schema as written, and the same with every named type inlined."""

    name: str
    schema: Schema
    expanded: Schema

    @property
    def fingerprint(self) -> str:
        """SHA-256 of what decides how bytes are read: names, types, logical types, precision, scale."""
        return sha256(json.dumps(_canonical(self.expanded), sort_keys=True).encode()).hexdigest()


def read_schemas(folder: Path) -> dict[str, EventSchema]:
    """Every event of schemas/events by name. Raises ValueError where a file's name is not its record's."""
    written: dict[str, Schema] = {}
    for file in sorted(folder.glob("*.avsc")):
        schema = json.loads(file.read_text(encoding="utf-8"))
        if schema["name"] != file.stem:
            raise ValueError(f"{file.name} holds the record {schema['name']}")
        written[file.stem] = schema
    return {
        name: EventSchema(name, schema, _expand(schema, written, set())) for name, schema in written.items()
    }


def _expand(schema: Any, known: dict[str, Schema], seen: set[str]) -> Any:
    """Inline references to other files; a type that was defined already is named, as Avro wants it."""
    if isinstance(schema, str):
        return _expand(known[schema], known, seen) if schema in known and schema not in seen else schema
    if isinstance(schema, list):
        return [_expand(each, known, seen) for each in schema]
    if schema.get("type") in ("fixed", "enum"):
        if schema["name"] in seen:
            return schema["name"]
        seen.add(schema["name"])
        return schema
    if schema.get("type") == "record":
        if schema["name"] in seen:
            return schema["name"]
        seen.add(schema["name"])
        fields = [{**each, "type": _expand(each["type"], known, seen)} for each in schema["fields"]]
        return {**schema, "fields": fields}
    if schema.get("type") == "array":
        return {**schema, "items": _expand(schema["items"], known, seen)}
    return schema


def _canonical(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_canonical(each) for each in schema]
    if isinstance(schema, dict):
        return {key: _canonical(value) for key, value in schema.items() if key not in ("doc", "namespace")}
    return schema
