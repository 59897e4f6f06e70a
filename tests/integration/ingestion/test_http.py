"""Ingestion's HTTP over a real database: files whole or not at all, and what became of them."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from goodfunds import ids
from goodfunds.access.tokens import new_secret
from goodfunds.clock import FixedClock
from goodfunds.local.demo_file import demo_file
from goodfunds.local.processes import free_port
from goodfunds.observability.http import PROBLEM
from goodfunds.postgres import create_pool
from services.ingestion import PAYMENTS_READ, PAYMENTS_WRITE, http, http_files
from services.ingestion.instructing import Instructing
from tests.integration.ingestion.desk import NOW, PARTITIONS, Desk, desk_on, rejected_by_bank
from tests.tokens import app_behind_a_door, bearer, token_of
from tests.unit.ingestion.requests import instruction

FILE = demo_file(6, 2, date(2026, 3, 3))
FILES = "/v1/payment-files"
LARGEST = 100_000
Change = Callable[[bytes], bytes]


@pytest.fixture
async def desk(database: str) -> AsyncIterator[Desk]:
    async with desk_on(database) as desk:
        yield desk


def app_on(pool: Any) -> FastAPI:
    """Ingestion's application beside a broker that does not answer."""
    app = app_behind_a_door(pool, FixedClock(NOW))
    instructing = Instructing("127.0.0.1:1", PARTITIONS, away=lambda: True)
    http.add_routes(app, pool, FixedClock(NOW), instructing, LARGEST)
    return app


async def client_of(database: str, app: FastAPI, name: str) -> httpx.AsyncClient:
    """A program of a client that may do all that ingestion allows."""
    token = await token_of(database, name, PAYMENTS_READ, PAYMENTS_WRITE, made=NOW)
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="http://ingestion", headers=bearer(token))


@pytest.fixture
async def pool(desk: Desk, database: str) -> AsyncIterator[Any]:
    found = await create_pool(database)
    yield found
    await found.close()


@pytest.fixture
async def client(pool: Any, database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with await client_of(database, app_on(pool), "shop") as client:
        yield client


@pytest.fixture
async def another(pool: Any, database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with await client_of(database, app_on(pool), "another") as client:
        yield client


async def test_a_good_file_is_taken_in_and_can_be_looked_at(client: httpx.AsyncClient) -> None:
    taken = await client.post(FILES, content=FILE)
    assert taken.status_code == 202
    assert (taken.json()["message_id"], taken.json()["items"]) == ("DEMO-1-6", 6)
    found = (await client.get(taken.headers["Location"])).json()
    assert (found["file_id"], found["position"], found["finished_at"]) == (taken.json()["file_id"], 0, None)
    assert found["format"] == "pain.001.001.09"
    assert list(found["sums"]) == ["EUR"]


async def test_the_same_file_twice_gives_the_first_answer_and_is_one_file(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    first, second = await client.post(FILES, content=FILE), await client.post(FILES, content=FILE)
    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json() == second.json()
    assert first.headers["Location"] == second.headers["Location"]
    assert await desk.count("payment_files") == 1


async def test_another_file_with_the_same_msgid_is_refused_whole(
    client: httpx.AsyncClient, another: httpx.AsyncClient, desk: Desk
) -> None:
    await client.post(FILES, content=FILE)
    other = await client.post(FILES, content=FILE.replace(b"<Nm>", b"<Nm>X", 1))
    assert (other.status_code, other.headers["content-type"]) == (409, PROBLEM)
    assert "DEMO-1-6" in other.json()["detail"]
    assert await desk.count("payment_files") == 1
    assert (await another.post(FILES, content=FILE)).status_code == 202


def cent_off(file: bytes) -> bytes:
    start, end = file.index(b"<CtrlSum>") + 9, file.index(b"</CtrlSum>")
    digit = b"%d" % ((int(file[end - 1 : end]) + 1) % 10)
    assert start < end
    return file[: end - 1] + digit + file[end:]


def amounting_to(text: str) -> Change:
    def change(file: bytes) -> bytes:
        start = file.index(b'<InstdAmt Ccy="EUR">') + 20
        return file[:start] + text.encode() + file[file.index(b"</InstdAmt>") :]

    return change


BROKEN: dict[str, tuple[Change, str]] = {
    "empty": (lambda file: b"", "FF01"),
    "no XML": (lambda file: b"{}", "FF01"),
    "truncated": (lambda file: file[: len(file) // 2], "FF01"),
    "without its last byte": (lambda file: file.rstrip()[:-1], "FF01"),
    "control sum off by a cent": (cent_off, "AM10"),
    "a payment too many": (lambda file: file.replace(b"<NbOfTxs>6<", b"<NbOfTxs>7<", 1), "AM18"),
    "a payment too few": (lambda file: file.replace(b"<NbOfTxs>3<", b"<NbOfTxs>2<", 1), "AM18"),
    "another message": (lambda file: file.replace(b"pain.001", b"pain.008"), "FF01"),
    "an unknown currency": (lambda file: file.replace(b'Ccy="EUR"', b'Ccy="EUX"', 1), "AM11"),
    "yen with decimals": (lambda file: file.replace(b'Ccy="EUR"', b'Ccy="JPY"', 1), "AM12"),
    **{
        f"an amount of {text}": (amounting_to(text), code)
        for text, code in {
            "1e3": "AM12", "-5.00": "AM12", "+-5": "AM12", "１０": "AM12", "true": "AM12", "1,00": "AM12",
            "1_000": "AM12", "10.005": "AM12", "1" * 19: "AM12", "": "AM12",
        }.items()
    },
    "a doctype": (
        lambda file: file.replace(b"<Document", b'<!DOCTYPE d [<!ENTITY e "x">]><Document', 1), "FF01"),
}  # fmt: skip


async def test_a_broken_file_is_refused_whole_with_code_and_line(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    silent = {}
    for case, (change, code) in BROKEN.items():
        broken = change(FILE)
        assert broken != FILE
        answer = await client.post(FILES, content=broken)
        assert (answer.status_code, answer.headers["content-type"]) == (422, PROBLEM), case
        errors = answer.json()["errors"]
        assert all(error["line"] >= 0 and error["message"] for error in errors)
        if code not in {error["code"] for error in errors}:
            silent[case] = errors
    assert silent == {}
    assert await desk.count("payment_files") == 0


async def test_a_file_with_a_payment_that_no_lane_could_take_is_refused_at_the_door(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    line = b"<Ustrd>" + b"x" * 140 + b"</Ustrd>"
    invoice = b"<Strd><RfrdDocInf><Nb>INV-1</Nb></RfrdDocInf></Strd>"
    for pattern, replacement, code in (
        (b"<Ustrd>", line * 70 + b"<Ustrd>", "RR07"),
        (b"</RmtInf>", invoice + b"</RmtInf>", "RR07"),
        (b"<PmtMtd>TRF<", b"<PmtMtd>CHK<", "AG03"),
        (b"<IBAN>DE97500105170000000001</IBAN>", b"<Othr><Id>transit-out:x</Id></Othr>", "CH16"),
    ):
        assert pattern in FILE
        answer = await client.post(FILES, content=FILE.replace(pattern, replacement, 1))
        assert answer.status_code == 422
        assert [error["code"] for error in answer.json()["errors"]] == [code]
    assert await desk.count("payment_files") == 0
    over_the_rails_limit = FILE.replace(b"<Ustrd>", line + b"<Ustrd>", 1)
    assert (await client.post(FILES, content=over_the_rails_limit)).status_code == 202


async def test_a_file_that_is_too_large_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post(FILES, content=b"x" * (LARGEST + 1))
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)


async def test_one_file_at_a_time_is_held_in_memory_to_be_checked(
    client: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    check, busy, met = http_files._read_whole, threading.Lock(), threading.Event()

    def checked(content: bytes) -> Any:
        if not busy.acquire(blocking=False):
            met.set()
            return check(content)
        try:
            # Long enough for the others, which are at the door by now, to come in as well.
            met.wait(0.2)
            return check(content)
        finally:
            busy.release()

    monkeypatch.setattr(http_files, "_read_whole", checked)
    answers = await asyncio.gather(*(client.post(FILES, content=FILE) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 202]
    assert await desk.count("payment_files") == 1
    assert not met.is_set()


async def test_a_payment_is_found_by_id_and_by_key_by_its_client_alone(
    client: httpx.AsyncClient, another: httpx.AsyncClient, desk: Desk
) -> None:
    await desk.open(100_00)
    (accepted,) = await desk.ask(instruction(idempotency_key="order/1 ü"))
    paths = ("/v1/payments/by-key/order/1 ü", f"/v1/payments/{ids.text(accepted.payment_id)}")
    by_key, by_id = [await client.get(path) for path in paths]
    assert by_key.json() == by_id.json()
    found = by_id.json()
    assert (found["state"], found["amount"], found["amount_minor"]) == ("accepted", "100.00", 100_00)
    assert found["refund"] is None
    assert [(await another.get(path)).status_code for path in paths] == [404, 404]
    await desk.tell(rejected_by_bank(accepted.payment_id, 100_00))
    refund = (await client.get(paths[1])).json()["refund"]
    assert (refund["cause"], refund["reason_code"]) == ("rejected", "AC04")


async def test_a_file_is_seen_by_its_client_alone(
    client: httpx.AsyncClient, another: httpx.AsyncClient
) -> None:
    location = (await client.post(FILES, content=FILE)).headers["Location"]
    for path in (location, f"{location}/status-report"):
        assert (await client.get(path)).status_code == 200
        assert (await another.get(path)).status_code == 404


async def test_a_rejected_payment_in_no_currency_is_shown_as_it_came(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    await desk.ask(instruction(currency="EUX", amount_minor=7))
    found = (await client.get("/v1/payments/by-key/key")).json()
    assert (found["state"], found["reason_code"], found["amount"]) == ("rejected", "AM11", "7")


async def test_what_does_not_exist_is_a_404_in_the_form_of_every_error(client: httpx.AsyncClient) -> None:
    for path in (
        f"{FILES}/{uuid4()}",
        f"{FILES}/no-id",
        f"/v1/payments/{uuid4()}",
        "/v1/payments/no-id",
        "/v1/payments/by-key/unknown",
        "/v1/payments/by-key/%00",
        "/v1/payments/by-key/%ff%fe",
        "/v1/nothing",
    ):
        answer = await client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, PROBLEM), path


async def test_a_file_counts_its_own_payments_alone(client: httpx.AsyncClient, desk: Desk) -> None:
    await desk.open(100_00)
    location = (await client.post(FILES, content=FILE)).headers["Location"]
    for key in ("DEMO-1-6/1/1", "DEMO-1-6/1/2", "DEMO-1-6/1/1/1", "DEMO-1-60/1/1", "DEMO-1-6-/1/1"):
        await desk.ask(instruction(idempotency_key=key, amount_minor=1))
    await desk.ask(instruction(idempotency_key="DEMO-1-6/2/1", amount_minor=0))
    await desk.ask(instruction(idempotency_key="DEMO-1-6/2/2", client="another", amount_minor=0))
    found = (await client.get(location)).json()
    assert (found["accepted"], found["rejected"]) == (2, 1)


async def test_while_the_database_does_not_answer_the_answer_is_to_try_again(
    desk: Desk, database: str
) -> None:
    pool = await create_pool(database, statement_timeout=0.2)
    async with await client_of(database, app_on(pool), "shop") as client:
        async with desk.connection.transaction():
            await desk.connection.execute("LOCK TABLE payment_files")
            # Without its own limit the request would wait as long as the lock is held.
            async with asyncio.timeout(20):
                answer = await client.post(FILES, content=FILE)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert await desk.count("payment_files") == 0
        assert (await client.post(FILES, content=FILE)).status_code == 202
    await pool.close()


async def test_while_the_database_is_away_the_answer_is_to_try_again() -> None:
    pool = await create_pool(f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    transport, token = httpx.ASGITransport(app_on(pool)), bearer(new_secret())
    async with httpx.AsyncClient(transport=transport, base_url="http://x", headers=token) as client:
        for answer in (
            await client.post(FILES, content=FILE),
            await client.get(f"{FILES}/{uuid4()}"),
            await client.get("/v1/payments/by-key/key"),
        ):
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    await pool.close()
