"""Each test's database has the tables of the lanes and those of the tests' copier."""

import pytest

from goodfunds.service import LANES
from tests.conftest import Migrations
from tests.integration.lanes.copier import MIGRATIONS


@pytest.fixture
def migrations() -> Migrations:
    return LANES, ("copier", MIGRATIONS)
