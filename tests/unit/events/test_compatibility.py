"""Changes of a schema that break readers are found, also those that Avro's own rules let through."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from goodfunds.events.compatibility import incompatibilities
from goodfunds.events.lock import breaking, extend, ids, outputs, read_lock
from goodfunds.events.schemas import EventSchema, read_schemas

ROOT = Path(__file__).parents[3]
SCHEMAS = read_schemas(ROOT / "schemas" / "events")
OLD = SCHEMAS["PaymentSettled"].expanded


def changed(change: Any) -> Any:
    new = copy.deepcopy(OLD)
    change(new["fields"])
    return new


def test_the_same_schema_is_compatible_with_itself() -> None:
    assert incompatibilities(OLD, copy.deepcopy(OLD)) == []


def test_a_field_may_be_added_at_the_end_with_a_default() -> None:
    field = {"name": "note", "type": "string", "default": ""}
    assert incompatibilities(OLD, changed(lambda fields: fields.append(field))) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda fields: fields.append({"name": "note", "type": "string"}), "without a default"),
        (
            lambda fields: fields.insert(0, {"name": "note", "type": "string", "default": ""}),
            "before the end",
        ),
        (lambda fields: fields.pop(), "removed"),
        (lambda fields: fields.reverse(), "change places"),
        (lambda fields: fields[2]["type"].update(scale=2), "scale"),
        (lambda fields: fields[2]["type"].update(precision=17), "precision"),
        (lambda fields: fields[2]["type"].update(size=9), "size"),
        (lambda fields: fields[3]["type"].update(logicalType="timestamp-millis"), "logicalType"),
        (lambda fields: fields[4].update(type="long"), "becomes"),
        (lambda fields: fields[4].update(type=["null", "string"]), "becomes"),
        (lambda fields: fields[0]["type"].update(name="Identifier"), "Id becomes Identifier"),
    ],
)
def test_a_change_that_breaks_readers_is_named(change: Any, says: str) -> None:
    found = incompatibilities(OLD, changed(change))
    assert any(says in line for line in found), found


@pytest.mark.parametrize("other", [{"default": "x"}, {}])
def test_the_default_of_a_field_that_was_added_stays(other: dict[str, str]) -> None:
    field = {"name": "note", "type": "string"}
    old = changed(lambda fields: fields.append({**field, "default": ""}))
    new = changed(lambda fields: fields.append({**field, **other}))
    (found,) = incompatibilities(old, new)
    assert "note: the default changes" in found


def test_a_union_that_changes_is_found() -> None:
    def of(*types: str) -> Any:
        return {"type": "record", "name": "Line", "fields": [{"name": "side", "type": list(types)}]}

    assert incompatibilities(of("null", "string"), of("string", "null")) != []
    assert incompatibilities(of("null", "string"), of("null", "string")) == []


def test_changed_symbols_of_an_enum_are_found() -> None:
    def record(symbols: list[str]) -> Any:
        enum = {"type": "enum", "name": "Side", "symbols": symbols}
        return {"type": "record", "name": "Line", "fields": [{"name": "side", "type": enum}]}

    assert incompatibilities(record(["CRDT", "DBIT"]), record(["DBIT", "CRDT"])) != []
    assert incompatibilities(record(["CRDT", "DBIT"]), record(["CRDT", "DBIT"])) == []


def test_what_is_committed_is_what_the_schemas_give() -> None:
    made = {path: text for path, text in outputs(ROOT).items() if path.suffix != ".py"}
    assert {path.name for path, text in made.items() if path.read_text(encoding="utf-8") != text} == set()
    assert breaking(ROOT) == []


def test_every_schema_that_ever_had_an_id_is_kept_as_it_was() -> None:
    for each in read_lock(ROOT / "schemas"):
        kept = json.loads((ROOT / "schemas" / "history" / f"{each.id}.avsc").read_text(encoding="utf-8"))
        assert EventSchema(each.name, kept, kept).fingerprint == each.fingerprint, each


def test_an_id_once_given_is_never_given_again() -> None:
    locked = read_lock(ROOT / "schemas")
    assert len({each.id for each in locked}) == len(locked)
    assert extend(locked, SCHEMAS) == locked
    without = [each for each in locked if each.name != "PaymentSettled"]
    again = ids(extend(without, SCHEMAS))
    assert again["PaymentSettled"] == max(each.id for each in without) + 1
