"""Before any work: the partition count that is for life, the lanes' first offsets, replication."""

import json
from collections.abc import Collection, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from goodfunds.errors import Misconfigured, Unavailable
from goodfunds.lanes.consumer import check_partitions
from goodfunds.lanes.fence import SQL
from goodfunds.postgres import connect

FEED = -1
"""The lane of a database's feed."""


async def create_lanes(
    dsn: str,
    bootstrap: str,
    partitions: int,
    inputs: Sequence[str],
    outputs: Sequence[str],
    lanes: Sequence[int],
) -> None:
    """Make the rows of `lanes` where they are missing, with explicit first offsets (inclusive).

    A new lane starts at the beginning of each input and remembers where its outputs ended, so that events
    of its own that it does not know are found. Raises Misconfigured, Unavailable.
    """
    check_partitions(await _partition_counts(bootstrap, {*inputs, *outputs}), partitions)
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    try:
        await reader.start()
        every = range(partitions)
        beginnings = await reader.beginning_offsets([TopicPartition(t, p) for t in inputs for p in every])
        ends = await reader.end_offsets([TopicPartition(t, p) for t in outputs for p in every])
    finally:
        await reader.stop()
    connection = await connect(dsn, "goodfunds create lanes")
    try:
        async with connection.transaction():
            await connection.execute(SQL["create_cluster"], partitions)
            cluster = await connection.fetchrow(SQL["read_cluster"])
            assert cluster is not None
            if cluster["partitions"] != partitions:
                raise Misconfigured(
                    f"this database was made for {cluster['partitions']} partitions, not {partitions}"
                )
            # Looked up first: an INSERT would wait for the transaction of a frozen owner.
            known = {row["lane"] for row in await connection.fetch(SQL["lanes_with_offsets"])}
            for lane in set(lanes) - known:
                offsets = {t: beginnings[TopicPartition(t, lane)] for t in inputs} if lane >= 0 else {}
                acknowledged = {
                    f"{each.topic}/{each.partition}": end - 1
                    for each, end in ends.items()
                    if lane in (FEED, each.partition)
                }
                await connection.execute(
                    SQL["create_lane"],
                    lane,
                    json.dumps(offsets),
                    json.dumps([topic for topic, offset in offsets.items() if offset > 0]),
                    json.dumps(acknowledged),
                )
            for row in await connection.fetch(SQL["lanes_with_offsets"]):
                topics = set(json.loads(row["offsets"]))
                if row["lane"] in lanes and row["lane"] >= 0 and topics != set(inputs):
                    raise Misconfigured(
                        f"lane {row['lane']} was made for the topics {sorted(topics)}, this build reads "
                        f"{sorted(inputs)}: a changed set of topics needs a migration of lanes.offsets"
                    )
    finally:
        await connection.close()


async def _partition_counts(bootstrap: str, topics: set[str]) -> dict[str, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        described = await admin.describe_topics(sorted(topics))
    finally:
        await admin.close()
    counts = {each["topic"]: len(each["partitions"]) for each in described}
    for topic in sorted(topics):
        if not counts.get(topic):
            raise Unavailable(f"topic {topic} does not exist yet")
    return counts


async def check_replication(bootstrap: str, topics: Collection[str]) -> None:
    """Raises Misconfigured where a topic is not replicated thrice with two in sync (`acks=all` needs it)."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        for described in await admin.describe_topics(list(topics)):
            fewest = min(len(each["replicas"]) for each in described["partitions"])
            if fewest < 3:
                raise Misconfigured(f"topic {described['topic']} has {fewest} replicas; money needs 3")
        resources = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
        for answer in await admin.describe_configs(resources):
            for resource in answer.resources:
                values = {entry[0]: entry[1] for entry in resource[4]}
                if int(values.get("min.insync.replicas", "1")) < 2:
                    raise Misconfigured(f"topic {resource[3]}: min.insync.replicas is under 2")
    finally:
        await admin.close()
