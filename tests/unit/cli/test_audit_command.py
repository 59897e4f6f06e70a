"""`goodfunds audit`: entries are listed, the chain is verified, and a hash that was kept is looked for."""

import json

import pytest

from goodfunds.operating.audit_shapes import EntryView, VerificationView
from tests.unit.cli.fake_answers import AT, PLAN
from tests.unit.cli.fake_services import House, page


def test_the_audit_is_listed_and_verified(house: House) -> None:
    entry = EntryView(audit_seq=1, at=AT, actor="ada", action="planned", plan_id=PLAN,
                      detail={"kind": "replay", "lanes": [3]}, previous="00", hash="11")  # fmt: skip
    house.service.on("GET", "/v1/audit", page(entry.model_dump(mode="json")))
    told = " ".join(house.run("audit", "--plan", PLAN).stdout.split())
    for each in ("2026-03-03 08:00:00", "ada", "planned", "lanes [3]"):
        assert each in told, each
    good = VerificationView(verified=True, entries=7, head=7, hash="ab12", broken=None, why="", kept=0)
    house.service.on("GET", "/v1/audit/verification", (200, good.model_dump()))
    assert house.run("audit", "--verify").stdout == "settlement:1: 7 entries as written, up to ab12\n"
    broken = VerificationView(
        verified=False, entries=3, head=7, hash="ab12", broken=4, why="[its] hash", kept=0
    )
    house.service.on("GET", "/v1/audit/verification", (200, broken.model_dump()))
    answer = house.run("audit", "--verify")
    assert (answer.exit_code, answer.stdout) == (1, "settlement:1: BROKEN at entry 4: [its] hash\n")
    assert json.loads(house.run("audit", "--verify", "--json").stdout)["verified"] is False


@pytest.mark.parametrize(("at", "code"), [(4, 0), (0, 1)])
def test_a_hash_that_was_kept_is_looked_for(house: House, at: int, code: int) -> None:
    found = VerificationView(verified=True, entries=7, head=7, hash="ab12", broken=None, why="", kept=at)
    house.service.on("GET", "/v1/audit/verification", (200, found.model_dump()))
    answer = house.run("audit", "--verify", "--kept", "a" * 64)
    assert (answer.exit_code, "IS GONE" in answer.stdout) == (code, at == 0)
    assert dict(house.service.asked[-1].url.params) == {"kept": "a" * 64}


def test_a_mistake_in_what_is_asked_of_the_audit_is_told_and_not_sent(house: House) -> None:
    for words in (
        ("--plan", "7"),
        ("--verify", "--plan", PLAN),
        ("--kept", "a" * 64),
        ("--verify", "--kept", "A"),
    ):
        assert house.run("audit", *words).exit_code == 2
    assert house.service.asked == []
    house.service.on("GET", "/v1/audit", page())
    assert house.run("audit", "--plan", PLAN).stdout == "nothing was done with a plan of that id\n"
