"""Records of a producer of goodfunds, as a consumer hands them over, for the client library's tests."""

from collections.abc import Sequence

from aiokafka import ConsumerRecord

from goodfunds.events.types import PaymentSettled
from tests.unit.client.events import settled

TOPIC = "settlement-notifications"


def record(
    offset: int,
    seq: int,
    producer: str = "settlement.a",
    lane: str = "0",
    event: PaymentSettled | None = None,
    topic: str = TOPIC,
    headers: Sequence[tuple[str, bytes]] | None = None,
) -> ConsumerRecord:
    """The `seq`th event of a producer's lane, at an offset of partition 0."""
    found = event or settled(seq)
    numbers = [("producer", producer.encode()), ("lane", lane.encode()), ("seq", b"%d" % seq)]
    named = [("ce_id", b"id-%d" % seq), ("ce_type", type(found).__name__.encode())]
    return ConsumerRecord(
        topic=topic, partition=0, offset=offset, timestamp=0, timestamp_type=1, key=found.account.encode(),
        value=found.encode(), checksum=None, serialized_key_size=0, serialized_value_size=0,
        headers=tuple(headers if headers is not None else numbers + named),
    )  # fmt: skip
