"""The bank's doors: who gets in, what a customer sees by SFTP, and what no path reaches."""

import asyncio
import stat
from pathlib import Path

import asyncssh
import pytest

from services.sandbox_bank.app import open_bank
from tests.integration.sandbox_bank.customer import Pay, bank_settings, clock, customer, payment_file, session

ESCAPES = (
    "../books.sqlite",
    "inbox/../../books.sqlite",
    "/../../../etc/passwd",
    "outbox/../../ssh_host_key",
    "inbox/./../../desk/x",
    "/etc/passwd",
    "inbox/deeper/x.tmp",
    "inbox/back\\slash.tmp",
    "inbox/new\nline.tmp",
    "inbox/" + "n" * 300 + ".tmp",
)


def everything_in(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    return secret


@pytest.mark.parametrize("path", ESCAPES)
async def test_no_path_escapes_the_folders(tmp_path: Path, path: str) -> None:
    async with customer(tmp_path) as us:
        before = everything_in(tmp_path)
        with pytest.raises(asyncssh.SFTPError):
            async with us.sftp.open(path, "rb") as file:
                await file.read()
        with pytest.raises(asyncssh.SFTPError):
            async with us.sftp.open(path, "wb") as file:
                await file.write(b"x")
        await us.upload_draft("draft.tmp", b"x")
        with pytest.raises(asyncssh.SFTPError):
            await us.sftp.rename("inbox/draft.tmp", path)
        with pytest.raises(asyncssh.SFTPError):
            await us.sftp.remove(path)
        with pytest.raises(asyncssh.SFTPError):
            await us.sftp.stat(path)
        await us.sftp.remove("inbox/draft.tmp")
        assert everything_in(tmp_path) == before


async def test_links_lead_nowhere_even_if_one_lies_in_the_inbox(tmp_path: Path, outside: Path) -> None:
    async with customer(tmp_path) as us:
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await us.sftp.symlink(str(outside), "inbox/link.tmp")
        with pytest.raises(asyncssh.SFTPPermissionDenied):
            await us.sftp.link("outbox", "inbox/link.tmp")
        (us.open.bank.folders.inbox / "planted.tmp").symlink_to(outside)
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            async with us.sftp.open("inbox/planted.tmp", "rb") as file:
                await file.read()
        with pytest.raises(asyncssh.SFTPNoSuchFile):
            await us.sftp.rename("inbox/planted.tmp", "inbox/planted.xml")


async def test_a_customer_changes_nothing_but_its_unfinished_uploads(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        await us.submit("M1", [Pay(1)])
        (answer, *_) = await us.answers()
        refused = asyncssh.SFTPPermissionDenied
        with pytest.raises(refused):
            await us.sftp.remove(f"outbox/{answer}")
        with pytest.raises(refused):
            await us.sftp.rename(f"outbox/{answer}", "outbox/other.xml")
        with pytest.raises(refused):
            await us.sftp.rename(f"outbox/{answer}", "inbox/other.xml")
        for path in (f"outbox/{answer}", "archive/M1.xml", "inbox/direct.xml"):
            with pytest.raises(refused):
                async with us.sftp.open(path, "wb") as file:
                    await file.write(b"x")
        with pytest.raises(refused):
            await us.sftp.mkdir("inbox/folder")
        with pytest.raises(refused):
            await us.sftp.rmdir("inbox")
        assert set(await us.sftp.listdir(".")) >= {"inbox", "archive", "outbox"}
        assert await us.sftp.exists("archive/M1.xml")
        assert stat.S_ISDIR((await us.sftp.stat("inbox")).permissions or 0)


async def test_a_name_that_waits_in_the_inbox_is_not_replaced(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        with us.open.bank.teller:
            await us.upload("M1", payment_file("M1", [Pay(1)]))
            await us.upload_draft("again.tmp", b"other")
            with pytest.raises(asyncssh.SFTPFailure):
                await us.sftp.rename("inbox/again.tmp", "inbox/M1.xml")
            with pytest.raises(asyncssh.SFTPFailure):
                await us.sftp.posix_rename("inbox/again.tmp", "inbox/M1.xml")
        await us.idle()
        assert await us.sftp.exists("inbox/again.tmp")
        assert (await us.get("/files/M1"))["status"] == "accepted"


async def test_a_finished_upload_is_known_before_its_rename_is_answered(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        with us.open.bank.teller:
            await us.upload("M1", payment_file("M1", [Pay(1)]))
            assert (await us.get("/files/M1"))["status"] == "received"
            assert await us.sftp.exists("inbox/M1.xml")
        await us.idle()
        assert (await us.get("/files/M1"))["status"] == "accepted"


async def test_only_the_right_password_and_user_open_the_door(tmp_path: Path) -> None:
    async with open_bank(bank_settings(tmp_path), clock()) as opened:
        for user, password in (("house", "wrong"), ("house", ""), ("root", "secret")):
            with pytest.raises(asyncssh.PermissionDenied):
                async with session(opened, password=password, username=user):
                    pass
        async with session(opened) as connection:
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.run("id", check=True)
            with pytest.raises(asyncssh.ChannelOpenError):
                await connection.open_connection("127.0.0.1", opened.http_port)


async def test_a_deposited_key_opens_the_door_and_another_does_not(tmp_path: Path) -> None:
    known, stranger = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    keys = tmp_path / "authorized_keys"
    keys.write_bytes(known.export_public_key())
    async with open_bank(bank_settings(tmp_path, bank_authorized_keys=keys), clock()) as opened:
        async with (
            session(opened, password=None, client_keys=[known]) as connection,
            connection.start_sftp_client() as sftp,
        ):
            assert await sftp.exists("inbox")
        with pytest.raises(asyncssh.PermissionDenied):
            async with session(opened, password=None, client_keys=[stranger]):
                pass
        with pytest.raises(asyncssh.PermissionDenied):
            async with session(opened, password=None, client_keys=[known], username="root"):
                pass


async def test_the_host_key_is_made_once_and_private(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        async with open_bank(bank_settings(tmp_path), clock()) as opened:
            folder = opened.bank.folders.data
            keys.append((folder / "ssh_host_key.pub").read_bytes())
            assert (folder / "ssh_host_key").stat().st_mode & 0o777 == 0o600
    assert keys[0] == keys[1]


async def test_many_customers_upload_at_once(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:

        async def one(number: int) -> None:
            async with session(us.open) as connection, connection.start_sftp_client() as sftp:
                async with sftp.open(f"inbox/M{number}.tmp", "wb") as file:
                    await file.write(payment_file(f"M{number}", [Pay(number)]))
                await sftp.rename(f"inbox/M{number}.tmp", f"inbox/M{number}.xml")

        await asyncio.gather(*(one(number) for number in range(12)))
        await us.idle()
        books = await us.books()
        assert sorted(file["message_id"] for file in books["files"]) == sorted(f"M{n}" for n in range(12))
        assert {payment["status"] for payment in books["payments"]} == {"booked"}
