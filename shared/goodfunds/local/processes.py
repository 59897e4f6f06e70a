"""Processes of the local stack: started detached, known by pid and start time, never looked for by name."""

import contextlib
import os
import random
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import psutil

_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST_PORT = 20_000
"""Below it lie the ports that well-known programs listen on."""
_TRIES = 100
_HELD: deque[socket.socket] = deque(maxlen=64)
"""Of the ports that were chosen last: by the time that so many more are, a server listens on each."""


@dataclass(frozen=True, slots=True)
class Running:
    """A process that we started: a pid may have been given out again, with its start time it is ours."""

    pid: int
    started: float

    def alive(self) -> bool:
        """Whether it still runs."""
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1.0
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


def unknown(_running: Running) -> None:
    """Nobody keeps a record of a process that is started."""


def free_port() -> int:
    """A port on loopback that is free now, and that no outgoing connection is given until it is used.

    A server binds seconds after its port was chosen; one of the system's own choice may be gone by then, and
    so may one that another process of ours chooses meanwhile: each holds the same number of UDP, where
    nothing of ours listens.
    """
    above = _first_of_outgoing()
    for _ in range(_TRIES if above > _LOWEST_PORT else 0):
        port = random.randrange(_LOWEST_PORT, above)  # noqa: S311 - not a secret
        if is_free(port) and _held(port):
            return port
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _held(port: int) -> bool:
    """Whether nobody else has chosen a port, which then is held for as long as this process needs it."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        holder.bind(("127.0.0.1", port))
    except OSError:
        holder.close()
        return False
    _HELD.append(holder)
    return True


def _first_of_outgoing() -> int:
    """The lowest port that the system gives to outgoing connections; 0 where it does not say."""
    try:
        return int(_OUTGOING.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def is_free(port: int) -> bool:
    """Whether a server could listen on a port of loopback."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


def start(
    command: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    user: str | None = None,
    folder: Path | None = None,
) -> Running:
    """Start a program in a session of its own, its output appended to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env=None if environment is None else {**os.environ, **environment},
            user=user,
            cwd=folder,
        )
    return Running(process.pid, psutil.Process(process.pid).create_time())


def stop(running: Running, seconds: float = 20.0, first: signal.Signals = signal.SIGTERM) -> None:
    """Ask a process to end, and end it when it does not."""
    for number, patience in ((first, seconds), (signal.SIGKILL, 5.0)):
        if not running.alive():
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(running.pid, number)
        deadline = monotonic() + patience
        while running.alive() and monotonic() < deadline:
            _reap(running.pid)
            sleep(0.02)
    _reap(running.pid)


def wait_for_port(port: int, running: Running, log: Path, seconds: float = 60.0) -> None:
    """Wait until a process listens. Raises RuntimeError with the end of its log where it dies or is late."""
    deadline = monotonic() + seconds
    while monotonic() < deadline:
        _reap(running.pid)
        if not running.alive():
            raise RuntimeError(f"it ended instead of listening on port {port}:\n{tail(log)}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        sleep(0.05)
    raise RuntimeError(f"it does not listen on port {port} after {seconds:.0f} s:\n{tail(log)}")


def tail(log: Path, lines: int = 25) -> str:
    """The last lines of a log."""
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    return "(no log)"


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError, OSError):
        os.waitpid(pid, os.WNOHANG)
