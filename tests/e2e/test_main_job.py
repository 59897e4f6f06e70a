"""The main job on the whole stack, as a person runs it: with faults at the bank, and proved to the cent."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from click.testing import CliRunner, Result

from goodfunds.cli.journey import BANK_HOLDS
from goodfunds.cli.root import PIPE_CLOSED, root
from goodfunds.local.stack import NOSTRO, find
from tests.e2e.stacks import LONGEST, House, person, stack_of_a_demo
from tests.integration.tampering import unguarded

PAYMENTS = 120
"""Twice the debtors of a generated file, whose openings and fundings come first on `payments`."""
FAULTS = (
    "reject=0.2,return=0.2,doubled_answer=0.3,lost_answer=0.1,late_answer=0.1,echo_end_to_end_only=0.2,"
    "contradictory_answer=0.03,drop_upload=1"
)


@pytest.fixture(scope="module")
def house(servers: Path) -> Iterator[House]:
    with stack_of_a_demo(servers / "main-job", PAYMENTS, "--faults", FAULTS) as found:
        yield found


def test_every_payment_has_an_end_and_nothing_is_unaccounted_for(house: House) -> None:
    found = house.outcome
    assert found["instructions"] == found["accepted"] == PAYMENTS
    assert found["settled"] + found["rejected"] == PAYMENTS
    assert found["returned"] > 0
    assert found["rejected"] > 0
    assert found["unaccounted_minor"] == {"EUR": 0}


def test_a_replay_of_every_topic_through_every_service_changes_no_row_and_emits_no_event(
    house: House,
) -> None:
    told = person(house, "ada").asked("replay", "selfcheck", "--json")
    assert told["replayed"] > PAYMENTS
    assert (told["rows_changed"], told["events_emitted"]) == (0, 0)
    assert told["digest_before"] == told["digest_after"]


def test_the_proof_rests_on_the_balance_that_the_bank_itself_closed_with(house: House) -> None:
    bank = find(house.folder).url("sandbox-bank")
    last = httpx.get(f"{bank}/statements", timeout=LONGEST).json()[-1]
    proof = house.asked("prove", "--json")
    [nostro] = [check for check in proof["checks"] if NOSTRO in check["name"]]
    closing = nostro["detail"].partition("closing balance ")[2].partition(" EUR")[0]
    assert int(closing.replace(".", "").replace(",", "")) == last["closing_minor"]
    assert last["closing_minor"] < BANK_HOLDS


def test_a_payments_timeline_names_topic_partition_offset_and_posting_of_its_steps(house: House) -> None:
    most = str(2 * 60 + PAYMENTS)
    watched = house.run("watch", "payments", "--from-beginning", "--most", most, "--json").stdout
    accepted = next(json.loads(line) for line in watched.splitlines() if '"PaymentAccepted"' in line)
    payment_id = accepted["event"]["payment_id"]
    [steps] = house.asked("payment", "show", payment_id, "--json").values()
    by_name = {step["step"]: step for step in steps}
    told = by_name["accepted"]
    assert (told["topic"], told["lane"], told["offset"]) == (
        "payments",
        accepted["partition"],
        accepted["offset"],
    )
    assert "Cr transit-out:sepa-credit" in told["postings"][0]
    assert [step["step"] for step in steps if step["topic"] and step["offset"] is None] == []
    assert {"ingestion", "settlement", "reconciliation"} == {step["service"] for step in steps}
    assert house.run("payment", "show", payment_id).returncode == 0


def test_a_file_that_is_not_unknown_is_not_resolved_by_a_person(house: House) -> None:
    files = house.asked("bank-files", "show", "--json")["files"]
    assert {file["state"] for file in files} == {"submitted"}
    assert sum(file["payments_count"] for file in files) == PAYMENTS
    refused = house.run("bank-files", "resolve", files[0]["message_id"], "--not-found", "--by", "a test")
    assert refused.returncode == 1
    assert "no file of that message id is unknown" in refused.stderr


def test_a_payment_that_nobody_knows_is_said_to_be_unknown(house: House) -> None:
    answer = house.run("payment", "show", "NO-SUCH-PAYMENT")
    assert answer.returncode == 1
    assert "NO-SUCH-PAYMENT" in answer.stderr


@pytest.mark.parametrize(
    ("service", "sabotage", "repair", "rule"),
    [
        pytest.param(
            "ingestion",
            "UPDATE balances SET balance_minor = balance_minor + 1 WHERE account LIKE 'transit-out:%'",
            "UPDATE balances SET balance_minor = balance_minor - 1 WHERE account LIKE 'transit-out:%'",
            "each database agrees with itself",
            id="a cent more in a balance",
        ),
        pytest.param(
            "ingestion",
            "UPDATE payments SET amount_minor = amount_minor + 1 WHERE payment_id = "
            "(SELECT min(payment_id::text)::uuid FROM payments WHERE state = 'accepted')",
            "UPDATE payments SET amount_minor = amount_minor - 1 WHERE payment_id = "
            "(SELECT min(payment_id::text)::uuid FROM payments WHERE state = 'accepted')",
            "what ingestion accepted, settlement received",
            id="a cent more accepted than received",
        ),
        pytest.param(
            "settlement",
            "UPDATE settlements SET amount_minor = amount_minor + 1 WHERE payment_id = "
            "(SELECT min(payment_id::text)::uuid FROM settlements)",
            "UPDATE settlements SET amount_minor = amount_minor - 1 WHERE payment_id = "
            "(SELECT min(payment_id::text)::uuid FROM settlements)",
            "what settlement moved, reconciliation knows",
            id="a cent more settled than told",
        ),
        pytest.param(
            "settlement",
            "UPDATE lanes SET stopped_reason = 'a test' WHERE lane = 5",
            "UPDATE lanes SET stopped_reason = NULL WHERE lane = 5",
            "no lane is stopped",
            id="a stopped lane",
        ),
    ],
)
async def test_prove_finds_what_is_wrong_in_a_database(
    house: House, service: str, sabotage: str, repair: str, rule: str
) -> None:
    connection = await asyncpg.connect(house.database(service))
    try:
        async with unguarded(connection):
            await connection.execute(sabotage)
            answer = house.run("prove", "--json")
            await connection.execute(repair)
    finally:
        await connection.close()
    proof = json.loads(answer.stdout.splitlines()[-1])
    assert answer.returncode == 1
    assert rule in [check["name"] for check in proof["checks"] if not check["holds"]]
    assert house.asked("prove", "--json")["holds"]


def test_a_file_published_twice_is_taken_once_and_another_with_its_id_is_refused(
    house: House, tmp_path: Path
) -> None:
    shipped = Path(sys.modules["goodfunds.local"].__path__[0]) / "demo-payments.xml"
    first = tmp_path / "payments.xml"
    first.write_bytes(shipped.read_bytes())
    other = tmp_path / "other.xml"
    other.write_bytes(shipped.read_bytes().replace(b"<Nm>", b"<Nm>X", 1))
    answers = [house.asked("publish", str(first), "--json") for _ in range(2)]
    assert answers[0] == answers[1]
    refused = house.run("publish", str(other))
    assert refused.returncode == 1
    assert "other content was taken in before" in refused.stderr


def here(house: House, *arguments: str) -> Result:
    """As `run`, in this process, which has started already."""
    return CliRunner().invoke(root, ["--folder", str(house.folder), *arguments])


def test_every_command_that_reads_or_asks_prints_one_json_object(house: House, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.xml"
    wrong.write_text("<Document/>")
    [file, *_] = house.asked("bank-files", "show", "--most", "1", "--json")["files"]
    asked = {
        "status": 0, "prove": 0, "cutoff close": 0, "bank-files show": 0, "accounts show": 0,
        "accounts show NOBODY": 1, "accounts open JSON-1 --name Ada": 0, "accounts fund JSON-1 1.00": 0,
        "accounts fund JSON-1 1.00 --currency USD": 1, "payment show NOBODY": 1, "db migrate": 0,
        "topics check": 0, "topics create": 0, f"publish {wrong}": 1, "up": 0,
        f"bank-files resolve {file['message_id']} --not-found --by Ada": 1,
        "tokens create --client json --scope payments:read": 0, "tokens list": 0,
        "tokens revoke 019a2f3c-0000-7000-8000-000000000000": 1,
    }  # fmt: skip
    for words, code in asked.items():
        answer = here(house, *words.split(), "--json")
        assert answer.exit_code == code, f"{words}: {answer.output}"
        assert isinstance(json.loads(answer.stdout), dict), words
    watched = house.run("watch", "payments", "--from-beginning", "--most", "2", "--json").stdout
    assert [isinstance(json.loads(line), dict) for line in watched.splitlines()] == [True, True]


def watching(house: House) -> "subprocess.Popen[str]":
    """A watch that has shown its first event."""
    goodfunds = str(Path(sys.executable).with_name("goodfunds"))
    watch = [goodfunds, "--folder", str(house.folder), "watch", "payments", "--from-beginning", "--json"]
    process = subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["topic"] == "payments"
    return process


def test_watching_ends_quietly_when_nobody_reads_any_more(house: House) -> None:
    process = watching(house)
    assert process.stdout is not None
    process.stdout.close()
    _, told = process.communicate(timeout=LONGEST)
    assert (process.returncode, told) == (PIPE_CLOSED, "")


def test_watching_ends_on_ctrl_c_as_it_should(house: House) -> None:
    process = watching(house)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=LONGEST)
    assert (process.returncode, told) == (0, "")


HOSTILE = ("", "\udcff", "'; DROP TABLE payments; --", "[red]", "x" * 10_000, "٣", "\n")


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_reaches_the_databases_and_topics_as_text_alone(house: House, text: str) -> None:
    for words in (
        ("payment", "show", text), ("accounts", "show", f"A{text}"),
        ("accounts", "open", text, "--name", "Ada"),
        ("accounts", "open", "HOSTILE", "--name", text), ("accounts", "fund", text, "1.00"),
        ("accounts", "fund", "HOSTILE", text), ("accounts", "fund", "HOSTILE", "1", "--currency", text),
        ("bank-files", "resolve", text, "--found", "--by", text),
    ):  # fmt: skip
        answer = here(house, *words)
        assert answer.exit_code in (0, 1, 2), words
        assert answer.exception is None or isinstance(answer.exception, SystemExit), words
