"""What Java has learnt of classes is made once, used afterwards, and never in the way."""

import fcntl
from pathlib import Path

from goodfunds.local.java_archive import archived

JAVA = ["java", "-Xmx512m", "-cp", "a.jar:b.jar"]


class Broker:
    """Stands in for a broker that is started and ended: Java writes where it is told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.started: list[list[str]] = []
        self._fault = fault

    def __call__(self, java: list[str]) -> None:
        self.started.append(java)
        if self._fault is not None:
            raise self._fault
        Path(java[1].removeprefix("-XX:AOTCacheOutput=")).write_text("classes")


def test_an_archive_is_made_once_and_used_from_then_on(tmp_path: Path) -> None:
    broker = Broker()
    said: list[str] = []
    first = archived(JAVA, "4.3.1", tmp_path, broker, said.append)
    assert archived(JAVA, "4.3.1", tmp_path, broker, said.append) == first
    (archive,) = tmp_path.glob("*.aot")
    assert first == ["java", f"-XX:AOTCache={archive}", *JAVA[1:]]
    assert len(broker.started) == len(said) == 1
    assert not list(tmp_path.glob("*.new"))


def test_other_jars_and_another_release_have_an_archive_of_their_own(tmp_path: Path) -> None:
    broker = Broker()
    for java, release in ((JAVA, "4.3.1"), (JAVA, "4.3.2"), ([*JAVA[:-1], "c.jar"], "4.3.1")):
        archived(java, release, tmp_path, broker, lambda _: None)
    assert len(list(tmp_path.glob("*.aot"))) == 3


def test_a_java_of_another_folder_shares_it(tmp_path: Path) -> None:
    broker = Broker()
    archived(JAVA, "4.3.1", tmp_path, broker, lambda _: None)
    archived(["/other/java", *JAVA[1:]], "4.3.1", tmp_path, broker, lambda _: None)
    assert len(broker.started) == 1


def test_a_broker_that_does_not_start_leaves_the_command_as_it_was(tmp_path: Path) -> None:
    broker = Broker(RuntimeError("it ended instead of listening"))
    assert archived(JAVA, "4.3.1", tmp_path, broker, lambda _: None) == JAVA


def test_a_folder_that_cannot_be_written_leaves_the_command_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert archived(JAVA, "4.3.1", tmp_path / "file" / "folder", Broker(), lambda _: None) == JAVA


def test_while_another_process_makes_it_nobody_waits(tmp_path: Path) -> None:
    archived(JAVA, "4.3.1", tmp_path, Broker(), lambda _: None)
    (archive,) = tmp_path.glob("*.aot")
    archive.unlink()
    broker = Broker()
    with archive.with_suffix(".lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert archived(JAVA, "4.3.1", tmp_path, broker, lambda _: None) == JAVA
    assert broker.started == []
