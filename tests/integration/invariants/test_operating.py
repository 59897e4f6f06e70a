"""What must always hold of replays and of the audit, broken on purpose."""

import pytest

from goodfunds.ids import derived_id
from tests.integration.invariants.floor import assert_stopped_with_evidence, break_on

SERVICE = "ingestion"
PLAN, OTHER = derived_id(0, b"plan").hex(), derived_id(0, b"other").hex()
HASH = f"decode('{'ab' * 32}', 'hex')"
SEEDS = [
    "INSERT INTO replay_plans (plan_id, kind, selection, reason, state, code_version, schema_version,"
    f" planned_by, planned_at, expires_at) VALUES ('{PLAN}', 'replay', '{{}}', '', 'rehearsed', '', '',"
    " 'ada', now(), now())",
    f"INSERT INTO replay_lanes (plan_id, lane, ranges, total) VALUES ('{PLAN}', 0, '[]', 0)",
    f"INSERT INTO audit VALUES (1, now(), 'ada', 'planned', NULL, '{{}}', {HASH}, {HASH})",
]
BREAKS = {
    "one person approves what they planned": ("four_eyes", "UPDATE replay_plans SET approved_by = 'ada'"),
    "one person approves under their name in other letters": (
        "four_eyes",
        "UPDATE replay_plans SET approved_by = 'ADA'",
    ),
    "a replay at no rate": ("goes_at_some_rate", "UPDATE replay_plans SET rate = 0"),
    "a share of no plan": (
        "shares_a_plan",
        f"INSERT INTO replay_lanes (plan_id, lane, ranges, total) VALUES ('{OTHER}', 0, '[]', 0)",
    ),
    "a slice of no share": (
        "slices_a_share",
        f"INSERT INTO replay_slices VALUES ('{PLAN}', 1, 0, 0, 0, '')",
    ),
    "a parked event of no share": (
        "picked_by_a_share",
        f"INSERT INTO replay_parked VALUES ('{PLAN}', 1, 1, 'in', 0, 0, '')",
    ),
    "an event discarded by no plan": (
        "discarded_by_a_plan",
        f"INSERT INTO replay_discarded VALUES ('{OTHER}', 0, 'in', 0, 0, '', NULL, '[]', 0, NULL, NULL, true,"
        " '', now(), now())",
    ),
    "an entry before the first": (
        "counts_from_the_first",
        f"INSERT INTO audit VALUES (0, now(), 'ada', 'ran', NULL, '{{}}', {HASH}, {HASH})",
    ),
    "an entry without a hash": (
        "chained_by_hashes",
        f"INSERT INTO audit VALUES (2, now(), 'ada', 'ran', NULL, '{{}}', {HASH}, '')",
    ),
    "an entry changed": ("never_changed", "UPDATE audit SET actor = 'bob'"),
    "an entry taken away": ("never_changed", "DELETE FROM audit"),
    "all entries taken away": ("never_emptied", "TRUNCATE audit"),
}


@pytest.mark.parametrize(("constraint", "statement"), BREAKS.values(), ids=BREAKS)
async def test_what_must_never_be_done_or_recorded_is_rolled_back(
    floor: str, constraint: str, statement: str
) -> None:
    assert_stopped_with_evidence(await break_on(floor, statement), constraint)
