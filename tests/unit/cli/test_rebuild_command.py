"""`goodfunds rebuild`: what came of it is shown, row by row where it differs, and what its exit codes say."""

import json
from dataclasses import replace
from typing import Any

import pytest

from goodfunds.cli import rebuild as command
from goodfunds.rebuild import CannotRebuild, Outcome, Tell
from goodfunds.rebuild.comparison import Compared, Difference
from goodfunds.service import Service
from tests.unit.cli.fake_services import House

AGREES = Outcome("reconciliation", records=6_000, seconds=2.0, compared=[Compared("breaks", 1_200, "a", "a")])
DIFFERS = replace(
    AGREES,
    compared=[Compared("breaks", 1_200, "a", "b")],
    different=[Difference("breaks", 2, 1, [{"break_id": "[red]1"}], [{"break_id": "2"}])],
)


@pytest.fixture
def asked(house: House, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What it is asked for; it tells how far it is, and comes to `AGREES`."""
    monkeypatch.setattr(command, "find", lambda _folder: house)
    return comes_to(monkeypatch, AGREES)


def comes_to(monkeypatch: pytest.MonkeyPatch, outcome: Outcome | CannotRebuild) -> list[Any]:
    seen: list[Any] = []

    async def rebuild(service: Service, postgres: str, kafka: str, check: bool, tell: Tell) -> Outcome:
        seen.append((service.name, postgres, kafka, check))
        tell("reading", 0, 6_000)
        tell("reading", 3_000, 6_000)
        tell("comparing", 6_000, 6_000)
        if isinstance(outcome, CannotRebuild):
            raise outcome
        return outcome

    monkeypatch.setattr(command, "run_rebuild", rebuild)
    return seen


def test_a_comparison_that_agrees_is_shown_table_by_table(house: House, asked: list[Any]) -> None:
    answer = house.run_beside_the_stack("rebuild", "--service", "reconciliation", "--check")
    assert answer.exit_code == 0
    for told in ("breaks", "1,200", "agrees", "6,000 records handled anew, 3,000 a second"):
        assert told in answer.stdout, told
    assert answer.stdout.endswith("it agrees: nothing was to be swapped\n")
    assert asked == [("reconciliation", house.postgres, house.kafka, True)]


def test_stages_are_told_once_each_beside_the_result(house: House, asked: list[Any]) -> None:
    answer = house.run_beside_the_stack("rebuild", "--service", "reconciliation", "--json")
    assert answer.stderr == "reading… 0 of 6,000 records\ncomparing… 6,000 of 6,000 records\n"
    assert len(asked) == 1


def test_a_swap_says_how_long_the_lanes_stood(
    house: House, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped = replace(AGREES, swapped=True, stood=0.61, tables=["breaks", "payments"])
    asked = comes_to(monkeypatch, swapped)
    answer = house.run_beside_the_stack("rebuild", "--service", "reconciliation")
    assert answer.exit_code == 0
    assert answer.stdout.endswith("swapped breaks, payments; the lanes stood for 0.6 s\n")
    read = json.loads(house.run_beside_the_stack("rebuild", "--service", "reconciliation", "--json").stdout)
    assert (read["swapped"], read["agrees"], read["records_per_second"]) == (True, True, 3_000)
    assert [each[3] for each in asked] == [False, False]


def test_what_differs_is_shown_row_by_row_and_ends_with_1(
    house: House, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    comes_to(monkeypatch, DIFFERS)
    answer = house.run_beside_the_stack("rebuild", "--service", "reconciliation")
    assert answer.exit_code == 1
    for told in (
        "differs: 2 rows only live, 1 only anew", 'breaks, live: {"break_id": "[red]1"}',
        'breaks, anew: {"break_id": "2"}', "it differs: nothing was swapped",
    ):  # fmt: skip
        assert told in answer.stdout, told
    answer = house.run_beside_the_stack("rebuild", "--service", "reconciliation", "--json")
    told = json.loads(answer.stdout)
    assert (answer.exit_code, told["agrees"], told["swapped"]) == (1, False, False)
    assert told["different"][0]["live_rows"] == [{"break_id": "[red]1"}]


def test_what_cannot_be_rebuilt_is_refused_with_every_reason(
    house: House, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reasons = ["lane 3 is stopped: [red]Gap", "payments/3 begins at offset 7"]
    comes_to(monkeypatch, CannotRebuild(reasons))
    answer = house.run_beside_the_stack("rebuild", "--service", "reconciliation", "--json")
    told = {"service": "reconciliation", "refused": reasons, "swapped": False}
    assert (answer.exit_code, json.loads(answer.stdout)) == (1, told)
    for reason in reasons:
        assert f"refused: {reason}" in answer.stderr


def test_a_service_that_is_none_is_a_mistake(house: House, asked: list[Any]) -> None:
    answer = house.run_beside_the_stack("rebuild", "--service", "moon")
    assert (answer.exit_code, asked) == (2, [])
    assert "no service is called moon" in answer.stderr
