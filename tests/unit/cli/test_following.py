"""Whoever waits for a plan waits for its service, too; and a plan that is good no longer says so."""

import httpx
import pytest

from goodfunds.cli import following
from tests.unit.cli.fake_answers import AT, PLAN, plan
from tests.unit.cli.fake_services import House

OF_PLAN = f"/v1/replays/{PLAN}"


def test_a_service_that_starts_anew_is_waited_for_and_one_that_stays_away_is_told(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(request: httpx.Request) -> tuple[int, object]:
        raise httpx.ConnectError("refused", request=request)

    done = plan("done", outcome={"handled": 10}, finished_at=AT)
    house.service.on("POST", f"{OF_PLAN}/run", (200, plan("running")))
    house.service.on("GET", OF_PLAN, (200, plan("approved")), away, away, (200, done))
    answer = house.run("replay", "run", PLAN)
    assert (answer.exit_code, "waiting for it" in answer.stderr) == (0, True)
    monkeypatch.setattr(following, "_AWAY_SECONDS", 0.0)
    house.service.on("GET", OF_PLAN, (200, plan("approved")), away)
    answer = house.run("replay", "run", PLAN)
    assert answer.exit_code == 2
    assert f"goodfunds replay status {PLAN} --follow" in answer.stderr


@pytest.mark.parametrize("state", ["rehearsed", "approved"])
def test_a_plan_that_is_good_no_longer_says_so_and_what_to_do(house: House, state: str) -> None:
    house.service.on("GET", OF_PLAN, (200, plan(state, expires_at=AT, expired=True)))
    answer = house.run("replay", "status", PLAN)
    assert answer.exit_code == 0
    assert "expired" in answer.stdout
    assert answer.stdout.splitlines()[-1].startswith("next: plan again")
    assert "replay approve" not in answer.stdout
    assert "replay run" not in answer.stdout
