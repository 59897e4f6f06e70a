"""`schemas push`: ids end as in the lock or nothing is left; twice is once; a dry run writes nothing."""

import json
from collections.abc import Callable

import httpx
import pytest

from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.registry import Catalogue, find_schemas, read_catalogue
from goodfunds.registry.push import client, push
from tests.contract.registry.fake import FakeRegistry

CATALOGUE = read_catalogue(find_schemas())
EARLIER = Catalogue(CATALOGUE.versions[:28])
"""Before two events got a second version."""


def registered(registry: FakeRegistry) -> dict[int, str]:
    return {
        number: f"{name}/{version}"
        for name, versions in registry.subjects.items()
        for version, number in versions.items()
    }


WANTED = {each.id: f"{each.subject}/{each.version}" for each in CATALOGUE.versions}


def test_an_empty_registry_gets_all_under_the_ids_of_the_lock() -> None:
    registry = FakeRegistry()
    pushed = push(registry.client(), CATALOGUE)
    assert pushed.registered == CATALOGUE.versions
    assert pushed.stood == ()
    assert registered(registry) == WANTED
    assert {number: json.loads(text) for number, text in registry.schemas.items()} == {
        each.id: each.schema for each in CATALOGUE.versions
    }


def test_what_others_have_there_is_left_alone_and_the_ids_are_ours_all_the_same() -> None:
    registry = FakeRegistry(next_id=500)
    registry.client().post("/subjects/orders-value/versions", json={"schema": '"string"'})
    push(registry.client(), CATALOGUE)
    assert registered(registry) == {500: "orders-value/1", **WANTED}


def test_a_second_push_writes_nothing() -> None:
    registry = FakeRegistry()
    push(registry.client(), CATALOGUE)
    registry.writes.clear()
    pushed = push(registry.client(), CATALOGUE)
    assert (pushed.registered, pushed.stood) == ((), CATALOGUE.versions)
    assert registry.writes == []


def test_only_what_is_new_is_pushed_also_to_a_subject_that_has_schemas() -> None:
    registry = FakeRegistry()
    push(registry.client(), EARLIER)
    pushed = push(registry.client(), CATALOGUE)
    assert [each.id for each in pushed.registered] == [29, 30]
    assert registered(registry) == WANTED


def test_a_dry_run_tells_and_writes_nothing() -> None:
    registry = FakeRegistry()
    pushed = push(registry.client(), CATALOGUE, dry_run=True)
    assert pushed.registered == CATALOGUE.versions
    assert registry.writes == []


def test_a_subject_is_left_in_the_mode_in_which_it_was() -> None:
    registry = FakeRegistry()
    own = CATALOGUE.versions[0].subject
    registry.modes[own] = "READWRITE"
    push(registry.client(), CATALOGUE)
    assert registry.modes == {own: "READWRITE"}


def test_without_import_mode_the_ids_that_an_empty_registry_gives_are_ours() -> None:
    registry = FakeRegistry(mutable_modes=False)
    push(registry.client(), CATALOGUE)
    assert registered(registry) == WANTED


def test_without_import_mode_another_id_is_taken_back_and_told() -> None:
    registry = FakeRegistry(mutable_modes=False, next_id=7)
    with pytest.raises(Misconfigured, match="the id 7, not 1, which stands in every record; it was taken"):
        push(registry.client(), CATALOGUE)
    assert (registry.subjects, registry.deleted) == ({}, {CATALOGUE.versions[0].subject: {}})


def test_an_id_that_stands_for_another_schema_is_told_before_anything_is_written() -> None:
    registry = FakeRegistry()
    registry.client().post("/subjects/orders-value/versions", json={"schema": '"string"'})
    registry.writes.clear()
    with pytest.raises(Misconfigured, match="id 1 stands for another schema there"):
        push(registry.client(), CATALOGUE)
    assert registry.writes == []


def test_a_schema_that_has_another_id_there_is_told_before_anything_is_written() -> None:
    registry = FakeRegistry(next_id=812)
    settled = CATALOGUE.by_subject["goodfunds.events.PaymentSettled"][0]
    registry.client().post(f"/subjects/{settled.subject}/versions", json={"schema": settled.text})
    registry.writes.clear()
    with pytest.raises(Misconfigured, match=r"PaymentSettled has the id 812 there, and 11 in every record"):
        push(registry.client(), CATALOGUE)
    assert registry.writes == []


def test_a_registry_that_only_reads_is_told() -> None:
    with pytest.raises(Misconfigured, match="is in read-only mode"):
        push(FakeRegistry(mode="READONLY", mutable_modes=False).client(), CATALOGUE)


def test_a_push_that_was_interrupted_is_finished_by_the_next() -> None:
    registry = FakeRegistry()
    told = 0

    def interrupt() -> None:
        nonlocal told
        told += 1
        if told == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        push(registry.client(), CATALOGUE, done=interrupt)
    assert registry.modes == {}
    push(registry.client(), CATALOGUE)
    assert registered(registry) == WANTED


Handle = Callable[[httpx.Request], httpx.Response]


@pytest.mark.parametrize(
    "handle",
    [
        lambda _: httpx.Response(200, content=b"<html>hello</html>"),
        lambda _: httpx.Response(404, content=b"not here"),
        lambda _: httpx.Response(200, json={"subjects": []}),
        lambda _: httpx.Response(401, json={"error_code": 401, "message": "Unauthorized"}),
        lambda _: httpx.Response(500, json={"error_code": 50001, "message": "backend"}),
        lambda request: (
            httpx.Response(200, json=[])
            if request.url.path == "/subjects"
            else httpx.Response(404, content=b"no registry's 404")
        ),
    ],
)
def test_what_is_no_registry_or_does_not_answer_is_told(handle: Handle) -> None:
    with client("http://there", httpx.MockTransport(handle)) as http, pytest.raises(Unavailable):
        push(http, CATALOGUE)


def test_a_context_of_a_registry_is_part_of_its_address() -> None:
    asked = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=7)

    with client("http://there/contexts/.gf", httpx.MockTransport(handle)) as http, pytest.raises(Unavailable):
        push(http, CATALOGUE)
    assert asked == ["/contexts/.gf/subjects"]
