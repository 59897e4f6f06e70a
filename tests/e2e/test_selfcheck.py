"""Every topic handled again by every service, after a day of ten thousand payments: nothing changes."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stacks import House, person, stack_of_a_demo

pytestmark = pytest.mark.long
"""Ten thousand payments, whose every event is handled twice: some minutes."""

PAYMENTS = 10_000
FAULTS = (
    "reject=0.05,return=0.05,doubled_answer=0.1,lost_answer=0.02,late_answer=0.02,echo_end_to_end_only=0.05,"
    "contradictory_answer=0.01,drop_upload=1"
)


@pytest.fixture(scope="module")
def house(servers: Path) -> Iterator[House]:
    with stack_of_a_demo(servers / "selfcheck", PAYMENTS, "--faults", FAULTS) as found:
        yield found


def test_a_full_replay_of_every_topic_through_every_service_changes_no_row_and_emits_no_event(
    house: House,
) -> None:
    told = person(house, "ada").asked("replay", "selfcheck", "--json")
    assert told["replayed"] > 3 * PAYMENTS
    assert (told["rows_changed"], told["events_emitted"]) == (0, 0)
    assert told["digest_before"] == told["digest_after"]
    assert house.asked("prove", "--json")["holds"]
