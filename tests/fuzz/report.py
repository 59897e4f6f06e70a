"""The report of a fuzzing, in Markdown."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.fuzz.fuzzing import GROWTH_MB, HANGS_SECONDS, SLOW_SECONDS


def page(found: Sequence[Mapping[str, Any]], seconds: float, seed: int) -> str:
    """What each reader did with how many inputs."""
    wrong = [(told["name"], each) for told in found for each in told["wrong"]]
    return "\n".join([
        "# Fuzzing",
        "",
        f"Made by `make fuzz SECONDS={seconds:g} SEED={seed} PAGE=docs/fuzz.md` on"
        f" {datetime.now(UTC):%Y-%m-%d}: whatever reads bytes from outside got mutated ones of its own format"
        f" (`tests/fuzz`), for {seconds:g} seconds of CPU each, in a process each. An input has at most"
        " 200,000 bytes. It is wrong where the reader does anything but read or refuse it, takes more than"
        f" {SLOW_SECONDS:g} s of CPU or does not end in {HANGS_SECONDS:g}, and where the process crashes or"
        f" grows by more than {GROWTH_MB} MB.",
        "",
        f"**{sum(told['inputs'] for told in found):,} inputs, {len(wrong)} wrong.**",
        "",
        "| reader | inputs | of them refused | slowest, ms of CPU | grown, MB | wrong |",
        "|---|---|---|---|---|---|",
        *(
            f"| {told['name']} | {told['inputs']:,} | {told['refused']:,} | {told['slowest'] * 1000:.0f} |"
            f" {told['grown_mb']} | {len(told['wrong'])} |"
            for told in found
        ),
        *(["", "What went wrong:", ""] if wrong else []),
        *(f"- {name}: `{what.replace('`', ' ')}`" for name, what in wrong),
        "",
    ])  # fmt: skip
