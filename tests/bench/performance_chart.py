"""docs/performance.png: where the time goes, growth, memory along it, scale."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

from tests.bench.findings import Findings


def chart(found: Findings, path: Path) -> None:
    """A panel each."""
    mpl.use("Agg")
    from matplotlib import pyplot

    figure, ((spent, cost), (memory, scale)) = pyplot.subplots(2, 2, figsize=(14, 10))
    _spent(found, spent)
    sizes = [each.payments for each in found.growth]
    cost.plot(sizes, [each.cost_us for each in found.growth], marker="o")
    cost.set_title("µs CPU a payment, by payments in the tables")
    for name in found.growth[0].rss_mb:
        memory.plot(sizes, [each.rss_mb[name] for each in found.growth], marker="o", label=name)
    memory.set_title("resident memory, MB, by payments in the tables")
    memory.legend(fontsize=7)
    for axis in (cost, memory):
        axis.set_xscale("log")
    for instances in sorted({each.instances for each in found.scale}):
        of = [each for each in found.scale if each.instances == instances]
        scale.plot(
            [each.lanes for each in of], [each.cpu_us for each in of], marker="o",
            label=f"{instances} instances",
        )  # fmt: skip
    scale.set_title("ingestion: µs CPU a payment, by lanes")
    scale.legend()
    for axis in (cost, memory, scale):
        axis.set_ylim(0, axis.get_ylim()[1] * 1.05)
    for axis in (spent, cost, memory, scale):
        axis.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=90)
    pyplot.close(figure)


def _spent(found: Findings, axis: Any) -> None:
    """System and floor, process by process."""
    ours, bare = found.system[-1].cpu_us, found.floor[-1].cpu_us
    places = range(len(ours))
    theirs = [bare.get(name, 0.0) for name in ours]
    axis.barh([each - 0.2 for each in places], list(ours.values()), height=0.4, label="system")
    axis.barh([each + 0.2 for each in places], theirs, height=0.4, label="floor")
    axis.set_yticks(list(places), list(ours))
    axis.invert_yaxis()
    axis.legend()
    axis.set_title("µs CPU a payment")
