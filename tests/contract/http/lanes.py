"""Lanes that have worked: each has handled and told something, one has parked events; and an audit."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from goodfunds.audit.chain import append
from goodfunds.lanes import Emission
from goodfunds.lanes.frame import number, pack
from goodfunds.postgres import connect
from tests.unit.ingestion.requests import instruction

LANES = 4
HANDLED = 100
AT = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
VALUE = instruction().encode()
HEADERS = [["ce_type", b"PaymentInstruction".hex()], ["odd", "ff"], ["none", None]]


async def fill_lanes(dsn: str, inputs: Sequence[str], client: str) -> None:
    """Write them as their owners would have, and `client` as who planned something once."""
    told = [Emission("payments", 0, b"DE00ADA", "PaymentInstruction", VALUE, b"")] * 3
    topics, events, frame = pack(number(told, {}))
    offsets = json.dumps(dict.fromkeys(inputs, HANDLED))
    connection = await connect(dsn, "tests")
    try:
        await connection.execute("INSERT INTO cluster (partitions) VALUES ($1) ON CONFLICT DO NOTHING", LANES)
        await connection.execute(
            "INSERT INTO lanes (lane, incarnation, offsets, outbox_seq, published_seq)"
            " SELECT lane, 'x', $1::jsonb, 1, lane % 2 FROM generate_series(0, $2) lane",
            offsets, LANES - 1,
        )  # fmt: skip
        await connection.executemany(
            "INSERT INTO outbox (lane, outbox_seq, decided_at, topics, events, frame)"
            " VALUES ($1, 1, $2, $3, $4, $5)",
            [(lane, AT, list(topics), events, frame) for lane in range(LANES)],
        )
        await connection.executemany(
            "INSERT INTO parked (lane, topic, source_partition, source_offset, key, value, headers,"
            " broker_time_ms, amount_minor, currency, poison, fault, parked_at)"
            " VALUES (0, $6, 0, $1, 'DE00ADA', $2, $3, 1, 5, 'EUR', $4, 'KeyError: no', $5)",
            [(offset, VALUE, json.dumps(HEADERS), offset == 0, AT, inputs[0]) for offset in range(3)],
        )
        async with connection.transaction():
            await append(connection, AT, client, "planned", None, {"kind": "replay"})
    finally:
        await connection.close()
