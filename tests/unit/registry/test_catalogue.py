"""What a registry is told of the schemas is what the lock says, and reads what is on the topics."""

import io
import json
from pathlib import Path

import fastavro
import pytest

from goodfunds.errors import Misconfigured
from goodfunds.events import types
from goodfunds.events.lock import read_lock
from goodfunds.events.schemas import EventSchema
from goodfunds.registry import find_schemas, read_catalogue
from goodfunds.registry.catalogue import read_alike
from tests.unit.ingestion.requests import instruction

CATALOGUE = read_catalogue(find_schemas())


def test_every_id_of_the_lock_is_there_and_no_other() -> None:
    assert [each.id for each in CATALOGUE.versions] == [each.id for each in read_lock(find_schemas())]


def test_no_schema_that_has_an_id_was_changed_since() -> None:
    for locked, found in zip(read_lock(find_schemas()), CATALOGUE.versions, strict=True):
        assert EventSchema(locked.name, {}, found.schema).fingerprint == locked.fingerprint


def test_versions_of_a_subject_count_from_one_in_the_order_of_their_ids() -> None:
    grown = CATALOGUE.by_subject["goodfunds.events.BankEntryReported"]
    assert [(each.version, each.id) for each in grown] == [(1, 20), (2, 29)]
    for versions in CATALOGUE.by_subject.values():
        assert [each.version for each in versions] == list(range(1, len(versions) + 1))


def test_the_id_on_the_wire_leads_to_the_schema_that_reads_the_body() -> None:
    event = types.PaymentAccepted(b"P" * 16, instruction(), 7)
    found = CATALOGUE.by_id[int.from_bytes(event.encode()[1:5], "big")]
    read = fastavro.schemaless_reader(io.BytesIO(event.body()), json.loads(found.text), None)
    assert isinstance(read, dict)
    assert read["instruction"]["idempotency_key"] == "key"


def test_schemas_are_alike_whatever_they_say_for_people() -> None:
    ours = CATALOGUE.by_subject["goodfunds.events.PaymentSettled"][0].schema
    bare = json.loads(json.dumps(ours).replace('"type": "string"', '"type": {"type": "string"}'))
    for field in bare["fields"]:
        field.pop("doc", None)
    bare["fields"][1]["type"] = "goodfunds.events.Id"
    assert read_alike(ours, bare)


@pytest.mark.parametrize("what", ["scale", "name", "order", "gone", "logical type"])
def test_schemas_that_read_other_bytes_are_not_alike(what: str) -> None:
    ours = CATALOGUE.by_subject["goodfunds.events.PaymentSettled"][0].schema
    other = json.loads(json.dumps(ours))
    if what == "scale":
        other["fields"][2]["type"]["scale"] = 2
    elif what == "name":
        other["fields"][4]["name"] = "konto"
    elif what == "order":
        other["fields"].reverse()
    elif what == "gone":
        del other["fields"][-1]
    else:
        del other["fields"][3]["type"]["logicalType"]
    assert not read_alike(ours, other)


def test_a_folder_without_schemas_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"no registry\.lock\.json"):
        read_catalogue(tmp_path)
    (tmp_path / "registry.lock.json").write_text('{"schemas": [{"id": 1, "name": "A", "fingerprint": ""}]}')
    with pytest.raises(Misconfigured, match="no schemas that can be served"):
        read_catalogue(tmp_path)
    (tmp_path / "registry.lock.json").write_text("[]")
    with pytest.raises(Misconfigured, match="no schemas that can be served"):
        read_catalogue(tmp_path)
