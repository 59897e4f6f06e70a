"""One stage for all stories of a test run."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.conftest import Postgres
from tests.simulation.telling import Stage


@pytest.fixture(scope="session")
def stage(postgres: Postgres) -> Stage:
    """A stage on the run's own server."""
    return Stage(postgres.server)


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Stories are full of faults that are logged; what counts is what they come to."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(**before)
