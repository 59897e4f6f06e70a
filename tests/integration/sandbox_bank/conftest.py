"""The bank's folder lies where the servers' do: it waits for the disk with every word that it gives."""

from pathlib import Path
from uuid import uuid4

import pytest


@pytest.fixture
def tmp_path(servers: Path) -> Path:
    folder = servers / f"bank-{uuid4().hex[:12]}"
    folder.mkdir()
    return folder
