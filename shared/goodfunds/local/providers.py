"""Where Kafka and Postgres come from: packages (embedded), containers (docker), or the user (external)."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from goodfunds.errors import Misconfigured
from goodfunds.local import docker, kafka, postgres, processes
from goodfunds.local.processes import Running
from goodfunds.local.state import Say, Stack

_HIGHEST_PORT = 65_535
VARIABLES = {"postgres": "GOODFUNDS_POSTGRES", "kafka": "GOODFUNDS_KAFKA"}
"""The variable that points at a server of the user's own."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A way to have a server, named `postgres` or `kafka`. `start` waits until it answers; its address.

    `stop` keeps the data; `wipe` removes what lies outside the stack's folder.
    """

    start: Callable[[Stack, str, Say], str]
    alive: Callable[[Stack, str], bool]
    stop: Callable[[Stack, str], None]
    wipe: Callable[[Stack, str], None]


def named(server: str) -> str | None:
    """The address that the user's variable gives a server. Raises Misconfigured where it is none."""
    variable = VARIABLES[server]
    told = os.environ.get(variable)
    if not told:
        return None
    return checked_kafka(told, variable) if server == "kafka" else _checked_postgres(told, variable)


def checked_kafka(address: str, what: str) -> str:
    """host:port of one or more brokers; `what` names it. Raises Misconfigured."""
    for each in address.split(","):
        host, _, port = each.strip().rpartition(":")
        if not (host and port.isascii() and port.isdigit() and 1 <= int(port[:6]) <= _HIGHEST_PORT):
            raise Misconfigured(f"{what} is {address[:80]!r}, and no host:port of a broker")
    return address


def _checked_postgres(url: str, what: str) -> str:
    try:
        parts = urlsplit(url)
        several = "," in parts.netloc
        fits = parts.scheme in ("postgresql", "postgres") and (several or parts.port != 0)
    except ValueError:
        fits = False
    if not fits:
        # What it holds is not told: it may be a password.
        raise Misconfigured(f"{what} is no URL such as postgresql://user:password@host:5432")
    return url


def choose(stack: Stack, server: str, wanted: str | None) -> str:
    """The provider's name of a server, for the stack's life. Raises Misconfigured where it would change."""
    has = stack.providers.get(server)
    asked = "external" if named(server) else wanted
    if has is not None and has != (asked or has):
        raise Misconfigured(
            f"this stack's {server} is {has}, not {asked}, and its data lies there: use another --folder, or "
            f"`goodfunds down --wipe` removes it with all its data"
        )
    return has or asked or "embedded"


def _start_embedded(stack: Stack, server: str, say: Say) -> str:
    def known(running: Running) -> None:
        # Before it listens: whoever is interrupted meanwhile leaves a record of what to stop.
        stack.running[server] = running
        stack.save()

    if server == "postgres":
        say("starting Postgres 18…")
        made = postgres.create(stack.folder / "postgres")
        stack.postgres = made.url
        postgres.start(made, known)
        return made.url
    java = kafka.java_command(say)
    say(f"starting Kafka {kafka.VERSION}…")
    broker = kafka.create(stack.folder / "kafka", java)
    stack.kafka = broker.bootstrap
    kafka.start(broker, java, known)
    return broker.bootstrap


def _stop_embedded(stack: Stack, server: str) -> None:
    running = stack.running.pop(server, None)
    if running is not None and running.alive():
        (postgres.stop if server == "postgres" else processes.stop)(running)


def _start_docker(stack: Stack, server: str, say: Say) -> str:
    say(f"starting {server} as a container (the first time its image is fetched)…")
    image = docker.kafka_image if server == "kafka" else lambda _: docker.postgres_image()
    container, port = docker.start(stack.containers.get(server), image, stack.folder)
    stack.containers[server] = container
    stack.save()
    if server == "kafka":
        address = f"127.0.0.1:{port}"
        docker.wait_for_kafka(container, address)
        return address
    address = f"postgresql://{postgres.USER}@127.0.0.1:{port}"
    docker.wait_for_postgres(container, address)
    return address


def _alive_docker(stack: Stack, server: str) -> bool:
    return server in stack.containers and docker.alive(stack.containers[server])


def _stop_docker(stack: Stack, server: str) -> None:
    if server in stack.containers:
        docker.stop(stack.containers[server])


def _wipe_docker(stack: Stack, server: str) -> None:
    if server in stack.containers:
        docker.remove(stack.containers.pop(server))


def _start_external(stack: Stack, server: str, say: Say) -> str:
    # Without the variable the one that the stack was made with is meant.
    address = named(server) or (stack.kafka if server == "kafka" else stack.postgres)
    say(f"using the {server} of {VARIABLES[server]}")
    return address


def _nothing(_stack: Stack, _server: str) -> None:
    """What is the user's own is neither stopped nor wiped; the folder holds what is embedded."""


PROVIDERS = {
    "embedded": Provider(_start_embedded, Stack.alive, _stop_embedded, _nothing),
    "docker": Provider(_start_docker, _alive_docker, _stop_docker, _wipe_docker),
    "external": Provider(_start_external, lambda _stack, _server: False, _nothing, _nothing),
}
