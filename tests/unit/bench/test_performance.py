"""The report and the figures are made of what a bench has found, with the keys that others read."""

from pathlib import Path

from goodfunds.local import stack as local
from tests.bench.findings import Findings
from tests.bench.floor import Run
from tests.bench.growth import Cost, Grown
from tests.bench.latency import Latencies, percentiles
from tests.bench.lay import Laid
from tests.bench.over_http import OverHttp
from tests.bench.performance import page
from tests.bench.performance_chart import chart
from tests.bench.scale import Scaled
from tests.bench.scale_page import scale_page
from tests.bench.system import Measured
from tests.bench.written import Written

_KEYS = {
    "payments_per_second", "floor_payments_per_second", "ratio", "ingestion_payments_per_second",
    "commit_to_visible_p99_ms", "instruction_to_accepted_p99_ms", "http", "cpu_us", "growth", "rss_mb",
}  # fmt: skip
_NAMES = ("postgres", "kafka", *local.PROCESSES)


def _found() -> Findings:
    each = percentiles([number / 1000 for number in range(1, 1001)])
    cpu, memory = dict.fromkeys((*_NAMES, "load"), 10.0), dict.fromkeys(_NAMES, 90)
    costs = [
        Cost(dict.fromkeys(_NAMES, micro), 5_000, dict.fromkeys(local.PROCESSES, 95.4)) for micro in (9, 10)
    ]
    bytes_each = Written(3_000.0, 2_000.0, 4_000.0)
    ours = Measured(200_000, 25.0, 14.0, 20.0, cpu, memory, bytes_each)
    return Findings(
        warm=Measured(10_000, 5.0, 2.0, 4.0, cpu, memory, bytes_each),
        system=[ours, ours],
        floor=[Run(100_000, seconds, {"postgres": 5.0, "load": 5.0}) for seconds in (5.0, 10.0)],
        latencies=[
            Latencies(1_000.0, settled, each, each, each, each, each, each) for settled in (False, True)
        ],
        batch_booked=(ours, Run(100_000, 5.0, {"postgres": 5.0})),
        ingestion=(16_000.0, 40.0),
        http=OverHttp(450.0, 225.0, each, each),
        shapes={"a million accounts": (9_000.0, 120.0)},
        scale=[Scaled(6, 1, 50.0, 15_000.0), Scaled(12, 1, 50.0, 15_000.0)],
        growth=[Grown(size, Laid(size, {}), 1.0, 1.0, [], costs) for size in (100_000, 1_000_000)],
    )


def test_the_ratio_is_that_of_runs_that_followed_each_other() -> None:
    found = _found()
    # 8,000 against 20,000, then against 10,000.
    assert found.ratio == (0.4 + 0.8) / 2
    assert found.rate == 8_000
    assert found.floor_rate == 15_000


def test_the_figures_have_the_keys_that_others_read() -> None:
    figures = _found().figures()
    assert figures.keys() >= _KEYS
    assert figures["commit_to_visible_p99_ms"] == 991.0
    assert [each["payments"] for each in figures["growth"]] == [100_000, 1_000_000]
    assert figures["growth"][0]["rss_mb"]["ingestion"] == 95
    assert (figures["http"]["payments_per_second"], figures["http"]["answered_p50_ms"]) == (450, 501.0)
    assert figures["batch_booked"]["ratio"] == 0.4


def test_the_report_says_what_was_reached_and_what_was_not(tmp_path: Path) -> None:
    found = _found()
    told = page(found)
    assert "| ratio to the floor, whole chain | at least 0.5 | 0.60 | yes |" in told
    assert "| commit → visible, p99 at 1,000 a second, ms | at most 10 | 991.00 | **no** |" in told
    assert "| reconciliation | 90 | 95 | 95 |" in told
    assert "450 a second; at 225 a second one is answered after 501.0 / 991.0 / 1000.0 ms" in told
    chart(found, tmp_path / "performance.png")
    assert (tmp_path / "performance.png").stat().st_size > 0


def test_the_page_on_scale_says_what_is_full_first_and_what_each_rate_needs() -> None:
    told = scale_page(_found())
    # Each process of 10 µs, at most 60 % of a core.
    assert "| settlement-gateway: one instance, one core | 60,000 |" in told
    assert "| payments a second, at the peak | 10,000 | 100,000 | 1,000,000 |" in told
    assert "| cells | 1 | 2 | 17 |" in told
