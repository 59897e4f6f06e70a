"""One `up` or `down`, and one demo, at a time on a stack's folder."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

UP_OR_DOWN = "stack.lock"
DEMO = "demo.lock"
"""A demo counts what the stack has done, so it shares it with no other, from its `up` to its end."""
LOCKS = frozenset({UP_OR_DOWN, DEMO})
_WHO = {UP_OR_DOWN: "another `up` or `down`", DEMO: "another demo"}


@contextlib.contextmanager
def turn(folder: Path, say: Callable[[str], None], lock: str = UP_OR_DOWN) -> Iterator[None]:
    """Hold the folder, which is made if need be; waits for another that holds it."""
    descriptor = _locked(folder, say, lock)
    try:
        yield
    finally:
        os.close(descriptor)


def _locked(folder: Path, say: Callable[[str], None], lock: str) -> int:
    told = False
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / lock
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not told:
                say(f"{_WHO[lock]} works on {folder}: waiting for it…")
                told = True
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # A `down --wipe` that was waited for has removed the file: what is held then is nobody's lock.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        os.close(descriptor)
