"""Each test's database is that of a service that books deposits, with its operators and their tokens."""

from collections.abc import AsyncIterator

import pytest

from goodfunds import access, ledger
from goodfunds.replay import slices
from goodfunds.service import LANES, OPERATING
from tests.conftest import Kafka, MakeTopics, Migrations
from tests.integration.planning.office import Office, office_on
from tests.integration.replay import scene as scenes


@pytest.fixture
def migrations() -> Migrations:
    return LANES, ("ledger", ledger.MIGRATIONS), ("access", access.MIGRATIONS), *OPERATING


@pytest.fixture
async def office(
    kafka: Kafka, database: str, make_topics: MakeTopics, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    """Operators of a service of two lanes; a slice is ten records, so that a few hundred are many."""
    monkeypatch.setattr(slices, "SLICE_RECORDS", 10)
    scene = scenes.scene(kafka.bootstrap, database, 2)
    await make_topics([scene.source, scene.target], 2)
    async with office_on(scene) as found:
        yield found
