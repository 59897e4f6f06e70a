"""The door over a real database: who gets in, who does not and is told nothing, and how often."""

import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI

from goodfunds import access
from goodfunds.access import tokens
from goodfunds.access.principals import BELIEVED_SECONDS, Principal, Principals
from goodfunds.access.rate import Buckets, Rate
from goodfunds.clock import FixedClock
from goodfunds.http.door import allowed, close_door
from goodfunds.local.processes import free_port
from goodfunds.observability import log
from goodfunds.observability.http import PROBLEM, create_app
from goodfunds.postgres import connect, create_pool
from tests.conftest import Migrations
from tests.tokens import app_behind_a_door, bearer, token_of

NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)


def with_routes(app: FastAPI) -> FastAPI:
    @app.get("/v1/things")
    async def things(principal: Annotated[Principal, allowed("things:read")]) -> dict[str, str]:
        return {"client": principal.client}

    @app.post("/v1/things")
    async def make(principal: Annotated[Principal, allowed("things:read", "things:write")]) -> None:
        return None

    return app


def talking_to(app: FastAPI) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://door")


@pytest.fixture
def migrations() -> Migrations:
    return (("access", access.MIGRATIONS),)


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Any]:
    found = await create_pool(database)
    yield found
    await found.close()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
async def client(pool: Any, clock: FixedClock) -> AsyncIterator[httpx.AsyncClient]:
    async with talking_to(with_routes(app_behind_a_door(pool, clock))) as client:
        yield client


async def test_a_token_lets_its_client_in_for_its_scopes(client: httpx.AsyncClient, database: str) -> None:
    reads = bearer(await token_of(database, "shop", "things:read", made=NOW))
    found = await client.get("/v1/things", headers=reads)
    assert (found.status_code, found.json()) == (200, {"client": "shop"})
    told = found.headers
    assert (told["Cache-Control"], told["X-Content-Type-Options"]) == ("no-store", "nosniff")
    refused = await client.post("/v1/things", headers=reads)
    assert (refused.status_code, refused.headers["content-type"]) == (403, PROBLEM)
    challenge = refused.headers["WWW-Authenticate"]
    assert 'error="insufficient_scope", scope="things:read things:write"' in challenge
    both = bearer(await token_of(database, "shop", "things:read", "things:write", made=NOW))
    assert (await client.post("/v1/things", headers=both)).status_code == 200


async def test_without_a_token_nothing_behind_the_door_answers_not_even_that_it_is_not_there(
    client: httpx.AsyncClient,
) -> None:
    things = "/v1/things"
    for method, path in (("GET", things), ("PUT", things), ("GET", "/v1/nothing"), ("POST", things)):
        for headers in ({}, {"Authorization": "Basic c2hvcDpzZWNyZXQ="}, {"Authorization": "Bearer"}):
            answer = await client.request(method, path, headers=headers)
            assert (answer.status_code, answer.headers["content-type"]) == (401, PROBLEM)
            assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="goodfunds"')


async def test_health_metrics_and_the_openapi_stand_before_the_door(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json"):
        assert (await client.get(path)).status_code == 200


async def test_a_token_that_is_unknown_revoked_expired_or_no_token_gets_one_and_the_same_answer(
    client: httpx.AsyncClient, database: str, clock: FixedClock
) -> None:
    revoked = await token_of(database, "shop", "things:read", made=NOW)
    expired = await token_of(database, "shop", "things:read", made=NOW, life=timedelta(seconds=-1))
    connection = await connect(database)
    revoking = "UPDATE access_tokens SET revoked_at = now() WHERE sha256 = $1"
    await connection.execute(revoking, tokens.digest(revoked))
    await connection.close()
    answers = set()
    for secret in (revoked, expired, tokens.new_secret(), "gf_short", "é", "x" * 5_000, "gf_' OR true --"):
        answer = await client.get("/v1/things", headers={b"Authorization": f"Bearer {secret}".encode()})
        answers.add((answer.status_code, answer.text, answer.headers["WWW-Authenticate"]))
    assert len(answers) == 1
    ((status, _, challenge),) = answers
    assert (status, challenge) == (401, 'Bearer realm="goodfunds", error="invalid_token"')


async def test_two_tokens_in_one_request_are_none(client: httpx.AsyncClient, database: str) -> None:
    secret = await token_of(database, "shop", "things:read", made=NOW)
    header = ("Authorization", f"Bearer {secret}")
    assert (await client.get("/v1/things", headers=[header])).status_code == 200
    assert (await client.get("/v1/things", headers=[header, header])).status_code == 401


async def test_a_revoked_token_is_believed_for_a_few_seconds_and_an_expired_one_for_none(
    pool: Any, database: str, clock: FixedClock
) -> None:
    elapsed = [0.0]
    principals = Principals(pool, clock, lambda: elapsed[0])
    app = create_app("a service", list)
    close_door(app, principals, Buckets(Rate(1e6, 1_000_000)))
    revoked = bearer(await token_of(database, "shop", "things:read", made=NOW))
    expiring = bearer(await token_of(database, "shop", "things:read", made=NOW, life=timedelta(seconds=1)))
    async with talking_to(with_routes(app)) as client:

        async def statuses() -> tuple[int, int]:
            one, two = [await client.get("/v1/things", headers=each) for each in (revoked, expiring)]
            return one.status_code, two.status_code

        assert await statuses() == (200, 200)
        await pool.execute("UPDATE access_tokens SET revoked_at = now()")
        clock.at = NOW + timedelta(seconds=1)
        assert await statuses() == (200, 401)
        elapsed[0] += BELIEVED_SECONDS
        assert await statuses() == (401, 401)


async def test_beyond_its_rate_a_token_is_told_when_to_come_again(
    pool: Any, database: str, clock: FixedClock
) -> None:
    app = with_routes(app_behind_a_door(pool, clock, Rate(per_second=0.01, burst=2)))
    one, two = [bearer(await token_of(database, each, "things:read", made=NOW)) for each in ("one", "two")]
    async with talking_to(app) as client:
        answers = [await client.get("/v1/things", headers=one) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        assert answers[2].headers["content-type"] == PROBLEM
        assert 95 <= int(answers[2].headers["Retry-After"]) <= 100
        assert (await client.get("/v1/things", headers=two)).status_code == 200


async def test_what_is_stored_of_a_token_is_its_hash(pool: Any, database: str) -> None:
    secret = await token_of(database, "shop", "things:read", made=NOW)
    (stored,) = await pool.fetch("SELECT t.*, t::text AS all_of_it FROM access_tokens t")
    assert stored["sha256"] == tokens.digest(secret)
    assert secret not in stored["all_of_it"]
    assert secret.encode().hex() not in stored["all_of_it"]


async def test_no_token_gets_into_a_log_line(pool: Any, database: str, clock: FixedClock) -> None:
    written = io.StringIO()
    log.configure("test", "debug", written)
    app = with_routes(app_behind_a_door(pool, clock))

    @app.get("/v1/fault")
    async def fault(principal: Annotated[Principal, allowed("things:read")]) -> None:
        raise RuntimeError("broken")

    good, bad = await token_of(database, "shop", "things:read", made=NOW), tokens.new_secret()
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        for secret, path in ((good, "/v1/fault"), (bad, "/v1/things"), (good, "/v1/nothing")):
            await client.get(path, headers=bearer(secret))
        await pool.execute("ALTER TABLE access_tokens RENAME TO gone")
        await client.get("/v1/things", headers=bearer(tokens.new_secret()))
    lines = written.getvalue()
    assert "RuntimeError" in lines
    assert [each for each in (good, bad) if each in lines or each[3:] in lines] == []
    assert "gf_" not in lines


async def test_while_the_database_is_away_the_answer_is_to_try_again_and_not_that_the_token_is_bad() -> None:
    pool = await create_pool(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    async with talking_to(with_routes(app_behind_a_door(pool, FixedClock(NOW)))) as client:
        answer = await client.get("/v1/things", headers=bearer(tokens.new_secret()))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.headers["content-type"] == PROBLEM
    await pool.close()


async def test_a_service_that_forgot_its_door_lets_nobody_in() -> None:
    app = with_routes(create_app("a service", list))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as client:
        assert (await client.get("/v1/things", headers=bearer(tokens.new_secret()))).status_code == 500
