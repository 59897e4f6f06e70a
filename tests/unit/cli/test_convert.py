"""`files convert`: all of a file or nothing, what is lost is said, and exit codes that a script can trust."""

import json
import os
import stat
from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from goodfunds.cli.convert import convert_file
from goodfunds.cli.root import Root
from goodfunds.events.json_bodies import decode_json
from goodfunds.events.types import PaymentInstruction
from goodfunds.local.demo_file import demo_file


@pytest.fixture
def message(tmp_path: Path) -> Path:
    path = tmp_path / "payments.xml"
    path.write_bytes(demo_file(3, 2, date(2026, 3, 2)))
    return path


def run(*arguments: object, given: bytes = b"") -> Result:
    group = click.Group(commands={"convert": convert_file})
    group.__class__ = Root
    return CliRunner().invoke(group, ["convert", *map(str, arguments)], input=given)


def test_a_payment_file_goes_to_json_and_a_sheet_and_comes_back(message: Path, tmp_path: Path) -> None:
    lines, sheet, again = tmp_path / "a.jsonl", tmp_path / "a.csv", tmp_path / "again.xml"
    assert run(message, lines, "--client", "acme").exit_code == 0
    assert run(lines, sheet).exit_code == 0
    assert run(sheet, again, "--client", "acme").exit_code == 0
    assert run(again, tmp_path / "b.jsonl", "--client", "acme").exit_code == 0
    assert (tmp_path / "b.jsonl").read_bytes() == lines.read_bytes()
    found = [decode_json("PaymentInstruction", line) for line in lines.read_bytes().splitlines()]
    assert [each.client for each in found if isinstance(each, PaymentInstruction)] == ["acme"] * len(found)


def test_what_was_done_is_told_in_words_or_as_one_json_object(message: Path, tmp_path: Path) -> None:
    told = run(message, tmp_path / "a.jsonl", "--json")
    done = json.loads(told.stdout)
    assert (done["from"], done["to"], done["errors"]) == ("pain001", "jsonl", [])
    assert {each["path"] for each in done["left_out"]} >= {"GrpHdr/CreDtTm"}
    words = run(message, tmp_path / "a.jsonl")
    assert f"{done['payments']} payments" in words.stdout
    assert "CreDtTm" in words.stderr


def test_streams_are_named_by_a_dash_and_the_result_stands_alone(message: Path) -> None:
    told = run("-", "-", "--to", "csv", given=message.read_bytes())
    assert told.exit_code == 0
    assert told.stdout.startswith('\ufeff"amount"')
    assert "payments" in told.stderr


def test_a_target_that_is_no_file_is_written_to_and_not_replaced(message: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert run(message, pipe, "--to", "csv").exit_code == 0
    assert os.read(reader, 1 << 16).startswith(b'\xef\xbb\xbf"amount"')
    os.close(reader)
    assert pipe.is_fifo()


def test_a_file_that_is_refused_is_told_line_by_line_and_leaves_nothing(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"client": 1}\nno json\n')
    target = tmp_path / "out.csv"
    target.write_text("what was there")
    told = run(wrong, target)
    assert told.exit_code == 1
    assert "line 1" in told.stderr
    assert "line 2" in told.stderr
    assert target.read_text() == "what was there"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "wrong.jsonl"]
    as_json = run(wrong, target, "--json")
    assert as_json.exit_code == 1
    assert [each["line"] for each in json.loads(as_json.stdout)["errors"]] == [1, 2]


def test_what_only_a_sheet_cannot_say_leaves_nothing_either(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "out.csv"
    body = {
        "amount_minor": 100, "requested_execution_date": "2026-03-03", "currency": "EUR",
        "rail": "sepa-credit", "client": "c", "idempotency_key": "k", "debtor_account": "a",
        "debtor_name": "Ada", "creditor_account": "x", "creditor_name": "Bruno",
        "creditor_address_lines": [""],
    }  # fmt: skip
    source.write_text(json.dumps(body))
    told = run(source, target)
    assert (told.exit_code, target.exists()) == (1, False)
    assert "creditor_address_lines" in told.stderr


@pytest.mark.parametrize("content", [b"", b"date,description\n", b"\x89PNG\r\n"])
def test_what_is_no_payment_file_ends_with_two(content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "x"
    source.write_bytes(content)
    told = run(source, tmp_path / "out.csv")
    assert told.exit_code == 2
    assert "no payment file" in told.stderr
    assert "Traceback" not in told.output


def test_a_refusal_is_told_as_json_too_and_never_beside_the_result(message: Path, tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    odd.write_text('[{"a": 1}]')
    told = run(odd, tmp_path / "out.csv", "--json")
    assert (told.exit_code, len(json.loads(told.stdout)["errors"])) == (2, 1)
    message.write_bytes(message.read_bytes().replace(b"<NbOfTxs>3<", b"<NbOfTxs>4<"))
    told = run(message, "-", "--to", "csv", "--json")
    assert (told.exit_code, told.stdout) == (1, "")
    assert json.loads(told.stderr)["errors"]


def test_a_file_is_not_converted_onto_itself(message: Path, tmp_path: Path) -> None:
    before, link = message.read_bytes(), tmp_path / "link"
    link.symlink_to(message)
    for target in (message, link):
        told = run(message, target, "--to", "csv")
        assert (told.exit_code, "the same file" in told.stderr) == (2, True)
    assert message.read_bytes() == before


def test_what_a_target_was_allowed_to_whom_stays_so(message: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    target.touch(mode=0o600)
    assert run(message, target).exit_code == 0
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


@pytest.mark.parametrize("message_id", ["\x01", "\udcff", "x" * 36])
def test_a_message_id_that_no_message_can_bear_is_a_users_mistake(
    message: Path, tmp_path: Path, message_id: str
) -> None:
    told = run(message, tmp_path / "out.xml", "--message-id", message_id)
    assert (told.exit_code, "--message-id" in told.stderr) == (2, True)


def test_a_target_without_a_known_suffix_needs_its_form(message: Path, tmp_path: Path) -> None:
    assert run(message, tmp_path / "out.txt").exit_code == 2
    assert run(message, tmp_path / "out.txt", "--to", "jsonl").exit_code == 0


def test_the_help_has_examples_and_exit_codes() -> None:
    told = run("--help")
    assert told.exit_code == 0
    assert "goodfunds files convert payments.xml payments.jsonl" in told.stdout
    assert "Exit code 0" in told.stdout
