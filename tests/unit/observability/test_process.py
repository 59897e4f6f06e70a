"""A process: parts side by side, an end in good order by signal or fault."""

import asyncio
import gc
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from goodfunds.observability.process import run, together


@pytest.fixture(autouse=True)
def thaw() -> Iterator[None]:
    yield
    gc.unfreeze()


async def test_stop_lets_every_part_finish_what_it_holds() -> None:
    stop, finished = asyncio.Event(), []

    async def part(stopping: asyncio.Event) -> None:
        await stopping.wait()
        await asyncio.sleep(0)
        finished.append("batch")

    running = asyncio.create_task(together(stop, part, part))
    await asyncio.sleep(0)
    stop.set()
    await running
    assert finished == ["batch", "batch"]


async def test_a_part_s_fault_stops_the_others_in_good_order_and_is_raised() -> None:
    finished = []

    async def steady(stopping: asyncio.Event) -> None:
        await stopping.wait()
        finished.append("batch")

    async def broken(_stopping: asyncio.Event) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await together(asyncio.Event(), steady, broken)
    assert finished == ["batch"]


async def test_a_part_that_returns_ends_the_process() -> None:
    async def steady(stopping: asyncio.Event) -> None:
        await stopping.wait()

    async def done(_stopping: asyncio.Event) -> None:
        return

    await together(asyncio.Event(), steady, done)


async def test_a_part_that_does_not_end_in_time_is_cancelled() -> None:
    cancelled = []

    async def stubborn(_stopping: asyncio.Event) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    stop = asyncio.Event()
    stop.set()
    await together(stop, stubborn, grace_seconds=0.01)
    assert cancelled == [True]


async def test_what_was_built_before_is_taken_out_of_the_collector_s_walks() -> None:
    before = gc.get_freeze_count()

    async def done(_stopping: asyncio.Event) -> None:
        return

    await together(asyncio.Event(), done)
    assert gc.get_freeze_count() > before


def test_a_main_that_returns_is_exit_code_0_and_a_fault_is_1() -> None:
    async def done(_stopping: asyncio.Event) -> None:
        return

    async def broken(_stopping: asyncio.Event) -> None:
        raise RuntimeError("broken")

    assert run(done) == 0
    assert run(broken) == 1


PROGRAM = """
import asyncio, sys
from goodfunds.observability.process import run, together

async def part(stop):
    print("working", flush=True)
    await stop.wait()
    print("finishing", flush=True)
    {ending}
    print("finished", flush=True)

async def main(stop):
    await together(stop, part)

sys.exit(run(main))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_after_its_batch_with_exit_code_0(number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(ending="await asyncio.sleep(0)")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(number)
        told, _ = process.communicate(timeout=60)
    assert "finishing\n" in told
    assert told.endswith("finished\n")
    assert process.returncode == 0


def test_a_second_signal_cancels_what_does_not_end() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(ending="await asyncio.Event().wait()")],
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "working\n"
        process.send_signal(signal.SIGTERM)
        while "finishing" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGTERM)
        told, _ = process.communicate(timeout=60)
    assert "finished" not in told
    assert process.returncode == 1
