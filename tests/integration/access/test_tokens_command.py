"""`goodfunds tokens` on real databases: made, listed and revoked, each scope where its service is."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from goodfunds.access import tokens
from goodfunds.cli.root import root
from goodfunds.cli.tokens import tokens as command
from goodfunds.local.postgres import create_databases
from goodfunds.postgres import connect
from goodfunds.service import migrate_service, services
from tests.conftest import Postgres

root.add_command(command)


@pytest.fixture(scope="module")
def server(servers: Path) -> Iterator[str]:
    """A server of this module alone: the services' databases have names for life."""
    found = Postgres(servers / "postgres-of-tokens")

    async def prepare() -> None:
        await create_databases(found.url, [each.database for each in services().values()])
        for service in services().values():
            await migrate_service(service, found.url)

    asyncio.run(prepare())
    yield found.url
    found.stop()


@pytest.fixture
def run(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("GOODFUNDS_KAFKA", "127.0.0.1:1")
    monkeypatch.setenv("GOODFUNDS_POSTGRES", server)

    def run(*words: str) -> Result:
        return CliRunner().invoke(root, ["--folder", str(tmp_path / "none"), "tokens", *words])

    return run


def stored(server: str, service: str, token_id: str) -> list[tuple[Any, ...]]:
    async def read() -> list[tuple[Any, ...]]:
        connection = await connect(f"{server.rstrip('/')}/{service}")
        try:
            rows = await connection.fetch(
                "SELECT client, scopes, sha256, revoked_at IS NULL FROM access_tokens"
                " WHERE token_id = $1::text::uuid",
                token_id,
            )
            return [tuple(row) for row in rows]
        finally:
            await connection.close()

    return asyncio.run(read())


def test_a_token_is_stored_with_the_services_of_its_scopes_as_a_hash(run: Any, server: str) -> None:
    made = json.loads(
        run("create", "--client", "shop", "--scope", "payments:write", "--scope", "settlement:read",
            "--json").stdout
    )  # fmt: skip
    hashed = tokens.digest(made["token"])
    assert stored(server, "ingestion", made["token_id"]) == [("shop", ["payments:write"], hashed, True)]
    assert stored(server, "settlement", made["token_id"]) == [("shop", ["settlement:read"], hashed, True)]
    assert stored(server, "reconciliation", made["token_id"]) == []


def test_a_list_has_each_token_once_and_never_its_secret(run: Any) -> None:
    made = json.loads(
        run("create", "--client", "lister", "--scope", "payments:read", "--scope", "reconciliation:read",
            "--description", "night job", "--days", "30", "--json").stdout
    )  # fmt: skip
    (listed,) = json.loads(run("list", "--client", "lister", "--json").stdout)["tokens"]
    assert listed == {key: value for key, value in made.items() if key != "token"} | {"state": "good"}
    assert listed["scopes"] == ["payments:read", "reconciliation:read"]
    assert made["token"] not in run("list").stdout + run("list", "--json").stdout


def test_a_revoked_token_is_revoked_everywhere_at_once_and_for_good(run: Any, server: str) -> None:
    made = json.loads(
        run("create", "--client", "gone", "--scope", "payments:read", "--scope", "settlement:read",
            "--json").stdout
    )  # fmt: skip
    first = json.loads(run("revoke", made["token_id"], "--json").stdout)
    for service in ("ingestion", "settlement"):
        assert [row[3] for row in stored(server, service, made["token_id"])] == [False]
    again = run("revoke", made["token_id"], "--json")
    assert (again.exit_code, json.loads(again.stdout)) == (0, first)
    assert json.loads(run("list", "--client", "gone", "--json").stdout) == {"tokens": []}
    (listed,) = json.loads(run("list", "--client", "gone", "--all", "--json").stdout)["tokens"]
    assert listed["state"] == "revoked"


def test_without_json_a_person_sees_the_secret_once_on_a_line_of_its_own(run: Any) -> None:
    answer = run("create", "--client", "person", "--scope", "payments:read")
    assert answer.exit_code == 0
    assert tokens.is_secret(answer.stdout.splitlines()[-1])


def test_a_users_mistake_is_told_in_a_line_and_makes_no_token(run: Any) -> None:
    for words, said in (
        (("create", "--client", "a b", "--scope", "payments:read"), "letters, digits"),
        (("create", "--client", "shop", "--scope", "payments:all"), "payments:write"),
        (("create", "--client", "shop"), "--scope"),
        (("create", "--client", "shop", "--scope", "payments:read", "--days", "0"), "--days"),
        (("revoke", "none"), "UUID"),
    ):
        answer = run(*words)
        assert (answer.exit_code, answer.stdout) == (2, ""), words
        assert said in answer.stderr
    unknown = run("revoke", "019a2f3c-0000-7000-8000-000000000000")
    assert (unknown.exit_code, unknown.stdout) == (1, "")
