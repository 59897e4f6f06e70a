"""What Java has learnt of Kafka's classes, kept beside its jars: with it a broker starts in half the time.

Java reads, checks and links some 5,000 classes before a broker listens. One that is started for it and ended
again writes them down (JEP 514, "ahead-of-time cache"); Java itself leaves aside what does not fit its own
build or these jars.
"""

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path

Once = Callable[[list[str]], None]
"""Start a broker with a Java command, and end it."""


def archived(
    java: list[str], release: str, folder: Path, once: Once, say: Callable[[str], None]
) -> list[str]:
    """The command with the archive for it, made where there is none yet: 10 s, 67 MB, once.

    `release` tells apart what the classpath does not. Without an archive (another process makes it just now,
    or it cannot be made) the command comes back as it was.
    """
    digest = blake2b("\0".join([release, *java[1:]]).encode(), digest_size=8).hexdigest()
    archive = folder / f"kafka-{digest}.aot"
    with suppress(OSError, RuntimeError):
        if archive.exists() or _made(archive, java, once, say):
            return _with(java, f"-XX:AOTCache={archive}")
    return java


def _made(archive: Path, java: list[str], once: Once, say: Callable[[str], None]) -> bool:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with _alone(archive.with_suffix(".lock")) as alone:
        if alone and not archive.exists():
            say("keeping what Java learns of Kafka's classes, for quicker starts (10 s; once)…")
            under_way = archive.with_suffix(".new")
            once(_with(java, f"-XX:AOTCacheOutput={under_way}"))
            # Whole or not there: of half an archive Java would say nothing, and be as slow as before.
            under_way.replace(archive)
    return archive.exists()


@contextmanager
def _alone(lock: Path) -> Iterator[bool]:
    """Whether nobody else holds a lock, which ends with its process."""
    with lock.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _with(java: list[str], option: str) -> list[str]:
    return [java[0], option, *java[1:]]
