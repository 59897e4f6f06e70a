"""A stand for each test: a topic of three partitions and a database of its own."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import MakeTopics
from tests.integration.client.stand import PARTITIONS, Stand


@pytest.fixture
async def stand(kafka: Any, database: str, make_topics: MakeTopics) -> AsyncIterator[Stand]:
    """Ends its processes before the database goes."""
    topic = f"client-{uuid4().hex[:8]}"
    await make_topics([topic], PARTITIONS)
    made = Stand(kafka.bootstrap, database, topic)
    yield made
    made.end()
