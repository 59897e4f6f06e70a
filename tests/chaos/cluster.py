"""Three Kafka brokers (KRaft, each broker and controller): what is written survives any one of them."""

import base64
import os
import signal
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from goodfunds.local import kafka, processes
from goodfunds.local.processes import Running

BROKERS = 3
_HEAP = "-Xmx384m"
_LOGGING = """<?xml version="1.0"?>
<Configuration status="warn"><Appenders><Console name="out"><PatternLayout pattern="%d %p %c %m%n"/></Console>
</Appenders><Loggers><Root level="warn"><AppenderRef ref="out"/></Root></Loggers></Configuration>
"""


@dataclass(slots=True)
class Broker:
    """One of the three. `advertised`: the port that clients are told, of the proxy before it."""

    number: int
    folder: Path
    port: int
    internal_port: int
    controller_port: int
    advertised: int
    running: Running | None = None

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.folder / "kafka.log"


class Cluster:
    """The brokers, each startable and killable by itself."""

    def __init__(self, folder: Path, ports: list[int], advertised: list[int]) -> None:
        self.brokers = [
            Broker(
                number, folder / f"kafka-{number}", port, processes.free_port(), processes.free_port(), told
            )
            for number, (port, told) in enumerate(zip(ports, advertised, strict=True), 1)
        ]
        java = kafka.java_command()
        self._java = [_HEAP if each.startswith("-Xmx") else each for each in java]

    def format(self) -> None:
        """Prepare the folders of all three, for one new cluster."""
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "A")
        formatting = []
        for broker in self.brokers:
            broker.folder.mkdir(parents=True)
            (broker.folder / "server.properties").write_text(self._properties(broker))
            (broker.folder / "log4j2.xml").write_text(_LOGGING)
            tool = [*self._java, "kafka.tools.StorageTool", "format", "-t", cluster_id]
            formatting.append(
                subprocess.Popen(
                    [*tool, "-c", str(broker.folder / "server.properties")],
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                )
            )  # fmt: skip
        for each in formatting:
            _, told = each.communicate(timeout=120)
            if each.returncode:
                raise RuntimeError(f"a broker's folder could not be formatted:\n{told[-2000:]}")

    def start(self, broker: Broker) -> None:
        """Start one; it listens a while later."""
        logging = f"-Dlog4j2.configurationFile={broker.folder / 'log4j2.xml'}"
        command = [*self._java[:-2], logging, *self._java[-2:], "kafka.Kafka"]
        broker.running = processes.start([*command, str(broker.folder / "server.properties")], broker.log)

    def wait(self, broker: Broker, seconds: float = 60.0) -> None:
        """Wait until it listens to clients. Raises RuntimeError with its log."""
        assert broker.running is not None
        processes.wait_for_port(broker.port, broker.running, broker.log, seconds)

    def kill(self, broker: Broker) -> None:
        """kill -9."""
        if broker.running is not None and broker.running.alive():
            os.kill(broker.running.pid, signal.SIGKILL)
            processes.stop(broker.running)
        broker.running = None

    def stop(self) -> None:
        """End all three."""
        for broker in self.brokers:
            self.kill(broker)

    def _properties(self, broker: Broker) -> str:
        voters = ",".join(f"{each.number}@127.0.0.1:{each.controller_port}" for each in self.brokers)
        return f"""process.roles=broker,controller
node.id={broker.number}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{broker.port},INTERNAL://127.0.0.1:{broker.internal_port},\
CONTROLLER://127.0.0.1:{broker.controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{broker.advertised},INTERNAL://127.0.0.1:{broker.internal_port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=INTERNAL
listener.security.protocol.map=CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={broker.folder / "data"}
offsets.topic.replication.factor=3
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
min.insync.replicas=2
default.replication.factor=3
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""
