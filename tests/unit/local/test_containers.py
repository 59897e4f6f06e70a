"""Containers as servers, with an engine that only notes what it is asked: no engine runs here."""

import sys
from pathlib import Path
from typing import Any

import pytest
from docker.errors import DockerException, NotFound

from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.local import docker, kafka, postgres
from goodfunds.local.providers import PROVIDERS, choose
from goodfunds.local.state import SERVERS, Stack


class Container:
    """A container that starts at once."""

    def __init__(self, identity: str, created: dict[str, Any]) -> None:
        self.id = self.short_id = identity
        self.created = created
        self.status = "created"
        self.calls: list[str] = []
        ((inside, (host, port)),) = created["ports"].items()
        self.attrs = {"HostConfig": {"PortBindings": {inside: [{"HostIp": host, "HostPort": str(port)}]}}}

    def start(self) -> None:
        self.status = "running"

    def reload(self) -> None:
        self.calls.append("reload")

    def stop(self, timeout: int) -> None:
        self.calls.append(f"stop {timeout}")
        self.status = "exited"

    def remove(self, force: bool, v: bool) -> None:
        self.calls.append(f"remove {force} {v}")
        self.status = "removed"

    def logs(self, tail: int) -> bytes:
        return b"the last words"


class Engine:
    """Both faces of an engine: testcontainers' client, and the docker client within."""

    def __init__(self) -> None:
        self.made: dict[str, Container] = {}
        self.client = self.containers = self
        self.refuses: Exception | None = None

    def create(self, image: str, **asked: Any) -> Container:
        if self.refuses:
            raise self.refuses
        identity = f"{len(self.made):064x}"
        self.made[identity] = Container(identity, {"image": image, **asked})
        return self.made[identity]

    def start(self, container: Container) -> None:
        container.start()

    def get(self, identity: str) -> Container:
        found = self.made.get(identity)
        if found is None or found.status == "removed":
            raise NotFound("no such container")
        return found

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()
    monkeypatch.setattr("testcontainers.core.docker_client.DockerClient", lambda: made)
    monkeypatch.setattr("testcontainers.core.container.DockerClient", lambda: made)
    monkeypatch.setattr(docker, "wait_for_kafka", lambda *_: None)
    monkeypatch.setattr(docker, "wait_for_postgres", lambda *_: None)
    for variable in ("GOODFUNDS_KAFKA", "GOODFUNDS_POSTGRES"):
        monkeypatch.delenv(variable, raising=False)
    return made


def stack(folder: Path) -> Stack:
    return Stack(folder, "", "", 12)


def silent(_text: str) -> None:
    """Nobody listens."""


def start(made: Stack, server: str) -> str:
    return PROVIDERS["docker"].start(made, server, silent)


def test_servers_are_official_images_bound_to_loopback_with_the_settings_of_the_embedded(
    engine: Engine, tmp_path: Path
) -> None:
    made = stack(tmp_path)
    addresses = {server: start(made, server) for server in SERVERS}
    asked = {each.created["image"]: each.created for each in engine.made.values()}
    broker, server = asked[f"apache/kafka:{kafka.VERSION}"], asked["postgres:18"]
    host, port = broker["ports"]["9092/tcp"]
    assert addresses["kafka"] == f"{host}:{port}"
    assert f"PLAINTEXT://127.0.0.1:{port}," in broker["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert broker["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    host, port = server["ports"]["5432/tcp"]
    assert addresses["postgres"] == f"postgresql://{postgres.USER}@{host}:{port}"
    assert server["command"] == ["postgres", *postgres.SETTINGS]
    assert not {"fsync=off", "synchronous_commit=off"} & set(server["command"])
    assert host == "127.0.0.1"


def test_no_reaper_takes_the_containers_away_with_the_command_that_started_them(
    engine: Engine, tmp_path: Path
) -> None:
    for server in SERVERS:
        start(stack(tmp_path), server)
    assert not [each for each in engine.made.values() if "ryuk" in each.created["image"]]


def test_a_stopped_container_is_started_again_where_it_was(engine: Engine, tmp_path: Path) -> None:
    made, provider = stack(tmp_path), PROVIDERS["docker"]
    address = start(made, "kafka")
    assert provider.alive(made, "kafka")
    provider.stop(made, "kafka")
    assert not provider.alive(made, "kafka")
    assert start(made, "kafka") == address
    assert len(engine.made) == 1
    assert provider.alive(made, "kafka")


def test_wiping_removes_containers_with_their_volumes(engine: Engine, tmp_path: Path) -> None:
    made, provider = stack(tmp_path), PROVIDERS["docker"]
    start(made, "postgres")
    provider.wipe(made, "postgres")
    assert next(iter(engine.made.values())).calls == ["remove True True"]
    assert made.containers == {}
    provider.wipe(made, "postgres")


def test_a_container_that_is_gone_is_not_replaced_by_an_empty_one(engine: Engine, tmp_path: Path) -> None:
    made = stack(tmp_path)
    start(made, "kafka")
    engine.made.clear()
    assert not PROVIDERS["docker"].alive(made, "kafka")
    with pytest.raises(Misconfigured, match=r"its data with it.*--wipe"):
        start(made, "kafka")


def test_what_the_engine_refuses_is_told_with_the_image(engine: Engine, tmp_path: Path) -> None:
    engine.refuses = DockerException("no space left")
    with pytest.raises(RuntimeError, match=r"postgres:18 does not start as a container: no space left"):
        start(stack(tmp_path), "postgres")


def test_without_the_extra_it_says_which_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "testcontainers.core.docker_client", None)
    with pytest.raises(Misconfigured, match=r"pip install 'goodfunds\[docker\]'"):
        start(stack(tmp_path), "kafka")


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse() -> Any:
        raise DockerException("connection refused")

    monkeypatch.setattr("testcontainers.core.docker_client.DockerClient", refuse)
    with pytest.raises(Unavailable, match="no container engine answers"):
        start(stack(tmp_path), "kafka")


def test_a_container_that_dies_while_it_is_waited_for_is_told_with_its_last_words(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("testcontainers.core.docker_client.DockerClient", lambda: engine)
    dead = engine.create("postgres:18", ports={"5432/tcp": ("127.0.0.1", 1)})
    with pytest.raises(RuntimeError, match="does not answer:\nthe last words"):
        docker.wait_for_postgres(dead.id, "postgresql://goodfunds@127.0.0.1:1")
    with pytest.raises(RuntimeError, match="does not answer:\nthe last words"):
        docker.wait_for_kafka(dead.id, "127.0.0.1:1")


def test_the_provider_is_chosen_once_for_the_life_of_a_stack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("GOODFUNDS_KAFKA", "GOODFUNDS_POSTGRES"):
        monkeypatch.delenv(variable, raising=False)
    made = stack(tmp_path)
    assert choose(made, "kafka", None) == "embedded"
    assert choose(made, "kafka", "docker") == "docker"
    made.providers = {"kafka": "docker", "postgres": "embedded"}
    assert choose(made, "kafka", None) == "docker"
    with pytest.raises(Misconfigured, match="kafka is docker, not embedded"):
        choose(made, "kafka", "embedded")
    monkeypatch.setenv("GOODFUNDS_POSTGRES", "postgresql://me@there")
    with pytest.raises(Misconfigured, match="postgres is embedded, not external"):
        choose(made, "postgres", None)


def test_a_server_of_the_users_own_is_used_where_it_is_and_never_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODFUNDS_KAFKA", "there:9092")
    made = stack(tmp_path)
    # What --stack says is for the servers that nobody names.
    assert choose(made, "kafka", "docker") == "external"
    provider = PROVIDERS["external"]
    made.kafka = provider.start(made, "kafka", silent)
    assert made.kafka == "there:9092"
    provider.stop(made, "kafka")
    provider.wipe(made, "kafka")
    monkeypatch.delenv("GOODFUNDS_KAFKA")
    assert provider.start(made, "kafka", silent) == "there:9092"
