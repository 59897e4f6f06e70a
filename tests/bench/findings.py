"""What a bench has found, and the figures that it prints of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from tests.bench.floor import Run
from tests.bench.growth import Grown
from tests.bench.latency import Latencies
from tests.bench.over_http import OverHttp
from tests.bench.scale import Scaled
from tests.bench.system import Measured


@dataclass(slots=True)
class Findings:
    """What a bench has found; what a quick one leaves out is empty. `system` and `floor` took turns.

    `batch_booked`: such a pair with a bank that books what a file says in one entry.
    """

    warm: Measured | None = None
    system: list[Measured] = field(default_factory=list)
    floor: list[Run] = field(default_factory=list)
    batch_booked: tuple[Measured, Run] | None = None
    latencies: list[Latencies] = field(default_factory=list)
    ingestion: tuple[float, float] = (0.0, 0.0)
    http: OverHttp | None = None
    file: float = 0.0
    shapes: dict[str, tuple[float, float]] = field(default_factory=dict)
    scale: list[Scaled] = field(default_factory=list)
    growth: list[Grown] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Payments a second through the whole chain."""
        return median(each.rate for each in self.system)

    @property
    def floor_rate(self) -> float:
        """Payments a second with nothing but aiokafka and COPY."""
        return median(each.rate for each in self.floor)

    @property
    def ratio(self) -> float:
        """Of the system's rate to the floor's: the median over pairs of runs that followed each other."""
        return median(ours.rate / bare.rate for ours, bare in zip(self.system, self.floor, strict=True))

    @property
    def cpu_ratio(self) -> float:
        """Of the floor's CPU a payment to the system's: what the waiting for a bank does not touch."""
        return median(
            sum(bare.cpu_us.values()) / sum(ours.cpu_us.values())
            for ours, bare in zip(self.system, self.floor, strict=True)
        )

    @property
    def grown(self) -> float:
        """CPU a payment with the most in the tables against the fewest; 0 where it was not measured."""
        return self.growth[-1].cost_us / self.growth[0].cost_us if self.growth else 0.0

    @property
    def cpu_us(self) -> Mapping[str, float]:
        """µs a payment by process, of the last run."""
        return self.system[-1].cpu_us

    def figures(self) -> dict[str, Any]:
        """As `--json` prints them."""
        last = self.system[-1]
        return {
            "payments": last.payments,
            "payments_per_second": round(self.rate),
            "floor_payments_per_second": round(self.floor_rate),
            "ratio": round(self.ratio, 3),
            "cpu_ratio": round(self.cpu_ratio, 3),
            "ingestion_payments_per_second": round(self.ingestion[0]),
            "http": self._over_http(),
            "file_payments_per_second": round(self.file),
            "commit_to_visible_p99_ms": round(self.latencies[0].commit_to_visible.p99, 1),
            "instruction_to_accepted_p99_ms": round(self.latencies[0].instruction_to_accepted.p99, 1),
            "latencies": [_latencies(each) for each in self.latencies],
            "cpu_us": dict(last.cpu_us),
            "floor_cpu_us": dict(self.floor[-1].cpu_us),
            "batch_booked": _batch_booked(self.batch_booked),
            "growth": [
                {"payments": each.payments, "cpu_us": round(each.cost_us, 1), "rss_mb": dict(each.rss_mb)}
                for each in self.growth
            ],
            "rss_mb": dict(last.rss_mb),
        }

    def _over_http(self) -> dict[str, float]:
        if self.http is None:
            return {}
        return {
            "payments_per_second": round(self.http.rate),
            "steady_payments_per_second": round(self.http.steady),
            "answered_p50_ms": round(self.http.answered.p50, 1),
            "answered_p99_ms": round(self.http.answered.p99, 1),
            "decided_p50_ms": round(self.http.decided.p50, 1),
            "decided_p99_ms": round(self.http.decided.p99, 1),
        }


def _batch_booked(pair: tuple[Measured, Run] | None) -> dict[str, Any] | None:
    if pair is None:
        return None
    ours, bare = pair
    return {
        "payments_per_second": round(ours.rate),
        "ratio": round(ours.rate / bare.rate, 3),
        "cpu_us": dict(ours.cpu_us),
    }


def _latencies(of: Latencies) -> dict[str, Any]:
    """p99, ms."""
    return {
        "payments_per_second": round(of.rate),
        "settled": of.settled,
        "commit_to_visible_p99_ms": round(of.commit_to_visible.p99, 1),
        "instruction_to_accepted_p99_ms": round(of.instruction_to_accepted.p99, 1),
        "instruction_to_settled_p99_ms": round(of.instruction_to_settled.p99, 1) if of.settled else None,
    }
