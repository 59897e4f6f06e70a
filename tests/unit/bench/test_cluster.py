"""The model of a cluster: what bounds a cell, and that twice the payments never need less."""

import pytest

from tests.bench.cluster import Assumed, Costs, cluster, hottest_account, limits

_COSTS = Costs(
    {
        "postgres": 100.0, "ingestion": 30.0, "settlement": 60.0, "reconciliation": 50.0,
        "settlement-gateway": 40.0, "reconciliation-statements": 20.0,
    },
    wal_bytes=3_000.0,
    table_bytes=2_000.0,
    kafka_bytes=4_000.0,
)  # fmt: skip
_ASSUMED = Assumed(load=0.5)


def test_the_feed_that_costs_most_bounds_a_cell() -> None:
    first = limits(_COSTS, _ASSUMED)[0]
    assert first.what.startswith("settlement-gateway")
    assert first.rate == pytest.approx(12_500)


def test_one_account_goes_as_fast_as_its_slowest_lane() -> None:
    assert hottest_account(_COSTS, _ASSUMED) == pytest.approx(1e6 * 0.5 / 60)


def test_what_a_cell_cannot_do_is_spread_over_cells() -> None:
    small, large = cluster(10_000, _COSTS, _ASSUMED), cluster(100_000, _COSTS, _ASSUMED)
    assert (small.cells, large.cells) == (1, 8)
    assert small.instances == {"ingestion": 2, "settlement": 2, "reconciliation": 2}
    assert small.lanes == 12
    assert small.brokers == 3
    assert large.brokers == 24


@pytest.mark.parametrize("rate", [1_000, 10_000, 100_000, 1_000_000])
def test_twice_the_payments_never_need_less(rate: int) -> None:
    once, twice = cluster(rate, _COSTS, _ASSUMED), cluster(2 * rate, _COSTS, _ASSUMED)
    assert twice.cells >= once.cells
    assert twice.brokers >= once.brokers
    assert twice.postgres_cores >= once.postgres_cores
