"""docs/scale.md: what a cluster needs for a rate, from what the bench measured and what is assumed."""

from datetime import UTC, datetime

from tests.bench.cluster import LANE_SERVICES, Assumed, Costs, cluster, hottest_account, limits
from tests.bench.findings import Findings
from tests.bench.performance import machine

_RATES = (10_000, 100_000, 1_000_000)


def scale_page(found: Findings, assumed: Assumed = Assumed()) -> str:  # noqa: B008 - frozen
    """The page."""
    last = found.system[-1]
    costs = Costs(last.cpu_us, last.written.wal, last.written.tables, last.written.kafka)
    bounds, clusters = limits(costs, assumed), [cluster(rate, costs, assumed) for rate in _RATES]
    return "\n".join([
        "# Scale",
        "",
        f"What a cluster needs, worked out by `tests/bench/cluster.py` from what `make bench` measured on"
        f" {datetime.now(UTC):%Y-%m-%d} ({machine()}). Nothing on this page was run on a cluster.",
        "",
        "## Measured: what one payment costs",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name}, µs CPU | {micro:,.0f} |" for name, micro in last.cpu_us.items()),
        f"| write-ahead log of the three databases, bytes | {costs.wal_bytes:,.0f} |",
        f"| tables and indexes of the three databases, bytes | {costs.table_bytes:,.0f} |",
        f"| topics, bytes before replication | {costs.kafka_bytes:,.0f} |",
        "",
        "That a payment costs no more with more lanes, instances or rows is measured too:"
        " [performance.md](performance.md), Scale and Growth.",
        "",
        "## Assumed",
        "",
        f"Cores as fast as one of that machine, at most {assumed.load:.0%} busy at the peak; each service's"
        f" Postgres with {assumed.postgres_cores} cores and a write-ahead log of"
        f" {assumed.wal_mb_a_second:,.0f} MB/s; brokers that take {assumed.broker_mb_a_second:,.0f} MB/s"
        f" each; replication {assumed.replication}. Two instances of each service at the least.",
        "",
        "## What breaks first",
        "",
        "In one cell, that is one house with its topics, its three databases and its two feeds, however many"
        " instances it has:",
        "",
        "| what is full | at, payments a second |",
        "|---|---|",
        *(f"| {bound.what} | {bound.rate:,.0f} |" for bound in bounds),
        f"| one account: one lane, one process of each service | {hottest_account(costs, assumed):,.0f} |",
        "",
        "A feed is one instance at a time because a bank's outbox is one, and files go out in one order."
        " Beyond it stand cells side by side: accounts are spread over them by the client, or by bank, each"
        " with a nostro and a connection to the bank of its own. Cells share nothing, so the rates add up.",
        "",
        "## What a rate needs",
        "",
        "| payments a second, at the peak | "
        + " | ".join(f"{each.rate:,}" for each in clusters) + " |",
        f"|---|{'---|' * len(clusters)}",
        _row("cells", [each.cells for each in clusters]),
        *(
            _row(f"instances of {name} in each cell", [each.instances[name] for each in clusters])
            for name in LANE_SERVICES
        ),
        _row("lanes (partitions of each topic) in each cell", [each.lanes for each in clusters]),
        _row("databases", [each.cells * len(LANE_SERVICES) for each in clusters]),
        _row("cores of Postgres in all", [round(each.postgres_cores) for each in clusters]),
        _row("brokers in all", [each.brokers for each in clusters]),
        _row("GB of tables a day, if the peak lasted", [round(each.table_gb_a_day) for each in clusters]),
        "",
    ])  # fmt: skip


def _row(name: str, values: list[int]) -> str:
    return f"| {name} | {' | '.join(f'{value:,}' for value in values)} |"
