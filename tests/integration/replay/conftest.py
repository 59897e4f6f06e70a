"""Each test's database has the tables of the lanes, the tests' copier, the ledger and the operators."""

import pytest

from goodfunds import ledger
from goodfunds.service import LANES, OPERATING
from tests.conftest import Migrations
from tests.integration.lanes.copier import MIGRATIONS


@pytest.fixture
def migrations() -> Migrations:
    return LANES, ("ledger", ledger.MIGRATIONS), ("copier", MIGRATIONS), *OPERATING
