"""Files judged over the bank's doors: what is booked, refused, and told; and that the books add up."""

from collections import Counter
from pathlib import Path

import pytest

from services.sandbox_bank.model import Booking
from tests.integration.sandbox_bank import documents
from tests.integration.sandbox_bank.customer import (
    FUNDS,
    MONDAY,
    OURS,
    THURSDAY,
    TUESDAY,
    WEDNESDAY,
    Customer,
    Pay,
    customer,
    payment_file,
)


async def assert_books_add_up(us: Customer) -> None:
    """Every debit has a credit: each balance is its credits less its debits, and all make nothing."""
    books = await us.books()
    sums: Counter[tuple[str, str]] = Counter()
    touched: Counter[tuple[str, str]] = Counter()
    for transfer in books["transfers"]:
        assert transfer["amount_minor"] > 0
        for side, sign in (("debit_account", -1), ("credit_account", 1)):
            sums[(transfer[side], transfer["currency"])] += sign * transfer["amount_minor"]
            touched[(transfer[side], transfer["currency"])] += 1
    assert {(row["account"], row["currency"]): row["balance_minor"] for row in books["accounts"]} == dict(
        sums
    )
    assert {(row["account"], row["currency"]): row["transfers"] for row in books["accounts"]} == dict(touched)
    assert sum(sums.values()) == 0
    paid = Counter(t["payment"] for t in books["transfers"] if t["kind"] == "payment")
    returned = Counter(t["payment"] for t in books["transfers"] if t["kind"] == "return")
    for payment in books["payments"]:
        settled = payment["status"] in ("booked", "returned")
        assert paid[payment["id"]] == (1 if settled else 0)
        assert returned[payment["id"]] == (1 if payment["status"] == "returned" else 0)


async def reports(us: Customer) -> list[documents.Report]:
    return [documents.report(await us.read(name)) for name in await us.answers("pain002")]


async def accounts(us: Customer, kind: str) -> list[documents.Account]:
    return [documents.account(await us.read(name)) for name in await us.answers(kind)]


async def test_a_file_is_booked_answered_and_archived(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        await us.submit("M1", [Pay(1, 150), Pay(2, 250)])
        assert [(r.original_message_id, r.status, r.rejected) for r in await reports(us)] == [
            ("M1", "ACSP", ())
        ]
        (notification,) = await accounts(us, "camt054")
        assert notification.account == OURS
        assert [entry.amount_minor for entry in notification.entries] == [-150, -250]
        assert [entry.instruction_ids for entry in notification.entries] == [
            (Pay(1).instruction_id,),
            (Pay(2).instruction_id,),
        ]
        assert [entry.end_to_end_ids for entry in notification.entries] == [("E2E-1",), ("E2E-2",)]
        assert [entry.informations for entry in notification.entries] == [("0001-BATCH",), ("0001-BATCH",)]
        assert {entry.booked_on for entry in notification.entries} == {MONDAY.isoformat()}
        assert await us.sftp.exists("archive/M1.xml")
        assert await us.sftp.listdir("inbox") != ["M1.xml"]
        payment = await us.get(f"/payments/{Pay(1).instruction_id}")
        assert payment["status"] == "booked"
        assert payment["bank_reference"] == notification.entries[0].reference
        assert (await us.get(f"/accounts/{OURS}"))["balance_minor"] == FUNDS - 400
        await assert_books_add_up(us)


async def test_a_file_is_answered_in_part_and_each_refusal_is_named(tmp_path: Path) -> None:
    async with customer(tmp_path, funds=1_000) as us:
        await us.submit(
            "M1", [Pay(1, 600), Pay(2, 500), Pay(3, 400), Pay(4, 10, creditor="FR00BAD0000000000")]
        )
        (report,) = await reports(us)
        assert report.status == "PART"
        assert report.rejected == ((Pay(2).instruction_id, "AM04"), (Pay(4).instruction_id, "AC03"))
        assert (await us.get(f"/payments/{Pay(2).instruction_id}"))["status"] == "rejected"
        assert (await us.get(f"/accounts/{OURS}"))["balance_minor"] == 0
        await assert_books_add_up(us)


async def test_a_file_of_refusals_alone_is_rejected_and_still_stands(tmp_path: Path) -> None:
    async with customer(tmp_path, funds=0) as us:
        await us.submit("M1", [Pay(1)])
        await us.submit("M1", [Pay(1)], name="again")
        first, second = await reports(us)
        assert (first.status, first.rejected) == ("RJCT", ((Pay(1).instruction_id, "AM04"),))
        assert (second.status, second.reason, second.rejected) == ("RJCT", "AM05", ())
        assert not await us.answers("camt054")


@pytest.mark.parametrize("code", ["AM05", "DU01"])
async def test_a_second_copy_is_refused_as_a_duplicate_and_the_first_stands(
    tmp_path: Path, code: str
) -> None:
    async with customer(tmp_path, bank_duplicate_code=code) as us:
        await us.submit("M1", [Pay(1)])
        await us.submit("M1", [Pay(1)])
        await us.submit("M1", [Pay(1), Pay(2)], name="other-name")
        assert [(r.status, r.reason) for r in await reports(us)] == [
            ("ACSP", ""),
            ("RJCT", code),
            ("RJCT", code),
        ]
        enquiry = await us.get("/files/M1")
        assert (enquiry["status"], enquiry["copies"], enquiry["transactions"]) == ("accepted", 3, 1)
        books = await us.books()
        assert [file["standing"] for file in books["files"]] == ["stands", "duplicate", "duplicate"]
        assert (await us.get(f"/accounts/{OURS}"))["balance_minor"] == FUNDS - 100
        assert len(await us.sftp.listdir("archive")) - 2 == 3
        await assert_books_add_up(us)


BAD = {
    "no bytes": b"",
    "no xml": b"\x00\xff\xfe not xml at all",
    "no document": b"<html/>",
    "truncated": payment_file("M1", [Pay(1)])[:-40],
    "control sum off by a cent": payment_file("M1", [Pay(1)]).replace(b"<CtrlSum>1.00", b"<CtrlSum>1.01", 1),
    "number off by one": payment_file("M1", [Pay(1)]).replace(b"<NbOfTxs>1<", b"<NbOfTxs>2<", 1),
    "an amount that is none": payment_file("M1", [Pay(1)]).replace(b'"EUR">1.00', b'"EUR">1e2', 1),
    "entities": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + payment_file("M1", [Pay(1)])[38:],
}


@pytest.mark.parametrize("what", BAD)
async def test_bytes_that_are_no_payment_file_are_refused_whole(tmp_path: Path, what: str) -> None:
    async with customer(tmp_path) as us:
        await us.upload("M1", BAD[what])
        await us.idle()
        (report,) = await reports(us)
        assert report.status == "RJCT"
        assert report.reason
        assert (await us.get(f"/accounts/{OURS}"))["balance_minor"] == FUNDS
        assert not (await us.books())["payments"]
        assert await us.sftp.exists("archive/M1.xml")
        # The identification is not used up: the same file, whole, is taken.
        await us.submit("M1", [Pay(1)])
        assert (await us.get("/files/M1"))["status"] == "accepted"
        await assert_books_add_up(us)


async def test_later_payments_wait_for_their_day_and_for_funds(tmp_path: Path) -> None:
    async with customer(tmp_path, funds=500) as us:
        await us.submit("M1", [Pay(1, 200), Pay(2, 200, on=TUESDAY), Pay(3, 200, on=WEDNESDAY)])
        assert [r.status for r in await reports(us)] == ["ACCP"]
        assert (await us.get(f"/payments/{Pay(2).instruction_id}"))["status"] == "pending"
        await us.advance(THURSDAY)
        statuses = [(await us.get(f"/payments/{Pay(n).instruction_id}"))["status"] for n in (1, 2, 3)]
        assert statuses == ["booked", "booked", "rejected"]
        assert [(r.status, r.rejected) for r in (await reports(us))[1:]] == [
            ("PART", ((Pay(3).instruction_id, "AM04"),))
        ]
        notified = [[entry.amount_minor for entry in each.entries] for each in await accounts(us, "camt054")]
        assert notified == [[-200], [-200]]
        await assert_books_add_up(us)


async def test_statements_continue_each_other_over_days_with_and_without_entries(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        await us.submit("M1", [Pay(1, 300), Pay(2, 200, on=WEDNESDAY)])
        written = await us.advance(TUESDAY)
        written += await us.advance(THURSDAY)
        await us.submit("M2", [Pay(3, 50, on=THURSDAY)])
        written += await us.advance(MONDAY.replace(day=9))
        statements = [documents.account(await us.read(name)) for name in written]
        assert written == await us.answers("camt053")
        assert [each.number for each in statements] == ["1", "2", "3", "4", "5"]
        opening = FUNDS
        for statement in statements:
            assert statement.opening_minor == opening
            opening += sum(entry.amount_minor for entry in statement.entries)
            assert statement.closing_minor == opening
        assert [[entry.amount_minor for entry in each.entries] for each in statements] == [
            [-300],
            [],
            [-200],
            [-50],
            [],
        ]
        assert [each["name"] for each in await us.get("/statements")] == written
        assert await us.get("/business-day") == {"business_day": "2026-03-09"}
        await assert_books_add_up(us)


async def test_the_day_does_not_go_back_and_a_day_already_open_closes_nothing(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        assert await us.advance(MONDAY) == []
        await us.advance(TUESDAY)
        answer = await us.http.post("/business-day/advance", json={"to": MONDAY.isoformat()})
        assert answer.status_code == 409
        for body in ({}, {"to": "soon"}, {"to": "2026-03-04", "from": "2026-03-03"}):
            assert (await us.http.post("/business-day/advance", json=body)).status_code == 422
        saturday = await us.http.post("/business-day/advance", json={"to": "2026-03-07"})
        assert saturday.json()["business_day"] == "2026-03-09"


@pytest.mark.parametrize("booking", list(Booking))
async def test_entries_show_payments_as_the_booking_mode_says(tmp_path: Path, booking: Booking) -> None:
    async with customer(tmp_path, bank_booking=booking) as us:
        await us.submit(
            "M1", [Pay(1, 10, information="A"), Pay(2, 20, information="A"), Pay(3, 40, information="B")]
        )
        await us.advance(TUESDAY)
        for kind in ("camt054", "camt053"):
            (found,) = await accounts(us, kind)
            if booking is Booking.INDIVIDUAL:
                assert [entry.amount_minor for entry in found.entries] == [-10, -20, -40]
                assert [entry.informations for entry in found.entries] == [("A",), ("A",), ("B",)]
                continue
            assert [entry.amount_minor for entry in found.entries] == [-30, -40]
            assert ["A" in entry.informations for entry in found.entries] == [True, False]
            assert [entry.counts for entry in found.entries] == [("2",), ("1",)]
            detailed = booking is Booking.BATCH_WITH_DETAILS
            ids = tuple(Pay(n).instruction_id for n in (1, 2)) if detailed else ()
            assert found.entries[0].instruction_ids == ids
        await assert_books_add_up(us)


async def test_notifications_are_chunked_and_cover_each_payment_once(tmp_path: Path) -> None:
    async with customer(tmp_path, bank_transactions_per_notification=10) as us:
        await us.submit("M1", [Pay(number) for number in range(25)])
        found = await accounts(us, "camt054")
        assert [len(each.entries) for each in found] == [10, 10, 5]
        ids = [entry.instruction_ids[0] for each in found for entry in each.entries]
        assert ids == [Pay(number).instruction_id for number in range(25)]
        assert len({each.message_id for each in found}) == 3


async def test_accounts_open_once_and_refuse_what_is_no_account(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        path, terms = f"/accounts/{OURS}", {"currency": "EUR", "balance_minor": FUNDS, "name": "House"}
        assert (await us.http.put(path, json=terms)).status_code == 200
        assert (await us.http.put(path, json=terms | {"balance_minor": 5})).status_code == 409
        assert (await us.http.put("/accounts/DE89370400440532013001", json=terms)).status_code == 422
        other = "/accounts/NL91ABNA0417164300"
        wrong: tuple[dict[str, object], ...] = (
            {"currency": "XXX"}, {"balance_minor": -1}, {"balance_minor": True}, {"balance_minor": "10"},
            {"balance_minor": 1.5}, {"balance_minor": 10**18}, {"unknown": 1},
        )  # fmt: skip
        for change in wrong:
            assert (await us.http.put(other, json=terms | change)).status_code == 422, change
        assert (await us.http.get(other)).status_code == 404
        assert (await us.http.get("/files/none")).status_code == 404
        assert (await us.http.get("/payments/none")).status_code == 404
        await assert_books_add_up(us)


async def test_money_between_two_held_accounts_is_on_both_statements(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        other = "NL91ABNA0417164300"
        await us.submit("M0", [Pay(7, 11, creditor=other)])
        await us.put(f"/accounts/{other}", {"currency": "EUR", "balance_minor": 70, "name": "Other"})
        await us.submit("M1", [Pay(1, 30, creditor=other)])
        await us.advance(TUESDAY)
        statements = {each.account: each for each in await accounts(us, "camt053")}
        assert [entry.amount_minor for entry in statements[OURS].entries] == [-11, -30]
        assert [entry.amount_minor for entry in statements[other].entries] == [30]
        assert (statements[other].opening_minor, statements[other].closing_minor) == (81, 111)
        await assert_books_add_up(us)


async def test_health_and_metrics_show_money_by_state(tmp_path: Path) -> None:
    async with customer(tmp_path) as us:
        await us.submit("M1", [Pay(1, 30), Pay(2, 40, on=TUESDAY)])
        assert (await us.get("/healthz"))["status"] == "ok"
        assert (await us.get("/readyz"))["status"] == "ok"
        exposition = (await us.http.get("/metrics")).text
        assert 'sandbox_bank_payments_minor{currency="EUR",status="pending"} 40.0' in exposition
