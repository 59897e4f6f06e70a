"""A long run of stories that is told to end leaves no server behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Timer

import psutil
import pytest

LONGEST = 120.0
"""Seconds: a server's start and a story take about ten; the rest is for a machine that others use too."""


@pytest.mark.long
def test_a_run_of_stories_ends_on_sigterm_after_the_story_and_stops_its_server(servers: Path) -> None:
    folder = servers / "ending"
    folder.mkdir()
    folder.chmod(0o755)
    command = [sys.executable, "-m", "tests.simulation", "--seeds", "100000", "--steps", "3"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "TMPDIR": str(folder)},
    ) as running:  # fmt: skip
        giving_up = Timer(LONGEST, running.terminate)
        giving_up.start()
        try:
            assert running.stderr is not None
            assert "seed 1 holds" in running.stderr.readline()
            [lock] = folder.glob("*/postgres/data/postmaster.pid")
            server = psutil.Process(int(lock.read_text().splitlines()[0]))
            running.send_signal(signal.SIGTERM)
            told, _ = running.communicate()
        finally:
            running.terminate()
            giving_up.cancel()
    assert running.returncode == 128 + signal.SIGTERM
    assert "0 fallen" in told
    assert not server.is_running()
    assert list(folder.iterdir()) == []
