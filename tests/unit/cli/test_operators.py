"""Asking a service as an operator: tokens, refusals, waiting, and which exit code says what."""

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from goodfunds.access.tokens import new_secret
from goodfunds.cli.root import root
from tests.unit.cli.fake_answers import PLAN, lane, lanes, plan
from tests.unit.cli.fake_services import TOKEN, House, problem, refusal

APPROVE = ("POST", f"/v1/replays/{PLAN}/approve")


@pytest.fixture(autouse=True)
def answering(house: House) -> None:
    house.service.on("GET", f"/v1/replays/{PLAN}", (200, plan("rehearsed")))
    house.service.on(*APPROVE, (200, plan("approved")))
    house.service.on("GET", "/v1/lanes", (200, lanes(lane(0))))


def test_what_changes_something_needs_a_token_of_the_person(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOODFUNDS_TOKEN")
    answer = house.run("replay", "approve", PLAN)
    assert answer.exit_code == 2
    assert "goodfunds tokens create --client YOUR-NAME --scope lanes:read" in answer.output
    assert house.service.asked == []


def test_a_token_comes_from_the_environment_or_from_a_file(house: House, tmp_path: Path) -> None:
    other = new_secret()
    (tmp_path / "token").write_text(f"{other}\n")
    assert house.run("replay", "approve", PLAN).exit_code == 0
    assert house.run("replay", "approve", PLAN, "--token-file", str(tmp_path / "token")).exit_code == 0
    secrets = [each.headers["Authorization"] for each in house.service.asked]
    assert secrets == [f"Bearer {TOKEN}"] * 2 + [f"Bearer {other}"] * 2


def test_what_is_no_token_is_told_and_not_sent(house: House, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("gf_short")
    answer = house.run("lanes", "--token-file", str(tmp_path / "token"))
    assert answer.exit_code == 2
    assert "holds no token" in answer.output
    assert house.service.asked == []


def test_a_refusal_is_told_in_a_line_and_ends_with_1(house: House) -> None:
    why = "ada has planned it: somebody else has to approve it"
    house.service.on(*APPROVE, refusal("same-person", why))
    answer = house.run("replay", "approve", PLAN)
    assert (answer.exit_code, answer.stdout) == (1, "")
    assert answer.stderr == "settlement:1: ada has planned it: somebody else has to approve it\n"
    told = house.run("replay", "approve", PLAN, "--json")
    assert told.exit_code == 1
    assert json.loads(told.stdout)["refused"]["code"] == "same-person"


@pytest.mark.parametrize("status", [401, 403, 422])
def test_who_may_not_ask_or_asks_wrongly_has_not_got_it_done(house: House, status: int) -> None:
    errors = [{"pointer": "/to_offset", "detail": "it is exclusive"}]
    house.service.on(*APPROVE, problem(status, "no", errors=errors))
    answer = house.run("replay", "approve", PLAN)
    assert answer.exit_code == 2
    assert answer.output == "goodfunds: settlement:1: no; to_offset: it is exclusive\n"


def test_a_service_that_cannot_answer_now_is_asked_again(house: House) -> None:
    house.service.on("GET", "/v1/lanes", problem(503, "later"), problem(429, "later"), (200, lanes(lane(0))))
    assert house.run("lanes").exit_code == 0
    assert len(house.service.asked) == 3


def test_a_service_that_fails_or_is_no_service_of_ours_is_told(house: House) -> None:
    house.service.on("GET", "/v1/lanes", problem(500, "an internal fault; it was logged"))
    answer = house.run("lanes")
    assert answer.exit_code == 1
    assert "settlement:1 cannot answer now: an internal fault" in answer.output
    house.service.on("GET", f"/v1/replays/{PLAN}", (200, b"<html>"))
    answer = house.run("replay", "status", PLAN)
    assert (answer.exit_code, "does not answer as it should" in answer.output) == (2, True)


def test_a_service_that_is_away_is_told(house: House) -> None:
    def away(request: httpx.Request) -> tuple[int, object]:
        raise httpx.ConnectError("refused", request=request)

    house.service.on("GET", f"/v1/replays/{PLAN}", away)
    answer = house.run("replay", "status", PLAN)
    assert answer.exit_code == 2
    assert "settlement:1 does not answer at http://settlement:1" in answer.output


@pytest.mark.parametrize("url", ["", "settlement", "ftp://settlement", "http://"])
def test_an_address_that_is_none_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOODFUNDS_TOKEN", TOKEN)
    answer = CliRunner().invoke(root, ["lanes", "--url", url])
    assert answer.exit_code == 2
    assert "http://" in answer.output
