"""`goodfunds prove` where a database is away or goes away: a line that says so, and no claim."""

from types import SimpleNamespace
from typing import Any

import asyncpg
import click
import pytest
from click.testing import CliRunner

from goodfunds.cli.reading import read_from
from goodfunds.cli.root import Root
from goodfunds.errors import Unavailable


@pytest.mark.parametrize("away", ["the server", "one database"])
async def test_a_database_that_is_away_is_named(postgres: Any, away: str) -> None:
    server = postgres.url if away == "one database" else "postgresql://goodfunds:x@127.0.0.1:1"
    stack: Any = SimpleNamespace(postgres=server)
    with pytest.raises(Unavailable, match="settlement's database cannot be read"):
        await read_from(stack, "settlement")


def test_a_server_that_goes_away_in_the_middle_is_told_in_a_line_and_a_defect_is_not_hidden() -> None:
    faults: list[Exception] = [asyncpg.AdminShutdownError("terminating connection"), KeyError("a defect")]
    root = Root("goodfunds")

    @root.command()
    def prove() -> None:
        raise faults.pop(0)

    assert isinstance(prove, click.Command)
    told = CliRunner().invoke(root, ["prove"])
    assert told.exit_code == 2
    assert "terminating connection" in told.stderr
    assert isinstance(CliRunner().invoke(root, ["prove"]).exception, KeyError)
