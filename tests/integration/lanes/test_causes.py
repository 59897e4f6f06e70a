"""What a replay elsewhere has caused is caused by it here too, and nothing else is."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from goodfunds import ids
from goodfunds.lanes import lane_of
from tests.integration.lanes.stage import Stage

CAUSES = (None, bytes(15) + b"1", bytes(15) + b"2", None, None)
"""Of the numbers of an account, in turn."""


class Caused(Stage):
    """A stage whose producer publishes what replays have caused among other things."""

    async def _send(self, producer: Any, key: str, value: bytes) -> Any:
        lane = lane_of(key, self.partitions)
        self.seqs[lane] = self.seqs.get(lane, 0) + 1
        headers = [("producer", b"test.1"), ("lane", b"%d" % lane), ("seq", b"%d" % self.seqs[lane])]
        cause = cause_of(int(value))
        if cause is not None:
            headers.append(("replay_id", cause))
        return await producer.send(self.source, value, key.encode(), lane, headers=headers)


def cause_of(number: int) -> bytes | None:
    cause = CAUSES[number % len(CAUSES)]
    return None if cause is None else ids.text(cause).encode()


async def test_events_name_the_replay_of_the_record_that_they_follow_from_in_order(
    kafka: Any, database: str, make_topics: Callable[..., Any]
) -> None:
    name = uuid4().hex[:8]
    stage = Caused(kafka.bootstrap, database, f"in-{name}", f"out-{name}", 2)
    await make_topics([stage.source, stage.target], 2)
    await stage.publish(keys=5, each=20)
    # Killed in the middle: the tail of its outbox names them as well.
    first = stage.start("a", "after-commit", "kill", nth=7)
    try:
        first.wait(30)
        stage.start("b")
        await stage.until_handled()
        await stage.until_published()
        await stage.assert_nothing_lost_doubled_or_reordered()
        events = await stage.events()
    finally:
        stage.end()
    assert [headers.get("replay_id") for _, _, _, headers in events] == [
        cause_of(number) for _, _, number, _ in events
    ]
    rows = await stage.fetch("SELECT convert_from(body, 'UTF8')::int AS number, replay_id FROM outbox_events")
    assert {row["replay_id"] for row in rows} == set(CAUSES)
    assert all(row["replay_id"] == CAUSES[row["number"] % len(CAUSES)] for row in rows)
