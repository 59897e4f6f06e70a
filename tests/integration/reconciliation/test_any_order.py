"""What the topics make of reconciliation's state does not hang on the order in which they are read."""

import json
import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from goodfunds.events import types
from goodfunds.lanes import Emission
from goodfunds.postgres import connect
from goodfunds.rebuild.comparison import columns_of, parts
from goodfunds.replay.digest import TableDigest, table_digests
from services.reconciliation.handlers import ReconciliationHandler
from services.reconciliation.rebuilding import REBUILD, RebuildingHandler
from tests.integration.reconciliation.days import a_rich_day
from tests.integration.reconciliation.scene import NOSTRO_LANE, NOW, PARTITIONS, Fed, Scene

EVERY_TABLE = ", ".join(each.table for each in REBUILD.tables)


@dataclass
class Anew(Scene):
    """A scene that is read anew: what was handed over stands on the topics already, and nothing is told."""

    handler: ReconciliationHandler = field(default_factory=RebuildingHandler)

    async def feed(self, *fed: Fed) -> list[Emission]:
        return await self._poll(fed)

    async def settle_due(self) -> list[Emission]:
        for _ in range(5):
            if due := await self.handler.due(self.connection, list(range(PARTITIONS)), NOW):
                await self._poll((), dict(due))
        return []


async def digests(scene: Scene) -> dict[str, TableDigest]:
    columns = await columns_of(scene.connection, REBUILD.tables)
    compared = {
        each.table: (list(parts(each, columns[each.table]).values()), each.only) for each in REBUILD.tables
    }
    return await table_digests(scene.connection, compared)


async def emptied(scene: Scene) -> None:
    await scene.connection.execute(f"TRUNCATE {EVERY_TABLE}")
    scene.seqs.clear()
    scene.next_offsets.clear()


def handed_over(published: Sequence[Emission]) -> list[Fed]:
    return [
        Fed(each.partition, each.topic, types.decode(each.body), NOSTRO_LANE)
        for each in published
        if each.topic == "bank-statements"
    ]


@pytest.fixture
async def live(database: str) -> AsyncIterator[Scene]:
    scene = Scene(await connect(database))
    for lane in range(PARTITIONS):
        await scene.connection.execute(
            "INSERT INTO lanes (lane, incarnation, offsets) VALUES ($1, 'first', $2)", lane, json.dumps({})
        )
    yield scene
    await scene.connection.close()


@pytest.mark.parametrize("seed", range(8))
async def test_topics_of_lanes_in_any_order_give_the_same_digest_of_every_table(
    live: Scene, seed: int
) -> None:
    fed = a_rich_day(random.Random(seed))
    await live.feed_in_some_order(fed, random.Random(0))
    once = await digests(live)
    anew = Anew(live.connection)
    on_topics = fed + handed_over(live.published)
    for order in range(1, 5):
        await emptied(anew)
        await anew.feed_in_some_order(on_topics, random.Random(order))
        assert await digests(anew) == once, order
        await anew.assert_money_is_whole()
