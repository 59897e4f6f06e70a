"""What the command line's tests share."""

import pytest

from tests.unit.cli.fake_services import House


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    return House(monkeypatch)
