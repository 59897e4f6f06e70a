"""Each test's database has the tables of the lanes, the tests' copier, the ledger and the operators."""

import pytest

from goodfunds import ledger
from goodfunds.replay import releasing, slices
from goodfunds.service import LANES, OPERATING
from tests.conftest import Kafka, MakeTopics, Migrations
from tests.integration.lanes.copier import MIGRATIONS
from tests.integration.replay import scene as scenes
from tests.integration.replay.scene import Scene


@pytest.fixture
def migrations() -> Migrations:
    return LANES, ("ledger", ledger.MIGRATIONS), ("copier", MIGRATIONS), *OPERATING


@pytest.fixture
async def scene(kafka: Kafka, database: str, make_topics: MakeTopics) -> Scene:
    """Two topics of two partitions and a database."""
    found = scenes.scene(kafka.bootstrap, database, 2)
    await make_topics([found.source, found.target], 2)
    return found


@pytest.fixture
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slices of ten records, so that a few hundred are many."""
    for module in (slices, releasing):
        monkeypatch.setattr(module, "SLICE_RECORDS", 10)
