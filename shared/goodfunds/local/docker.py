"""Kafka and Postgres as containers of this machine's engine, by testcontainers (the extra `docker`).

The same settings as the embedded servers, bound to loopback alone. One that is stopped keeps its data.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.local import kafka, postgres, processes

_READY_SECONDS = 90.0
_STOP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Image:
    """How a server is run as a container; `port` is the one that it listens on inside."""

    name: str
    port: int
    environment: dict[str, str]
    command: list[str] | None = None


def kafka_image(port: int) -> Image:
    """Apache Kafka (KRaft, one node), told to clients as the loopback port that leads to it."""
    return Image(
        f"apache/kafka:{kafka.VERSION}",
        9092,
        {
            "KAFKA_PROCESS_ROLES": "broker,controller",
            "KAFKA_NODE_ID": "1",
            "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@127.0.0.1:9093",
            # The broker reaches itself inside: what clients are told leads there only from outside.
            "KAFKA_LISTENERS": "PLAINTEXT://:9092,INTERNAL://127.0.0.1:19092,CONTROLLER://127.0.0.1:9093",
            "KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port},INTERNAL://127.0.0.1:19092",
            "KAFKA_INTER_BROKER_LISTENER_NAME": "INTERNAL",
            "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
            "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": (
                "CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,PLAINTEXT:PLAINTEXT"
            ),
            "KAFKA_LOG_DIRS": "/var/lib/kafka/data",
            "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
            "KAFKA_OFFSETS_TOPIC_NUM_PARTITIONS": "3",
            "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
            "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
            "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
            "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        },
    )


def postgres_image() -> Image:
    """Postgres 18 that trusts whoever reaches it, as the embedded one does; fsync stays on."""
    return Image(
        "postgres:18",
        5432,
        {
            "POSTGRES_USER": postgres.USER,
            "POSTGRES_HOST_AUTH_METHOD": "trust",
            "POSTGRES_INITDB_ARGS": "-E UTF8 --locale=C.UTF-8",
        },
        ["postgres", *postgres.SETTINGS],
    )


def start(known: str | None, image: Callable[[int], Image], folder: Path) -> tuple[str, int]:
    """Start the container `known`, or a new one; its id and the loopback port that leads to it.

    Raises Misconfigured without the extra or where the container, and so its data, is gone; Unavailable
    without an engine.
    """
    engine = _engine()
    if known is None:
        port = processes.free_port()
        return _create(image(port), port, folder), port
    container = _container(engine, known)
    if container is None:
        raise Misconfigured(
            f"the container {known[:12]} of this stack is gone, and its data with it: "
            f"`goodfunds down --wipe` and begin anew"
        )
    try:
        container.start()
        container.reload()
    except Exception as fault:
        raise RuntimeError(f"the container {known[:12]} does not start: {fault}") from fault
    bound = container.attrs["HostConfig"]["PortBindings"]
    return known, int(next(iter(bound.values()))[0]["HostPort"])


def alive(known: str) -> bool:
    """Whether a container runs."""
    container = _container(_engine(), known)
    return container is not None and container.status == "running"


def stop(known: str) -> None:
    """Stop a container in good order; its data stays."""
    container = _container(_engine(), known)
    if container is not None:
        container.stop(timeout=_STOP_SECONDS)


def remove(known: str) -> None:
    """Remove a container with its data."""
    container = _container(_engine(), known)
    if container is not None:
        container.remove(force=True, v=True)


def wait_for_postgres(known: str, url: str) -> None:
    """Wait until a server answers: its port is open long before, for the engine holds it."""

    async def ask() -> None:
        connection = await asyncpg.connect(f"{url}/postgres", timeout=5)
        await connection.close()

    asyncio.run(_until_answered(known, ask, (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)))


def wait_for_kafka(known: str, bootstrap: str) -> None:
    """Wait until a broker answers."""

    async def ask() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5_000)
        try:
            await admin.start()
        finally:
            await admin.close()

    asyncio.run(_until_answered(known, ask, (OSError, KafkaError)))


async def _until_answered(
    known: str, ask: Callable[[], Awaitable[None]], unanswered: tuple[type[BaseException], ...]
) -> None:
    deadline = monotonic() + _READY_SECONDS
    while True:
        try:
            await ask()
            return
        except unanswered as fault:
            if monotonic() > deadline or not alive(known):
                raise RuntimeError(f"the container {known[:12]} does not answer:\n{_last(known)}") from fault
            await asyncio.sleep(0.2)


def _create(image: Image, port: int, folder: Path) -> str:
    from testcontainers.core.config import testcontainers_config
    from testcontainers.core.container import DockerContainer

    # The reaper would take the containers away with this process; they are to stay until `down`.
    testcontainers_config.ryuk_disabled = True
    container: Any = DockerContainer(
        image.name,
        command=image.command,  # type: ignore[arg-type]  # a list is handed on as it is
        env=image.environment,
        labels={"goodfunds.folder": str(folder)},
    )
    container.ports[f"{image.port}/tcp"] = ("127.0.0.1", port)
    try:
        container.start()
    except Exception as fault:
        with contextlib.suppress(Exception):
            container.stop()
        raise RuntimeError(f"{image.name} does not start as a container: {fault}") from fault
    return str(container.get_container_id())


def _engine() -> Any:
    try:
        from docker.errors import DockerException
        from testcontainers.core.docker_client import DockerClient
    except ImportError as fault:
        raise Misconfigured(
            "`--stack docker` needs the extra `docker`: pip install 'goodfunds[docker]'"
        ) from fault
    try:
        return DockerClient().client
    except DockerException as fault:
        raise Unavailable(
            f"no container engine answers ({fault}): start one, or leave --stack out"
        ) from fault


def _container(engine: Any, known: str) -> Any | None:
    from docker.errors import NotFound

    try:
        return engine.containers.get(known)
    except NotFound:
        return None


def _last(known: str) -> str:
    container = _container(_engine(), known)
    return "(it is gone)" if container is None else container.logs(tail=25).decode(errors="replace")
