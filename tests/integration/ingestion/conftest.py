"""Each test's database is ingestion's."""

import pytest

from goodfunds.service import migrations_of
from services.ingestion import SERVICE
from tests.conftest import Migrations


@pytest.fixture
def migrations() -> Migrations:
    return migrations_of(SERVICE)
