"""One suite for two banks: the simulated one does what the house meets over SFTP and HTTP at the real one."""

from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from goodfunds.errors import Unavailable
from services.settlement.gateway.bank import FileStanding, Rejection
from tests.contract.files.test_official_schemas import broken
from tests.integration.sandbox_bank.customer import OURS, TUESDAY, Pay, payment_file
from tests.simulation.sides import Side, Simulated, answers, content_of, facts, opened

FILE = payment_file("M1", [Pay(1, 70), Pay(2, 30)])


@pytest.fixture(params=["simulated", "real"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    async with opened(request.param, tmp_path) as found:
        yield found


async def submit(side: Side, name: str, content: bytes, attempt: int = 1) -> None:
    await side.door.upload(name, attempt, content)
    await side.door.deliver(name, attempt)
    await side.judge()


async def test_a_file_is_known_once_it_was_delivered_and_not_before(side: Side) -> None:
    assert await side.door.enquire("M1", "M1") == FileStanding(False)
    await side.door.upload("M1", 1, FILE)
    assert await side.door.enquire("M1", "M1") == FileStanding(False)
    await side.door.deliver("M1", 1)
    assert await side.door.enquire("M1", "M1") == FileStanding(True)
    assert await side.door.enquire("other", "M1") == FileStanding(True), "by its message id alone"
    await side.judge()
    assert await side.door.enquire("M1", "M1") == FileStanding(True)
    assert await side.door.enquire("M1", "other") == FileStanding(True), "by its name alone"
    assert await side.door.enquire("other", "other") == FileStanding(False)


async def test_what_was_not_uploaded_cannot_be_delivered_and_nothing_twice(side: Side) -> None:
    with pytest.raises(Unavailable):
        await side.door.deliver("M1", 1)
    await side.door.upload("M1", 1, FILE)
    await side.door.deliver("M1", 1)
    with pytest.raises(Unavailable):
        await side.door.deliver("M1", 1)
    await side.judge()
    assert len(await answers(side, "camt054")) == 1


async def test_a_later_attempt_clears_away_what_earlier_ones_uploaded(side: Side) -> None:
    await side.door.upload("M1", 1, FILE)
    await side.door.upload("M1", 2, FILE)
    with pytest.raises(Unavailable):
        await side.door.deliver("M1", 1)
    await side.door.deliver("M1", 2)
    assert await side.door.enquire("M1", "M1") == FileStanding(True)


async def test_the_same_bytes_again_are_refused_as_a_duplicate_and_nothing_is_booked_twice(
    side: Side,
) -> None:
    await submit(side, "M1", FILE)
    await submit(side, "M1", FILE, attempt=2)
    first, second = [each for each in await facts(side) if each[0] == "pain.002"]
    assert first[1] == ("M1", "ACSP", "")
    assert second[1] == ("M1", "RJCT", "AM05")
    assert await side.door.enquire("M1", "M1") == FileStanding(True), "the first copy stands"
    await side.end_day()
    (statement,) = [each for each in await facts(side) if "end" in str(each[-1]) and len(each[2]) == 2]
    assert statement[-1][:3] == ("end", 2, -100)


async def test_a_file_that_does_not_hold_together_is_rejected_whole(side: Side) -> None:
    await submit(side, "M1", FILE.replace(b"<NbOfTxs>2<", b"<NbOfTxs>3<", 1))
    standing = await side.door.enquire("M1", "M1")
    assert standing.found
    assert standing.rejection is not None
    assert standing.rejection.reason_code
    ((_, group, informations, transactions),) = await facts(side)
    assert (group[:2], informations, transactions) == (("M1", "RJCT"), [], [])


async def test_an_enquiry_hears_the_rejection_of_that_payment_in_that_file_and_of_no_other(
    side: Side,
) -> None:
    await side.wrong("reject")
    await submit(side, "M1", FILE)
    rejection = await side.door.payment_rejection(Pay(1).instruction_id, "M1")
    assert isinstance(rejection, Rejection)
    assert rejection.reason_code == "AG01"
    assert await side.door.payment_rejection(Pay(1).instruction_id, "M2") is None
    assert await side.door.payment_rejection(Pay(2).instruction_id, "M1") is None
    assert await side.door.payment_rejection("unknown", "M1") is None
    assert await side.door.enquire("M1", "M1") == FileStanding(True)


@pytest.mark.parametrize("fault", ["contradict_before", "contradict_after", "return"])
async def test_an_enquiry_hears_what_is_booked_whatever_answers_say(side: Side, fault: str) -> None:
    await side.wrong(fault)
    await submit(side, "M1", FILE)
    assert await side.door.payment_rejection(Pay(1).instruction_id, "M1") is None
    await side.end_day()
    assert await side.door.payment_rejection(Pay(1).instruction_id, "M1") is None


async def test_a_file_of_which_every_payment_is_rejected_is_rejected(side: Side) -> None:
    await submit(side, "M1", payment_file("M1", [Pay(1, 10**9), Pay(2, creditor=OURS)]))
    standing = await side.door.enquire("M1", "M1")
    assert standing.rejection == Rejection("", "")


async def test_answers_are_listed_by_name_and_fetched_and_others_are_not_there(side: Side) -> None:
    assert await side.door.answers() == []
    await submit(side, "M1", FILE)
    names = await side.door.answers()
    assert [name[:7] for name in names] == ["camt054", "pain002"]
    assert names == sorted(names)
    assert await side.folder.statements() == []
    with pytest.raises(Unavailable):
        await content_of(side, "pain002-20260302-99999999.xml")
    await side.end_day()
    (listed,) = await side.folder.statements()
    assert listed.name.startswith("camt053")
    assert listed == (await side.folder.statements())[0], "the mark stays while the content does"
    statement = BytesIO()
    await side.folder.fetch(listed.name, statement)
    assert statement.getvalue() == await content_of(side, listed.name)


async def test_a_late_answer_is_not_there_and_then_it_is(side: Side) -> None:
    await side.wrong("late camt.054")
    await submit(side, "M1", FILE)
    assert [name[:7] for name in await side.door.answers()] == ["pain002"]
    await side.end_day()
    assert [name[:7] for name in await side.door.answers()] == ["camt053", "camt054", "pain002"]


PAYMENTS = [
    Pay(1, 70),
    Pay(2, 30, information="0002-BATCH"),
    Pay(3, 11),
    Pay(4, 5, information="0002-BATCH"),
    Pay(5, 900, on=TUESDAY, information="0003-BATCH"),
    Pay(6, 10**9, information="0004-BATCH"),
    Pay(7, 7, information="0004-BATCH", creditor=OURS),
]


async def story(side: Side, faults: list[str]) -> list[Any]:
    """Two files and two days with these faults; the facts in the bank's answers."""
    for fault in faults:
        await side.wrong(fault)
    await submit(side, "M1", payment_file("M1", PAYMENTS))
    await side.end_day()
    await submit(side, "M2", payment_file("M2", [Pay(9, 1), Pay(10, 2)]))
    await side.end_day()
    return await facts(side)


@pytest.mark.parametrize("booking", ["individual", "batch_with_details", "batch_without_details"])
async def test_the_readers_take_the_same_facts_from_both_banks(tmp_path: Path, booking: str) -> None:
    assert await _told_by("simulated", tmp_path, booking, []) == await _told_by("real", tmp_path, booking, [])


@pytest.mark.parametrize(
    "fault",
    [
        "reject", "return", "contradict_before", "contradict_after", "echo_end_to_end_only",
        "lost pain.002", "lost camt.054", "doubled camt.054", "short_statement", "wrong_amount_line",
    ],
)  # fmt: skip
async def test_the_readers_take_the_same_facts_from_both_banks_whatever_goes_wrong(
    tmp_path: Path, fault: str
) -> None:
    real = await _told_by("real", tmp_path, "individual", [fault])
    assert real != await _told_by("real", tmp_path / "2", "individual", []), "the fault shows"
    assert await _told_by("simulated", tmp_path, "individual", [fault]) == real


async def _told_by(name: str, data: Path, booking: str, faults: list[str]) -> list[Any]:
    async with opened(name, data / name, booking) as side:
        return await story(side, faults)


@pytest.mark.corpus
async def test_what_the_simulated_bank_writes_is_valid_by_the_official_schemas() -> None:
    simulated = Simulated("batch_with_details")
    for fault in ("reject", "return", "contradict_after", "echo_end_to_end_only"):
        await simulated.wrong(fault)
    await story(simulated, [])
    assert simulated.bank.books.accounts[OURS].statements == 2
    versions = {"pain002": "pain.002.001.03", "camt054": "camt.054.001.08", "camt053": "camt.053.001.08"}
    for answer in simulated.bank.outbox.answers:
        assert broken(versions[answer.name[:7]], answer.content) == [], answer.name
