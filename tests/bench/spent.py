"""What processes have spent so far: CPU seconds, Postgres with its backends."""

from collections.abc import Mapping
from contextlib import suppress

import psutil

from goodfunds.local import stack as local


def cpu_seconds(stack: local.Stack) -> dict[str, float]:
    """CPU seconds so far of each process, Postgres with its backends."""
    found = {}
    for name, running in stack.running.items():
        process = psutil.Process(running.pid)
        # Before the children: one that ends meanwhile counts as neither, for the moment, never twice.
        own = process.cpu_times()
        seconds = own.user + own.system + own.children_user + own.children_system
        for child in process.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                times = child.cpu_times()
                seconds += times.user + times.system
        found[name] = seconds
    return found


def own_cpu_seconds() -> float:
    """Of this process: the load."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system)


def micros_each(before: Mapping[str, float], after: Mapping[str, float], payments: int) -> dict[str, float]:
    """CPU µs a payment by process."""
    return {name: round((after[name] - before.get(name, 0.0)) / payments * 1e6, 1) for name in after}
