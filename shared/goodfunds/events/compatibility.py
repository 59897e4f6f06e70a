"""Whether a changed schema can still be read: the rules of Avro, and two that its own checks let through."""

from collections.abc import Iterator
from typing import Any

from goodfunds.events.schemas import Schema


def incompatibilities(old: Schema, new: Schema) -> list[str]:
    """What of a change breaks readers, by field; both schemas stand alone. Empty where nothing does.

    Events are laid out by position: a field may only be added at the end of a top-level record, with a
    default, which stays what it is: it stands for what earlier writers did not know. A changed logical type,
    precision, scale or list of symbols changes what the bytes mean, which Avro's own compatibility rules do
    not look at; by its name Avro finds a type again.
    """
    return list(_record(old, new, str(old["name"])))


def _record(old: Schema, new: Schema, path: str) -> Iterator[str]:
    before = {field["name"]: field for field in old["fields"]}
    after = {field["name"]: field for field in new["fields"]}
    for name in before.keys() - after.keys():
        yield f"{path}.{name}: removed"
    for name in after.keys() - before.keys():
        if "default" not in after[name]:
            yield f"{path}.{name}: added without a default"
    kept = [name for name in after if name in before]
    if kept != [name for name in before if name in after]:
        yield f"{path}: fields change places"
    elif list(after)[: len(kept)] != kept:
        yield f"{path}: a field is added before the end"
    for name in kept:
        if "default" in before[name] and before[name]["default"] != after[name].get("default"):
            yield f"{path}.{name}: the default changes"
        yield from _type(before[name]["type"], after[name]["type"], f"{path}.{name}")


def _type(old: Any, new: Any, path: str) -> Iterator[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield f"{path}: {_name(old)} becomes {_name(new)}"
        return
    if old.get("name") != new.get("name"):
        yield f"{path}: the type {old.get('name')} becomes {new.get('name')}"
    if old.get("type") == "record" and new.get("type") == "record":
        if len(old["fields"]) != len(new["fields"]):
            yield f"{path}: a record inside an event may not grow or shrink"
        yield from _record(old, new, path)
        return
    if old.get("type") == "enum" and new.get("type") == "enum":
        if old["symbols"] != new["symbols"]:
            yield f"{path}: the symbols change from {old['symbols']} to {new['symbols']}"
        return
    for what in ("type", "size", "logicalType", "precision", "scale", "items"):
        if old.get(what) != new.get(what):
            yield f"{path}: {what} changes from {old.get(what)} to {new.get(what)}"


def _name(schema: Any) -> str:
    if not isinstance(schema, dict):
        return str(schema)
    return str(schema.get("logicalType") or schema.get("name") or schema["type"])
