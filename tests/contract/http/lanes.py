"""Lanes that have worked: one is stopped, one has parked an event, and each has told something."""

import json
from datetime import UTC, datetime

from goodfunds.lanes import Emission
from goodfunds.lanes.frame import number, pack
from goodfunds.postgres import connect
from tests.unit.ingestion.requests import instruction

LANES = 4
AT = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
VALUE = instruction().encode()
HEADERS = [["ce_type", b"PaymentInstruction".hex()], ["odd", "ff"], ["none", None]]


async def fill_lanes(dsn: str) -> None:
    """Write them as their owners would have; a service's own tests may have begun with it."""
    topics, events, frame = pack(
        number([Emission("payments", 0, b"DE00ADA", "PaymentInstruction", VALUE, b"")] * 3, {})
    )
    connection = await connect(dsn, "tests")
    try:
        await connection.execute("INSERT INTO cluster (partitions) VALUES ($1) ON CONFLICT DO NOTHING", LANES)
        await connection.execute("DELETE FROM lanes")
        for lane in range(LANES):
            await connection.execute(
                "INSERT INTO lanes"
                " (lane, incarnation, owner, offsets, outbox_seq, published_seq, stopped_reason)"
                " SELECT $1, incarnation, 'tests', $2, 1, $1 % 2, $3 FROM cluster",
                lane, json.dumps({"payments": 7}), "broken" if lane == 3 else None,
            )  # fmt: skip
            await connection.execute(
                "INSERT INTO outbox (lane, outbox_seq, decided_at, topics, events, frame)"
                " VALUES ($1, 1, $2, $3, $4, $5)",
                lane, AT, list(topics), events, frame,
            )  # fmt: skip
        await connection.executemany(
            "INSERT INTO parked (lane, topic, source_partition, source_offset, key, value, headers,"
            " broker_time_ms, amount_minor, currency, poison, fault, parked_at)"
            " VALUES (0, 'payments', 0, $1, 'DE00ADA', $2, $3, 1, 5, 'EUR', $4, 'KeyError: no', $5)",
            [(offset, VALUE, json.dumps(HEADERS), offset == 0, AT) for offset in range(3)],
        )
    finally:
        await connection.close()
