"""`goodfunds topics` on a real broker: created as they should be, checked, and never half-way."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from click.testing import CliRunner, Result

from goodfunds.cli.topics import topics
from goodfunds.errors import Misconfigured
from goodfunds.events import cluster
from goodfunds.events.topics import PAYMENT_INSTRUCTIONS, TOPICS, Topic
from tests.conftest import Kafka, MakeTopics


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> tuple[Topic, ...]:
    """The same topics under names of this test alone: others use the broker too."""
    made = tuple(replace(topic, name=f"{topic.name}-{uuid4().hex[:8]}") for topic in TOPICS)
    monkeypatch.setattr(cluster, "TOPICS", made)
    return made


def run(kafka: Kafka, *arguments: str) -> Result:
    return CliRunner().invoke(topics, [arguments[0], "--kafka", kafka.bootstrap, *arguments[1:]])


def ask(kafka: Kafka, question: Callable[[Any], Awaitable[Any]]) -> Any:
    async def asked() -> Any:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            return await question(admin)
        finally:
            await admin.close()

    return asyncio.run(asked())


def settings(kafka: Kafka, name: str) -> dict[str, str]:
    (answer,) = ask(kafka, lambda a: a.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)]))
    return {entry[0]: entry[1] for entry in answer.resources[0][4]}


def test_topics_are_created_as_they_should_be_and_once(kafka: Kafka, own: tuple[Topic, ...]) -> None:
    first = run(kafka, "create", "--partitions", "3")
    assert first.exit_code == 0, first.output
    assert first.stdout.count("created ") == len(own)
    for topic in own:
        found = settings(kafka, topic.name)
        assert found["max.message.bytes"] == str(4 * 1024 * 1024)
        assert found["min.insync.replicas"] == "1"
        instructions = topic.name.startswith(PAYMENT_INSTRUCTIONS)
        assert found["message.timestamp.type"] == ("LogAppendTime" if instructions else "CreateTime")
    again = run(kafka, "create", "--partitions", "3")
    assert again.exit_code == 0
    assert "created" not in again.stdout
    assert run(kafka, "check", "--partitions", "3").exit_code == 0


def test_another_partition_count_is_refused_before_anything_is_created(
    kafka: Kafka, own: tuple[Topic, ...], make_topics: MakeTopics
) -> None:
    asyncio.run(make_topics([own[2].name], 5))
    refused = run(kafka, "create", "--partitions", "3")
    assert isinstance(refused.exception, Misconfigured)
    assert f"{own[2].name} has 5 partitions, not 3" in str(refused.exception)
    assert "--partitions 5" in str(refused.exception)
    described = ask(kafka, lambda admin: admin.describe_topics([each.name for each in own]))
    assert [each["topic"] for each in described if each["partitions"]] == [own[2].name]


def test_a_setting_that_differs_is_told_with_the_command_that_mends_it(
    kafka: Kafka, own: tuple[Topic, ...], make_topics: MakeTopics
) -> None:
    asyncio.run(make_topics([own[0].name], 2))
    made = run(kafka, "create", "--partitions", "2")
    assert made.exit_code == 1
    assert f"--topic {own[0].name} --add-config message.timestamp.type=LogAppendTime" in made.stderr
    assert own[1].name not in made.stderr


def test_missing_topics_and_too_few_replicas_are_told(kafka: Kafka, own: tuple[Topic, ...]) -> None:
    missing = run(kafka, "check")
    assert missing.exit_code == 1
    assert missing.stderr.count("is missing: `goodfunds topics create`") == len(own)
    assert run(kafka, "create", "--partitions", "2").exit_code == 0
    thin = run(kafka, "check", "--partitions", "2", "--replication", "3")
    assert thin.exit_code == 1
    assert f"topic {own[0].name} has 1 replicas, not 3" in thin.stderr
    assert "min.insync.replicas=1, not 2" in thin.stderr


def test_what_the_broker_refuses_is_told(kafka: Kafka, own: tuple[Topic, ...]) -> None:
    refused = run(kafka, "create", "--partitions", "2", "--replication", "3")
    assert isinstance(refused.exception, Misconfigured)
    assert f"topic {own[0].name} is not created" in str(refused.exception)


def test_more_replicas_in_sync_than_there_are_is_a_mistake(kafka: Kafka) -> None:
    mistaken = run(kafka, "create", "--replication", "2", "--min-insync-replicas", "3")
    assert mistaken.exit_code == 2
    assert "would never accept a record" in mistaken.stderr
