"""Every message that the bank writes is valid against the official schemas, whatever it does wrong."""

import os
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from services.sandbox_bank.app import build
from services.sandbox_bank.model import Booking
from tests.integration.sandbox_bank.customer import (
    MONDAY,
    OURS,
    TUESDAY,
    WEDNESDAY,
    Pay,
    bank_settings,
    clock,
    payment_file,
)

FAULTS = (
    "return",
    "reject",
    "echo_end_to_end_only",
    "contradictory_answer",
    "wrong_amount_line",
    "doubled_answer",
)


@pytest.fixture
def schemas() -> Path:
    folder = Path(os.environ.get("CORPUS", "")) / "xsd"
    if not os.environ.get("CORPUS") or not folder.is_dir():
        pytest.skip("CORPUS names no folder with the official schemas in xsd/")
    return folder


def valid(content: bytes, schemas: Path) -> str:
    """The message's name, once its schema accepts it."""
    root = etree.fromstring(content)
    name = str(etree.QName(root).namespace).rpartition(":")[2]
    (path,) = [each for each in schemas.iterdir() if name in each.name]
    etree.XMLSchema(etree.parse(str(path))).assertValid(root)
    return name


@pytest.mark.corpus
@pytest.mark.parametrize("booking", list(Booking))
def test_what_the_bank_writes_is_valid(tmp_path: Path, schemas: Path, booking: Booking) -> None:
    faults = {fault: {"rate": 0.3} for fault in FAULTS}
    bank = build(bank_settings(tmp_path, bank_booking=booking, bank_faults=faults), clock())
    with bank.store.writing(clock().now()) as books:
        books.open_account(OURS, "EUR", "House", 3_000)

    def pays(first: int, on: date = MONDAY) -> list[Pay]:
        return [Pay(number, 90, on, f"BATCH{number % 3}") for number in range(first, first + 20)]

    files = {
        "a": payment_file("A", pays(0)),
        "b": payment_file("A", pays(0)),
        "c": payment_file("C", pays(40, TUESDAY)),
        "d": b"\x00 no file",
        "e": b"<MsgId>\x00\x01 <b/></MsgId>",
        "f": payment_file("F", pays(60))[:-30],
    }
    for name, content in files.items():
        (bank.folders.inbox / f"{name}.xml").write_bytes(content)
    bank.work()
    bank.advance(WEDNESDAY)
    names = {valid(path.read_bytes(), schemas) for path in bank.folders.outbox.iterdir()}
    bank.store.close()
    assert names == {"pain.002.001.10", "camt.054.001.08", "camt.053.001.08"}
