"""Each test's database is settlement's."""

import pytest

from goodfunds.service import migrations_of
from services.settlement import SERVICE
from tests.conftest import Migrations


@pytest.fixture
def migrations() -> Migrations:
    return migrations_of(SERVICE)
