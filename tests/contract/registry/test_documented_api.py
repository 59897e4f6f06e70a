"""What Confluent documents of its registry's API (v1), asked of `goodfunds registry` and of the fake.

"Schema Registry API Reference", docs.confluent.io, Confluent Platform 8: each case names its section there.
No real registry was run: these cases are what the documentation says of one.
"""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from goodfunds.registry import Catalogue, find_schemas, read_catalogue
from goodfunds.registry.http import registry_app
from goodfunds.registry.push import push
from tests.contract.registry.fake import MEDIA_TYPE, FakeRegistry

CATALOGUE = read_catalogue(find_schemas())
SETTLED, ENTRY = "goodfunds.events.PaymentSettled", "goodfunds.events.BankEntryReported"
TEXT = CATALOGUE.by_subject[SETTLED][0].text


def ours(catalogue: Catalogue) -> TestClient:
    return TestClient(registry_app(catalogue))


def fake(catalogue: Catalogue) -> httpx.Client:
    registry = FakeRegistry()
    push(registry.client(), catalogue)
    return registry.client()


@pytest.fixture(params=[ours, fake])
def registry(request: pytest.FixtureRequest) -> Any:
    """A client of the one, then of the other."""
    made: Callable[[Catalogue], Any] = request.param
    return made(CATALOGUE)


FOUND: dict[str, tuple[str, Any]] = {
    "subjects: list of names": ("/subjects", sorted(CATALOGUE.by_subject)),
    "subjects: versions": (f"/subjects/{ENTRY}/versions", [1, 2]),
    "subjects: one version": (
        f"/subjects/{SETTLED}/versions/1",
        {"subject": SETTLED, "version": 1, "id": 11, "schema": TEXT},
    ),
    "schemas: by id": ("/schemas/ids/11", {"schema": TEXT}),
    "schemas: by id, of a subject of the deserializer's own naming": (
        "/schemas/ids/11?subject=settlement-notifications-value",
        {"schema": TEXT},
    ),
    "schemas: where an id is": ("/schemas/ids/29/versions", [{"subject": ENTRY, "version": 2}]),
}
REFUSED: dict[str, tuple[str, int, int]] = {
    "40401 subject not found, versions": ("/subjects/nobody/versions", 404, 40401),
    "40401 subject not found, version": ("/subjects/nobody/versions/1", 404, 40401),
    "40402 version not found": (f"/subjects/{SETTLED}/versions/9", 404, 40402),
    "42202 invalid version": (f"/subjects/{SETTLED}/versions/none", 422, 42202),
    "42202 invalid version, zero": (f"/subjects/{SETTLED}/versions/0", 422, 42202),
    "40403 schema not found": ("/schemas/ids/999", 404, 40403),
    "40403 schema not found, versions": ("/schemas/ids/999/versions", 404, 40403),
    "40408 no compatibility of the subject's own": (f"/config/{SETTLED}", 404, 40408),
    "40409 no mode of the subject's own": (f"/mode/{SETTLED}", 404, 40409),
    "404 no such resource": ("/subject", 404, 404),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_is_there_is_told_in_the_documented_shape(registry: Any, case: str) -> None:
    path, expected = FOUND[case]
    answer = registry.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json() == expected


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_there_is_refused_with_the_documented_codes(registry: Any, case: str) -> None:
    path, status, code = REFUSED[case]
    answer = registry.get(path)
    assert (answer.status_code, answer.json()["error_code"]) == (status, code)
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json().keys() == {"error_code", "message"}


def test_the_latest_version_is_asked_for_by_its_name(registry: Any) -> None:
    assert registry.get(f"/subjects/{ENTRY}/versions/latest").json()["id"] == 29


def test_schema_types_compatibility_and_mode_are_told(registry: Any) -> None:
    assert "AVRO" in registry.get("/schemas/types").json()
    assert registry.get("/config").json().keys() == {"compatibilityLevel"}
    assert registry.get("/mode").json().keys() == {"mode"}
    assert registry.get(f"/config/{SETTLED}?defaultToGlobal=true").json().keys() == {"compatibilityLevel"}


def test_a_schema_is_looked_up_under_a_subject(registry: Any) -> None:
    found = registry.post(f"/subjects/{SETTLED}", json={"schema": TEXT})
    assert found.json() == {"subject": SETTLED, "version": 1, "id": 11, "schema": TEXT}
    other = registry.post(f"/subjects/{SETTLED}", json={"schema": '"string"'})
    assert (other.status_code, other.json()["error_code"]) == (404, 40403)
    nobody = registry.post("/subjects/nobody", json={"schema": TEXT})
    assert (nobody.status_code, nobody.json()["error_code"]) == (404, 40401)
    broken = registry.post(f"/subjects/{SETTLED}", json={"schema": "{"})
    assert (broken.status_code, broken.json()["error_code"]) == (422, 42201)
    foreign = registry.post(f"/subjects/{SETTLED}", json={"schema": TEXT, "schemaType": "PROTOBUF"})
    assert (foreign.status_code, foreign.json()["error_code"]) == (422, 42201)


# What writes, of the fake alone.


def post(registry: FakeRegistry, name: str, schema: str, **more: Any) -> tuple[int, Any]:
    answer = registry.client().post(f"/subjects/{name}/versions", json={"schema": schema, **more})
    return answer.status_code, answer.json().get("id", answer.json().get("error_code"))


def mode(registry: FakeRegistry, name: str, wanted: str, **query: str) -> tuple[int, Any]:
    answer = registry.client().put(f"/mode/{name}", params=query, json={"mode": wanted})
    return answer.status_code, answer.json().get("mode", answer.json().get("error_code"))


def test_registering_gives_ids_in_order_and_the_same_again_for_the_same() -> None:
    # Register a new schema under the specified subject.
    registry = FakeRegistry()
    assert post(registry, "one", '"string"') == (200, 1)
    assert post(registry, "two", '"long"') == (200, 2)
    assert post(registry, "one", '"string"') == (200, 1)
    assert post(registry, "three", '"string"') == (200, 1)
    assert registry.subjects == {"one": {1: 1}, "two": {1: 2}, "three": {1: 1}}


def test_an_id_is_taken_in_import_mode_alone_and_wanted_there() -> None:
    # Modes: "IMPORT"; 42205 operation not permitted.
    registry = FakeRegistry()
    assert post(registry, "one", '"string"', id=7) == (422, 42205)
    assert mode(registry, "one", "IMPORT") == (200, "IMPORT")
    assert post(registry, "one", '"string"') == (422, 42205)
    assert post(registry, "one", '"string"', id=7) == (200, 7)
    assert post(registry, "one", '"string"', id=7) == (200, 7)
    assert post(registry, "one", '"long"', id=7) == (422, 42205)
    assert registry.schemas == {7: '"string"'}


def test_import_mode_of_a_subject_with_schemas_has_to_be_forced() -> None:
    # Update mode for the specified subject: `force`.
    registry = FakeRegistry()
    post(registry, "one", '"string"')
    assert mode(registry, "one", "IMPORT") == (422, 42205)
    assert mode(registry, "one", "IMPORT", force="true") == (200, "IMPORT")
    assert mode(registry, "one", "PLAY") == (422, 42204)
    assert registry.client().delete("/mode/one").json() == {"mode": "IMPORT"}
    assert registry.client().delete("/mode/one").json()["error_code"] == 40401


def test_modes_may_be_locked_and_a_read_only_subject_takes_nothing() -> None:
    # mode.mutability; Modes: "READONLY".
    assert mode(FakeRegistry(mutable_modes=False), "one", "IMPORT") == (422, 42205)
    assert post(FakeRegistry(mode="READONLY"), "one", '"string"') == (422, 42205)


def test_a_version_is_deleted_softly_first_and_then_for_good() -> None:
    # Deletes a specific version of the schema registered under this subject: `permanent`.
    registry = FakeRegistry()
    post(registry, "one", '"string"')
    path = "/subjects/one/versions/1"
    assert registry.client().delete(f"{path}?permanent=true").json()["error_code"] == 40407
    assert registry.client().delete(path).json() == 1
    assert registry.client().get("/subjects").json() == []
    assert registry.client().delete(f"{path}?permanent=true").json() == 1


# What ours does beside: it only reads.


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", f"/subjects/{SETTLED}/versions"), ("DELETE", f"/subjects/{SETTLED}"),
        ("DELETE", f"/subjects/{SETTLED}/versions/1"), ("PUT", "/config"), ("PUT", f"/config/{SETTLED}"),
        ("DELETE", f"/config/{SETTLED}"), ("PUT", "/mode"), ("PUT", f"/mode/{SETTLED}"),
        ("POST", "/schemas/ids/1"),
    ],
)  # fmt: skip
def test_what_would_write_is_answered_405_with_an_error_body(method: str, path: str) -> None:
    answer = ours(CATALOGUE).request(method, path, json={"schema": TEXT, "mode": "IMPORT"})
    assert answer.status_code == 405
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["error_code"] == 405
    assert "only reads" in answer.json()["message"]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'{"schema": 7}', b"[" * 100_000, b"\xff", b"null"])
def test_a_body_that_is_no_request_is_refused(body: bytes) -> None:
    answer = ours(CATALOGUE).post(f"/subjects/{SETTLED}", content=body)
    assert answer.status_code in (400, 422)
    assert answer.json().keys() == {"error_code", "message"}


def test_a_schema_that_is_nested_too_deeply_is_refused() -> None:
    deep = '{"type":"array","items":' * 400 + '"int"' + "}" * 400
    answer = ours(CATALOGUE).post(f"/subjects/{SETTLED}", json={"schema": deep})
    assert answer.json()["error_code"] in (40403, 42201)


def test_a_body_without_an_end_is_refused() -> None:
    answer = ours(CATALOGUE).post(f"/subjects/{SETTLED}", content=b"x" * 2_000_000)
    assert answer.json()["error_code"] == 413


def test_schemas_are_listed_filtered_and_paged() -> None:
    registry = ours(CATALOGUE)
    prefix = "/schemas?subjectPrefix=:*:goodfunds.events.Bank"
    assert [each["id"] for each in registry.get(prefix).json()] == [20, 29]
    assert [each["id"] for each in registry.get(f"{prefix}&latestOnly=true").json()] == [29]
    assert registry.get("/subjects?subjectPrefix=nobody").json() == []
    assert registry.get("/subjects?offset=1&limit=2").json() == sorted(CATALOGUE.by_subject)[1:3]
    assert registry.get("/subjects?limit=x").status_code == 404
    assert registry.get("/schemas/ids/1?fetchMaxId=true").json()["maxId"] == max(CATALOGUE.by_id)
    assert registry.get("/schemas/ids/11/schema").json() == json.loads(TEXT)
    assert registry.get("/schemas/ids/11/subjects").json() == [SETTLED]
    assert registry.get(f"/subjects/{SETTLED}/versions/1/referencedby").json() == []
    assert registry.get("/contexts").json() == ["."]
    assert registry.get("/").json() == {}
