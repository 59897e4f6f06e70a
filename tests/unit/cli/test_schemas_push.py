"""`goodfunds schemas push` and `registry` as people and programs run them."""

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from goodfunds.cli import schemas as module
from goodfunds.cli.root import root
from tests.contract.registry.fake import FakeRegistry

URL = "https://ada:secret@registry.example/contexts/.goodfunds"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    made = FakeRegistry()
    monkeypatch.setattr(module, "client", lambda _url: made.client())
    return made


def push(*more: str) -> Result:
    return CliRunner().invoke(root, ["schemas", "push", URL, *more])


def test_a_push_is_told_in_words(registry: FakeRegistry) -> None:
    told = push()
    assert told.exit_code == 0
    assert "registered goodfunds.events.BankEntryReported version 2 as 29\n" in told.stdout
    assert told.stdout.endswith("30 new, 0 there before\n")
    assert push().stdout == "0 new, 30 there before\n"


def test_a_push_is_told_as_one_object_without_the_password(registry: FakeRegistry) -> None:
    told = json.loads(push("--dry-run", "--json").stdout)
    assert told["registry"] == "https://registry.example/contexts/.goodfunds"
    assert (told["dry_run"], len(told["registered"]), told["stood"]) == (True, 30, [])
    assert told["registered"][0] == {"id": 1, "subject": "goodfunds.events.PaymentInstruction", "version": 1}
    assert registry.writes == []


def test_ids_that_are_taken_are_told_and_the_exit_code_says_not_done(registry: FakeRegistry) -> None:
    registry.client().post("/subjects/orders-value/versions", json={"schema": '"string"'})
    told = push("--json")
    assert told.exit_code == 2
    assert told.stdout == ""
    assert "id 1 stands for another schema there" in told.stderr
    assert "nothing was registered" in told.stderr
    assert "secret" not in told.output


def test_the_address_may_come_from_the_environment(
    registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODFUNDS_SCHEMA_REGISTRY", URL)
    assert CliRunner().invoke(root, ["schemas", "push", "--dry-run"]).exit_code == 0


def test_the_schemas_of_another_folder_are_pushed(registry: FakeRegistry, tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "7.avsc").write_text(
        '{"type": "record", "namespace": "other", "name": "One", "fields": []}'
    )
    (tmp_path / "registry.lock.json").write_text(
        json.dumps({"schemas": [{"id": 7, "name": "One", "fingerprint": ""}]})
    )
    assert push("--schemas", str(tmp_path)).exit_code == 0
    assert registry.subjects == {"other.One": {1: 7}}


def test_what_does_not_answer_as_a_registry_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    page = httpx.MockTransport(lambda _: httpx.Response(200, content=b"<html></html>"))
    monkeypatch.setattr(module, "client", lambda url: httpx.Client(base_url=url, transport=page))
    told = push()
    assert told.exit_code == 2
    assert "does not answer /contexts/.goodfunds/subjects: HTTP 200" in told.stderr
    assert "secret" not in told.output
