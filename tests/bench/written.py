"""What a house has written so far: write-ahead log, databases, and the logs of its topics, in bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from goodfunds.local import stack as local
from goodfunds.service import services

_WAL = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint"
_DATABASE = "SELECT pg_database_size(current_database())"


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes; of Kafka by one broker, so without replicas."""

    wal: float
    tables: float
    kafka: float

    def since(self, before: "Written", payments: int) -> "Written":
        """What a payment has added."""
        return Written(
            (self.wal - before.wal) / payments,
            (self.tables - before.tables) / payments,
            (self.kafka - before.kafka) / payments,
        )


async def written(stack: local.Stack, connections: Mapping[str, Any]) -> Written:
    """So far; of Kafka only the topics of the services, which are not compacted or dropped meanwhile."""
    topics = {topic for each in services().values() for topic in (*each.inputs, *each.outputs)}
    kafka = sum(
        segment.stat().st_size
        for place in (stack.folder / "kafka").rglob("*-*")
        if place.is_dir() and place.name.rpartition("-")[0] in topics
        for segment in place.glob("*.log")
    )
    first = next(iter(connections.values()))
    tables = [await each.fetchval(_DATABASE) for each in connections.values()]
    return Written(float(await first.fetchval(_WAL)), float(sum(tables)), float(kafka))
