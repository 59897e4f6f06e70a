"""A bank stopped in the middle: every file is judged once and every answer is written once."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import asyncssh
import pytest

from goodfunds.clock import Clock, SystemClock
from goodfunds.local.processes import free_port
from services.sandbox_bank import bank as bank_room
from services.sandbox_bank import folders, sending, teller, uploads
from services.sandbox_bank.app import build
from services.sandbox_bank.bank import Bank
from services.sandbox_bank.books import Books
from tests.integration.sandbox_bank import documents
from tests.integration.sandbox_bank.customer import (
    FUNDS,
    OURS,
    TUESDAY,
    Pay,
    bank_settings,
    clock,
    customer,
    payment_file,
    until,
)


class Stopped(BaseException):
    """The bank's process ends here."""


def stop_at(call: int, function: Callable[..., object], after: bool) -> Callable[..., object]:
    """The function, that stops the bank at its n-th call, before or after doing its work."""
    calls = Counter[str]()

    def stopping(*arguments: object, **named: object) -> object:
        calls["made"] += 1
        if calls["made"] == call and not after:
            raise Stopped
        done = function(*arguments, **named)
        if calls["made"] == call:
            raise Stopped
        return done

    return stopping


def opened(data: Path, at: Clock) -> Bank:
    bank = build(bank_settings(data, bank_transactions_per_notification=2), at)
    with bank.store.writing(at.now()) as books:
        books.open_account(OURS, "EUR", "House", FUNDS)
    return bank


def story(bank: Bank) -> tuple[object, ...]:
    """All that the bank did, but for file names' numbers that depend on nothing else."""
    books = {
        book: bank.store.all(f"book_{book}")
        for book in ("bank", "accounts", "files", "payments", "transfers", "answers", "told")
    }
    outbox = {path.name: path.read_bytes() for path in sorted(bank.folders.outbox.iterdir())}
    archive = sorted(path.name for path in bank.folders.archive.iterdir())
    return books, outbox, archive, sorted(bank.folders.inbox.iterdir())


def live_through(bank: Bank) -> None:
    bank.work()
    bank.advance(TUESDAY)


def deliver(bank: Bank) -> None:
    for number in (1, 2):
        payments = [
            Pay(number * 10 + index, on=TUESDAY if index == 4 else TUESDAY.replace(day=2))
            for index in range(5)
        ]
        (bank.folders.inbox / f"M{number}.xml").write_bytes(payment_file(f"M{number}", payments))


PLACES = {
    "registering": (uploads, "_register"),
    "judging": (teller, "_judge"),
    "archiving": (teller, "move_durably"),
    "rendering": (sending, "render"),
    "drafting": (folders, "_sync_folder"),
    "sending": (sending, "write_durably"),
    "ending the day": (bank_room, "end_day"),
    "keeping the books": (Books, "keep"),
    "booking": (Books, "book"),
    "owing": (Books, "owe"),
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("place", PLACES)
def test_a_bank_stopped_anywhere_goes_on_to_the_same_books_and_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, after: bool
) -> None:
    at = clock()
    undisturbed = opened(tmp_path / "undisturbed", at)
    deliver(undisturbed)
    live_through(undisturbed)
    expected = story(undisturbed)
    undisturbed.store.close()

    room, name = PLACES[place]
    bank = opened(tmp_path / "stopped", at)
    deliver(bank)
    stops = 0
    for call in range(1, 40):
        with monkeypatch.context() as patched:
            patched.setattr(room, name, stop_at(call, getattr(room, name), after))
            try:
                live_through(bank)
                break
            except Stopped:
                stops += 1
        bank.store.close()
        bank = build(bank_settings(tmp_path / "stopped", bank_transactions_per_notification=2), at)
    assert stops
    live_through(bank)
    found = story(bank)
    bank.store.close()
    assert [_comparable(part) for part in found] == [_comparable(part) for part in expected]


def _comparable(part: object) -> object:
    return {Path(str(each)).name for each in part} if isinstance(part, list) else part


async def started(data: Path, sftp: int, http: int) -> asyncio.subprocess.Process:
    environment = os.environ | {
        "GOODFUNDS_DATA": str(data),
        "GOODFUNDS_BANK_SFTP": f"127.0.0.1:{sftp}",
        "GOODFUNDS_HTTP_PORT": str(http),
        "GOODFUNDS_BANK_SFTP_USER": "house",
        "GOODFUNDS_BANK_SFTP_PASSWORD": "secret",
        "GOODFUNDS_BANK_BUSINESS_DAY": "2026-03-02",
        "GOODFUNDS_BANK_FAULTS": '{"return": {"rate": 0.1}}',
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.sandbox_bank", env=environment, stdout=asyncio.subprocess.DEVNULL
    )

    async def listening() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", http)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until(listening, "the bank listens")
    except BaseException:
        process.kill()
        await process.wait()
        raise
    return process


@pytest.mark.long  # A bank's program starts, and is killed, twice.
async def test_a_bank_killed_while_it_judges_has_lost_and_doubled_nothing(tmp_path: Path) -> None:
    async with customer(tmp_path, funds=10**9):
        pass
    sftp_port, http_port = free_port(), free_port()
    for kill in range(2):
        process = await started(tmp_path, sftp_port, http_port)
        try:
            async with (
                asyncssh.connect(
                    "127.0.0.1", sftp_port, username="house", password="secret", known_hosts=None,
                    client_keys=None, config=None, agent_path=None,
                ) as connection,
                connection.start_sftp_client() as sftp,
            ):  # fmt: skip
                for number in range(3):
                    message = f"M{kill}-{number}"
                    first = (kill * 3 + number) * 300
                    async with sftp.open(f"inbox/{message}.tmp", "wb") as file:
                        await file.write(payment_file(message, [Pay(first + index) for index in range(300)]))
                    await sftp.rename(f"inbox/{message}.tmp", f"inbox/{message}.xml")
                process.send_signal(signal.SIGKILL)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
    async with customer(tmp_path, funds=10**9, at=SystemClock()) as us:
        await us.idle()
        books = await us.books()
        assert Counter(file["standing"] for file in books["files"]) == {"stands": 6}
        assert len(books["payments"]) == 6 * 300
        entries = [
            entry.instruction_ids[0]
            for name in await us.answers("camt054")
            for entry in documents.account(await us.read(name)).entries
        ]
        assert sorted(entries) == [Pay(number).instruction_id for number in range(6 * 300)]
        assert (await us.get(f"/accounts/{OURS}"))["balance_minor"] == 10**9 - 6 * 300 * 100


async def test_a_bank_told_to_stop_finishes_and_leaves_well(tmp_path: Path) -> None:
    process = await started(tmp_path, free_port(), free_port())
    try:
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 20) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
