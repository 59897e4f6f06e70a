"""Each planted fault leaves exactly its trace, in the books and outside; the same seed plants the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from tests.integration.sandbox_bank import documents
from tests.integration.sandbox_bank.customer import (
    FUNDS,
    OURS,
    TUESDAY,
    WEDNESDAY,
    Customer,
    Pay,
    clock,
    customer,
    payment_file,
    session,
    until,
)
from tests.integration.sandbox_bank.test_judging import accounts, assert_books_add_up, reports


@asynccontextmanager
async def faulty(data: Path, faults: dict[str, Any], **changes: Any) -> AsyncIterator[Customer]:
    async with customer(data, **changes) as us:
        await us.put("/faults", {"faults": faults})
        yield us
        await assert_books_add_up(us)


async def planted(us: Customer) -> list[tuple[str, str, str]]:
    return [(row["kind"], row["subject"], row["detail"]) for row in (await us.books())["faults"]]


async def test_no_faults_are_planted_where_none_are_asked_for(tmp_path: Path) -> None:
    async with faulty(tmp_path, {}) as us:
        await us.submit("M1", [Pay(1), Pay(2)])
        assert await planted(us) == []


async def test_reject_refuses_with_the_chosen_reason_and_moves_nothing(tmp_path: Path) -> None:
    async with faulty(tmp_path, {"reject": {"count": 1, "reason": "AG01"}}) as us:
        await us.submit("M1", [Pay(1), Pay(2)])
        assert await planted(us) == [("reject", Pay(1).instruction_id, "AG01")]
        (report,) = await reports(us)
        assert report.rejected == ((Pay(1).instruction_id, "AG01"),)
        assert (await us.get(f"/accounts/{OURS}"))["balance_minor"] == FUNDS - 100


async def test_return_comes_back_on_the_next_day_in_full_with_its_reason(tmp_path: Path) -> None:
    async with faulty(tmp_path, {"return": {"count": 1, "reason": "AC04"}}) as us:
        await us.submit("M1", [Pay(1, 70), Pay(2, 30)])
        assert (await us.get(f"/accounts/{OURS}"))["balance_minor"] == FUNDS - 100
        (first,) = await us.advance(TUESDAY)
        assert (await us.get(f"/payments/{Pay(1).instruction_id}"))["status"] == "returned"
        assert (await us.get(f"/accounts/{OURS}"))["balance_minor"] == FUNDS - 30
        (second,) = await us.advance(WEDNESDAY)
        debits, credit = await accounts(us, "camt054")
        assert [entry.amount_minor for entry in debits.entries] == [-70, -30]
        statements = [documents.account(await us.read(name)) for name in (first, second)]
        assert [[entry.amount_minor for entry in each.entries] for each in statements] == [[-70, -30], [70]]
        for entry in (*credit.entries, *statements[1].entries):
            assert (entry.amount_minor, entry.return_reasons) == (70, ("AC04",))
            assert entry.instruction_ids == (Pay(1).instruction_id,)
        assert await planted(us) == [("return", Pay(1).instruction_id, "AC04")]


@pytest.mark.parametrize("kind", ["pain.002", "camt.054"])
async def test_a_lost_answer_is_never_written(tmp_path: Path, kind: str) -> None:
    async with faulty(tmp_path, {"lost_answer": {"rate": 1, "answers": [kind]}}) as us:
        await us.submit("M1", [Pay(1)])
        await us.advance(WEDNESDAY)
        kinds = [name.split("-")[0] for name in await us.answers()]
        assert kinds == [{"pain.002": "camt054", "camt.054": "pain002"}[kind], "camt053", "camt053"]
        assert [(fault, detail) for fault, _, detail in await planted(us)] == [("lost_answer", kind)]
        lost = [row["kind"] for row in (await us.books())["answers"] if row["state"] == "lost"]
        assert lost == [kind]


async def test_a_doubled_answer_says_the_same_twice_under_two_message_ids(tmp_path: Path) -> None:
    async with faulty(tmp_path, {"doubled_answer": 1}) as us:
        await us.submit("M1", [Pay(1), Pay(2, 10**7)])
        for kind in ("pain002", "camt054"):
            first, second = [await us.read(name) for name in await us.answers(kind)]
            ids = [
                documents.report(each).message_id if kind == "pain002" else documents.account(each).message_id
                for each in (first, second)
            ]
            assert ids[0] != ids[1]
            assert first.replace(ids[0].encode(), b"") == second.replace(ids[1].encode(), b"")
        assert [fault for fault, _, _ in await planted(us)] == ["doubled_answer", "doubled_answer"]


async def test_a_late_answer_waits_for_the_next_advance(tmp_path: Path) -> None:
    async with faulty(tmp_path, {"late_answer": {"rate": 1}}) as us:
        await us.submit("M1", [Pay(1)])
        assert await us.answers() == []
        await us.advance(TUESDAY)
        assert [name.split("-")[0] for name in await us.answers()] == ["pain002", "camt054", "camt053"]


async def test_a_late_answer_waits_its_seconds(tmp_path: Path) -> None:
    time = clock()
    async with faulty(
        tmp_path, {"late_answer": {"rate": 1, "seconds": 30}}, at=time, bank_sweep_seconds=0.05
    ) as us:
        await us.upload("M1", payment_file("M1", [Pay(1)]))

        async def judged() -> bool:
            return not us.open.bank.store.all("files_under_way")

        await until(judged, "the file is judged")
        time.at += timedelta(seconds=29)
        us.open.bank.work()
        assert await us.answers() == []
        time.at += timedelta(seconds=1)
        await us.idle()
        assert len(await us.answers()) == 2


@pytest.mark.parametrize("words", ["before", "after"])
async def test_a_contradiction_tells_a_rejection_and_books_all_the_same(tmp_path: Path, words: str) -> None:
    async with faulty(tmp_path, {"contradictory_answer": {"count": 1, "order": words}}) as us:
        await us.submit("M1", [Pay(1), Pay(2)])
        names = [name.split("-")[0] for name in await us.answers()]
        assert names == (["pain002", "camt054"] if words == "before" else ["pain002", "camt054", "pain002"])
        found = await reports(us)
        assert [r.rejected for r in found] == (
            [((Pay(1).instruction_id, "MS03"),)]
            if words == "before"
            else [(), ((Pay(1).instruction_id, "MS03"),)]
        )
        (notification,) = await accounts(us, "camt054")
        assert [entry.amount_minor for entry in notification.entries] == [-100, -100]
        assert (await us.get(f"/payments/{Pay(1).instruction_id}"))["status"] == "booked"
        assert [fault for fault, _, _ in await planted(us)] == ["contradictory_answer"]


async def test_echo_of_the_end_to_end_id_alone_hides_our_references_everywhere(tmp_path: Path) -> None:
    faults = {"echo_end_to_end_only": 1, "return": {"count": 1}}
    async with faulty(tmp_path, faults) as us:
        await us.submit("M1", [Pay(1), Pay(2, creditor="FR00BAD0000000000"), Pay(3, 10**7)])
        await us.advance(WEDNESDAY)
        (report,) = await reports(us)
        assert report.rejected == (("E2E-2", "AC03"), ("E2E-3", "AM04"))
        contents = [await us.read(name) for name in await us.answers()]
        for content in contents:
            assert Pay(1).instruction_id.encode() not in content
        booked = [entry for each in await accounts(us, "camt05") for entry in each.entries]
        assert {entry.end_to_end_ids for entry in booked} == {("E2E-1",)}
        assert {entry.informations for entry in booked} == {()}
        assert (await us.get(f"/payments/{Pay(1).instruction_id}"))["status"] == "returned"


async def test_a_dropped_upload_leaves_nothing_taken_and_the_next_try_succeeds(tmp_path: Path) -> None:
    async with faulty(tmp_path, {"drop_upload": 1}) as us:
        content = payment_file("M1", [Pay(1)])
        async with session(us.open) as connection, connection.start_sftp_client() as sftp:
            with pytest.raises((asyncssh.Error, OSError)):
                async with sftp.open("inbox/M1.tmp", "wb") as file:
                    await file.write(content)
        assert (await us.books())["files"] == []
        ((fault, subject, detail),) = await planted(us)
        assert (fault, subject) == ("drop_upload", "M1")
        cut = int(detail.split()[-1])
        assert (us.open.bank.folders.inbox / "M1.tmp").read_bytes() == content[:cut]
        await us.submit("M1", [Pay(1)])
        assert (await us.get("/files/M1"))["status"] == "accepted"


async def test_a_rename_without_answer_has_taken_the_file(tmp_path: Path) -> None:
    async with faulty(tmp_path, {"timeout_after_upload": {"rate": 1}}) as us:
        async with session(us.open) as connection, connection.start_sftp_client() as sftp:
            async with sftp.open("inbox/M1.tmp", "wb") as file:
                await file.write(payment_file("M1", [Pay(1)]))
            with pytest.raises((asyncssh.Error, OSError)):
                await sftp.rename("inbox/M1.tmp", "inbox/M1.xml")
        await us.idle()
        assert (await us.get("/files/M1"))["status"] == "accepted"
        assert await planted(us) == [("timeout_after_upload", "M1.xml", "taken, unanswered")]
        # The same bytes again under the same name: answered this time, and refused as a duplicate.
        await us.submit("M1", [Pay(1)])
        assert [file["standing"] for file in (await us.books())["files"]] == ["stands", "duplicate"]


@pytest.mark.parametrize(
    ("fault", "amounts"), [("short_statement", [-20]), ("wrong_amount_line", [-11, -20])]
)
async def test_a_damaged_statement_has_right_balances_and_one_bad_line(
    tmp_path: Path, fault: str, amounts: list[int]
) -> None:
    async with faulty(tmp_path, {fault: {"count": 1}}) as us:
        await us.submit("M1", [Pay(1, 10), Pay(2, 20)])
        first, second = [documents.account(await us.read(name)) for name in await us.advance(WEDNESDAY)]
        assert [entry.amount_minor for entry in first.entries] == amounts
        assert (first.opening_minor, first.closing_minor) == (FUNDS, FUNDS - 30)
        assert (second.opening_minor, second.closing_minor, second.entries) == (FUNDS - 30, FUNDS - 30, ())
        (notification,) = await accounts(us, "camt054")
        assert [entry.amount_minor for entry in notification.entries] == [-10, -20]
        assert [(kind, subject) for kind, subject, _ in await planted(us)] == [(fault, Pay(1).instruction_id)]


async def test_the_same_seed_and_files_give_the_same_books_and_answers(tmp_path: Path) -> None:
    faults = {
        name: {"rate": 0.3}
        for name in (
            "reject",
            "return",
            "contradictory_answer",
            "echo_end_to_end_only",
            "lost_answer",
            "doubled_answer",
            "short_statement",
            "wrong_amount_line",
        )
    }
    stories = []
    for run, seed in (("a", 7), ("b", 7), ("c", 8)):
        async with customer(tmp_path / run, bank_seed=seed, bank_faults=faults) as us:
            await us.submit("M1", [Pay(number) for number in range(40)])
            await us.submit("M2", [Pay(number, on=TUESDAY) for number in range(40, 80)])
            await us.advance(WEDNESDAY)
            stories.append((await us.books(), [(name, await us.read(name)) for name in await us.answers()]))
            await assert_books_add_up(us)
    assert stories[0] == stories[1]
    assert stories[0][0]["faults"] != stories[2][0]["faults"]


async def test_faults_put_in_force_outlive_a_restart_and_count_on(tmp_path: Path) -> None:
    async with faulty(tmp_path, {"reject": {"count": 2}}, bank_faults={"return": {"rate": 1}}) as us:
        await us.submit("M1", [Pay(1)])
    async with customer(tmp_path, bank_faults={"return": {"rate": 1}}) as us:
        await us.submit("M2", [Pay(2), Pay(3)])
        assert [subject for _, subject, _ in await planted(us)] == [
            Pay(1).instruction_id,
            Pay(2).instruction_id,
        ]


@pytest.mark.parametrize(
    "body",
    [
        {}, {"faults": {"unknown": 1}}, {"faults": {"reject": 1.1}}, {"faults": {"reject": -0.1}},
        {"faults": {"reject": {"rate": 1, "why": "x"}}}, {"faults": {"reject": {"count": -1}}},
        {"faults": {"reject": {"reason": "too long"}}}, {"faults": {"reject": True}},
    ],
)  # fmt: skip
async def test_malformed_faults_are_refused_and_change_nothing(tmp_path: Path, body: dict[str, Any]) -> None:
    async with faulty(tmp_path, {"reject": {"count": 1}}) as us:
        assert (await us.http.put("/faults", json=body)).status_code == 422
        await us.submit("M1", [Pay(1)])
        assert len(await planted(us)) == 1
