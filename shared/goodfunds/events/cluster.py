"""The topics on a cluster: created where they are missing, and compared with what they should be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.events.topics import TOPICS, Topic

_LEADER_SECONDS = 20.0


def config_of(topic: Topic, replication: int, in_sync: int | None = None) -> dict[str, str]:
    """A topic's settings at a replication; `in_sync`: min.insync.replicas, all but one if None."""
    fewest = max(1, replication - 1) if in_sync is None else in_sync
    return {**topic.config, "min.insync.replicas": str(fewest)}


async def create_topics(
    bootstrap: str, partitions: int, replication: int = 1, in_sync: int | None = None
) -> list[str]:
    """Create goodfunds' topics where they are missing, and wait for their leaders; returns the new ones.

    Raises Misconfigured where one exists with another partition count, before any is created; Unavailable,
    KafkaError.
    """
    async with _admin(bootstrap) as admin:
        found = await _described(admin)
        wrong = [_count_differs(name, len(each), partitions) for name, each in found.items()
                 if len(each) != partitions]  # fmt: skip
        if wrong:
            raise Misconfigured("\n".join(wrong))
        new = [topic for topic in TOPICS if topic.name not in found]
        if new:
            answer = await admin.create_topics(
                [
                    NewTopic(each.name, partitions, replication,
                             topic_configs=config_of(each, replication, in_sync))
                    for each in new
                ]
            )  # fmt: skip
            for name, code, *message in answer.topic_errors:
                fault = for_code(code)
                # Another that does the same at the same time is no fault; its partitions are checked below.
                if code and fault is not TopicAlreadyExistsError:
                    raise Misconfigured(f"topic {name} is not created: {(message or [None])[0] or fault}")
        await _led(admin, partitions)
        return [topic.name for topic in new]


async def differences(
    bootstrap: str, partitions: int, replication: int, in_sync: int | None = None
) -> list[str]:
    """What is not as it should be, a sentence each with what to do; empty when all is."""
    async with _admin(bootstrap) as admin:
        found = await _described(admin)
        told = []
        for topic in TOPICS:
            if topic.name not in found:
                told.append(f"topic {topic.name} is missing: `goodfunds topics create`")
                continue
            places = found[topic.name]
            if len(places) != partitions:
                told.append(_count_differs(topic.name, len(places), partitions))
            fewest = min(len(each["replicas"]) for each in places)
            if fewest < replication:
                told.append(
                    f"topic {topic.name} has {fewest} replicas, not {replication}: "
                    f"kafka-reassign-partitions.sh adds them"
                )
        settings = await _settings(admin, list(found))
        for topic in TOPICS:
            for key, value in config_of(topic, replication, in_sync).items():
                has = settings.get(topic.name, {}).get(key, value)
                if has != value:
                    told.append(
                        f"topic {topic.name} has {key}={has}, not {value}: kafka-configs.sh --alter "
                        f"--topic {topic.name} --add-config {key}={value}"
                    )
        return told


def _count_differs(name: str, count: int, partitions: int) -> str:
    return (
        f"topic {name} has {count} partitions, not {partitions}: the count is for life, since it decides "
        f"every account's lane. Say --partitions {count} if that is what the databases were made for; else "
        f"take a new cluster, or delete the topic if nothing was ever written to it"
    )


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[Any]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _described(admin: Any) -> dict[str, list[Any]]:
    described = await admin.describe_topics([topic.name for topic in TOPICS])
    return {each["topic"]: each["partitions"] for each in described if each["partitions"]}


async def _settings(admin: Any, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    return {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in await admin.describe_configs(resources)
        for resource in answer.resources
    }


async def _led(admin: Any, partitions: int) -> None:
    """Wait until every partition has a leader: the brokers learn of new topics a moment later."""
    deadline = monotonic() + _LEADER_SECONDS
    while True:
        found = await _described(admin)
        for name, places in found.items():
            if len(places) != partitions:
                raise Misconfigured(_count_differs(name, len(places), partitions))
        if len(found) == len(TOPICS) and all(p["leader"] >= 0 for each in found.values() for p in each):
            return
        if monotonic() > deadline:
            raise Unavailable(f"some partitions have no leader after {_LEADER_SECONDS:.0f} s")
        await asyncio.sleep(0.05)
