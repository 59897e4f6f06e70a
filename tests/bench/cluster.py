"""What a rate needs of a cluster: from what one payment costs here, and what is assumed of machines. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

LANE_SERVICES = ("ingestion", "settlement", "reconciliation")
FEEDS = ("settlement-gateway", "reconciliation-statements")
"""One instance at a time works a feed, on one core: several stand by."""


@dataclass(frozen=True, slots=True)
class Costs:
    """Of one payment: CPU µs by process; bytes of write-ahead log and tables by database, of Kafka in all."""

    cpu_us: Mapping[str, float]
    wal_bytes: float
    table_bytes: float
    kafka_bytes: float


@dataclass(frozen=True, slots=True)
class Assumed:
    """Of machines, not measured here. `load`: of a core or a disk at the peak; a core as fast as one here."""

    load: float = 0.6
    postgres_cores: int = 16
    wal_mb_a_second: float = 300.0
    broker_mb_a_second: float = 100.0
    replication: int = 3
    least_brokers: int = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """What one cell can do at the most, in payments a second, before this is full."""

    what: str
    rate: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cell is a whole house: topics, three databases, feeds of its own; accounts are spread over cells."""

    rate: int
    cells: int
    instances: Mapping[str, int]
    lanes: int
    brokers: int
    postgres_cores: float
    table_gb_a_day: float


def limits(costs: Costs, assumed: Assumed) -> list[Limit]:
    """What fills up first in one cell, the nearest first. More instances help against none of these."""
    found = [
        Limit(f"{name}: one instance, one core", 1e6 * assumed.load / costs.cpu_us[name])
        for name in FEEDS
        if costs.cpu_us.get(name)
    ]
    cores = assumed.postgres_cores * len(LANE_SERVICES)
    found.append(
        Limit("Postgres: cores of the three servers", 1e6 * cores * assumed.load / costs.cpu_us["postgres"])
    )
    wal = assumed.wal_mb_a_second * 1e6 * len(LANE_SERVICES)
    found.append(
        Limit("Postgres: write-ahead log of the three servers", wal * assumed.load / costs.wal_bytes)
    )
    return sorted(found, key=lambda limit: limit.rate)


def hottest_account(costs: Costs, assumed: Assumed) -> float:
    """Payments a second of one account: one lane, so one process of each service."""
    return 1e6 * assumed.load / max(costs.cpu_us[name] for name in LANE_SERVICES)


def cluster(rate: int, costs: Costs, assumed: Assumed) -> Cluster:
    """For a peak of so many payments a second. Instances and lanes are of one cell, the rest of all."""
    cells = ceil(rate / limits(costs, assumed)[0].rate)
    share = rate / cells
    instances = {
        name: max(ceil(share * costs.cpu_us[name] / 1e6 / assumed.load), 2) for name in LANE_SERVICES
    }
    # Twice as many lanes as instances, in whole dozens: when one is lost, its lanes are spread evenly.
    lanes = max(ceil(2 * max(instances.values()) / 12) * 12, 12)
    bytes_a_second = rate * costs.kafka_bytes * assumed.replication
    brokers = ceil(bytes_a_second / (assumed.broker_mb_a_second * 1e6 * assumed.load))
    return Cluster(
        rate,
        cells,
        instances,
        lanes,
        max(brokers, assumed.least_brokers),
        rate * costs.cpu_us["postgres"] / 1e6 / assumed.load,
        rate * costs.table_bytes * 86_400 / 1e9,
    )
