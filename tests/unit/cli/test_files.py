"""`goodfunds files inspect` answers programs by its exit code and JSON, people by a table that fits."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from goodfunds.cli.files import files
from tests.unit.files.interbank_texts import PACS_008
from tests.unit.files.texts import ENTRY, STATEMENT, statement


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "payments.bin").write_bytes(PACS_008)
    (tmp_path / "statement.txt").write_bytes(STATEMENT)
    (tmp_path / "broken.xml").write_bytes(statement(ENTRY.replace("<NtryRef>1</NtryRef>", "<Ref>1</Ref>")))
    (tmp_path / "page.xml").write_bytes(b"<html><body>later</body></html>")
    (tmp_path / "other.xml").write_bytes(b"OFXHEADER:100\n")
    return tmp_path


def run(folder: Path, name: str, *options: str) -> Result:
    return CliRunner().invoke(files, ["inspect", str(folder / name), *options])


@pytest.mark.parametrize(
    ("name", "exit_code", "valid"),
    [
        ("payments.bin", 0, True),
        ("statement.txt", 0, True),
        ("broken.xml", 1, False),
        ("page.xml", 2, False),
        ("other.xml", 2, None),
    ],
)
def test_the_exit_code_and_the_json_say_the_same(
    folder: Path, name: str, exit_code: int, valid: bool | None
) -> None:
    found = run(folder, name, "--json")
    assert found.exit_code == exit_code
    assert json.loads(found.output)["valid"] is valid
    assert run(folder, name).exit_code == exit_code


def test_the_json_has_sums_by_currency_and_the_balances_of_a_statement(folder: Path) -> None:
    told = json.loads(run(folder, "statement.txt", "--json").output)
    assert (told["format"], told["entries"], told["sum_minor"]) == ("camt.053.001.08", 1, {"EUR": -1000})
    assert (told["opening_minor"], told["closing_minor"], told["errors"]) == (10000, 9000, [])
    assert [each["account"] for each in told["statements"]] == ["DE89370400440532013000"]


def test_an_error_has_its_code_line_path_and_message(folder: Path) -> None:
    (error,) = json.loads(run(folder, "broken.xml", "--json").output)["errors"]
    assert (error["code"], error["path"]) == ("FF01", "Stmt/Ntry")
    assert error["line"] > 1
    assert "Ref" in error["message"]


def test_people_see_the_verdict_the_money_and_what_is_wrong(folder: Path) -> None:
    told = run(folder, "broken.xml").output
    assert "camt.053.001.08, not valid, but readable" in told
    assert "-10.00 EUR" in told
    assert "error: line" in told


@pytest.mark.parametrize("account", ["[/b]", "[red]12[/red]", "[link=x]1"])
def test_brackets_in_an_account_are_shown_as_they_are(folder: Path, account: str) -> None:
    other = f"<Othr><Id>{account}</Id></Othr>".encode()
    (folder / "odd.xml").write_bytes(STATEMENT.replace(b"<IBAN>DE89370400440532013000</IBAN>", other))
    found = run(folder, "odd.xml")
    assert (found.exit_code, account in found.output) == (0, True)


def test_a_csv_statement_is_read_by_the_mapping_that_is_named(folder: Path) -> None:
    rows = "Date,Label,Currency,Amount,Partner Name,Bank Account\n12/15/2018,a,EUR,33.50,b,1\n"
    (folder / "card.csv").write_text(rows)
    own = (
        "name: mine\ntitle: Mine\ndates: [MM/DD/YYYY]\nbooking_date: Date\ncurrency: {fixed: USD}\n"
        "amount: {style: signed, column: Amount}\n"
    )
    (folder / "mine.yaml").write_text(own)

    def sums(*options: str) -> object:
        return json.loads(run(folder, "card.csv", "--json", *options).output)["sum_minor"]

    assert sums() == {"EUR": 33_50}
    assert sums("--mapping", "sheet-card") == {"EUR": -33_50}
    assert sums("--mapping", str(folder / "mine.yaml")) == {"USD": 33_50}


def test_a_mapping_that_is_none_is_a_users_mistake(folder: Path) -> None:
    (folder / "bad.yaml").write_text("name: x\n")
    for given, told in (("no-such", "sheet-card"), (str(folder / "bad.yaml"), "dates")):
        found = run(folder, "statement.txt", "--mapping", given)
        assert (found.exit_code, told in found.output) == (2, True)
        assert "Traceback" not in found.output


def test_a_file_that_is_not_there_is_told_without_a_trace(folder: Path) -> None:
    found = run(folder, "missing.xml")
    assert found.exit_code == 2
    assert "does not exist" in found.output
