"""`goodfunds files`: what a bank file is, and whether it keeps to its format."""

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich import progress
from rich.table import Table
from rich.text import Text

from goodfunds.cli.convert import convert_file
from goodfunds.cli.root import CONSOLE, ERRORS
from goodfunds.files.csv_detection import shipped
from goodfunds.files.csv_mapping import Mapping
from goodfunds.files.csv_mapping_file import LARGEST_MAPPING, InvalidMapping, load
from goodfunds.files.detection import UNKNOWN
from goodfunds.files.inspecting import inspect as inspect_file
from goodfunds.files.inspection import Inspection, StatementFacts
from goodfunds.files.records import FileError
from goodfunds.money import CURRENCIES, readable_amount

_TOLD = 20


@click.group()
def files() -> None:
    """Bank files: what one says, whether it keeps to its format, and what it is in another."""


files.add_command(convert_file)


@files.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One object, amounts in minor units.")
@click.option(
    "--mapping",
    metavar="NAME|FILE",
    help="How a CSV statement is read: a shipped mapping, such as sheet-card, or a YAML file of your own.",
)
def inspect(file: Path, as_json: bool, mapping: str | None) -> None:
    """Say what FILE is: its format by its content, whether it keeps to it, entries, sums and balances.

    Exit code 0 where it is valid, 1 where it is not, 2 where it cannot be read, is in no known format, in one
    that is recognised and not read, or of a version of which nobody here can say whether it is valid. A
    statement that is not valid may be readable all the same.

    \b
    goodfunds files inspect statement.xml
    goodfunds files inspect payments.ach --json | jq .sum_minor
    goodfunds files inspect card.csv --mapping sheet-card
    """
    declared = None if mapping is None else _mapping(mapping)
    with progress.open(
        file, "rb", description=file.name, console=ERRORS, transient=True, disable=not ERRORS.is_terminal
    ) as source:
        found = inspect_file(source, declared)
    if as_json:
        click.echo(json.dumps(told(found), ensure_ascii=False))
    else:
        _show(file.name, found)
    if found.valid is None or found.format == UNKNOWN:
        sys.exit(2)
    sys.exit(0 if found.valid else 1)


def _mapping(given: str) -> Mapping:
    """The shipped mapping of that name, else that in a file. Raises BadParameter."""
    known = shipped().get(given)
    if known is not None:
        return known
    try:
        with open(given, "rb") as opened:
            return load(opened.read(LARGEST_MAPPING + 1), given)
    except OSError as fault:
        why = f"no shipped mapping ({', '.join(shipped())}), and no file: {given}: {fault.strerror}"
        raise click.BadParameter(why, param_hint="--mapping") from None
    except InvalidMapping as fault:
        raise click.BadParameter(str(fault), param_hint="--mapping") from None


def told(found: Inspection) -> dict[str, Any]:
    """An inspection as JSON says it; the balances of one statement stand at the top, too."""
    alone = found.statements[0] if len(found.statements) == 1 else None
    return {
        "format": found.format,
        "valid": found.valid,
        "readable": found.readable,
        "entries": found.entries,
        "sum_minor": dict(found.sums),
        "opening_minor": None if alone is None else alone.opening_minor,
        "closing_minor": None if alone is None else alone.closing_minor,
        "statements": [_statement(each) for each in found.statements],
        "errors": [_error(each) for each in found.errors],
        "warnings": [_error(each) for each in found.warnings],
        "details": dict(found.details),
    }


def _statement(each: StatementFacts) -> dict[str, Any]:
    return {
        "account": each.account,
        "currency": each.currency,
        "entries": each.entries,
        "sum_minor": each.sum_minor,
        "opening_minor": each.opening_minor,
        "closing_minor": each.closing_minor,
    }


def _error(each: FileError) -> dict[str, Any]:
    return {"code": each.code, "line": each.line, "path": each.path, "message": each.message}


def _show(name: str, found: Inspection) -> None:
    unknown = "not checked" if found.readable else "not read"
    verdict = {True: "valid", False: "not valid", None: unknown}[found.valid]
    if found.valid is False and found.readable and found.statements:
        verdict += ", but readable"
    _line(f"{name}: {found.format}, {verdict}")
    if found.readable or found.entries:
        sums = ", ".join(_amount(minor, currency) for currency, minor in found.sums.items())
        _line(f"{found.entries:,} entries" + (f", {sums}" if sums else ""))
    if found.statements:
        CONSOLE.print(_table(found))
    for word, told_of in (("error", found.errors), ("warning", found.warnings)):
        for each in told_of[:_TOLD]:
            _line(f"{word}: {each}")
        if len(told_of) > _TOLD:
            _line(f"… and {len(told_of) - _TOLD} {word}s more")


def _table(found: Inspection) -> Table:
    table = Table("account", "entries", "opening", "sum", "closing")
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify = "right"
    for each in found.statements:
        # As text: brackets that a bank writes are no markup.
        table.add_row(
            Text(each.account),
            f"{each.entries:,}",
            *(
                Text("" if minor is None else _amount(minor, each.currency))
                for minor in (each.opening_minor, each.sum_minor, each.closing_minor)
            ),
        )
    return table


def _amount(minor: int, currency: str) -> str:
    # What has no minor unit was counted in hundredths.
    if currency in CURRENCIES:
        return readable_amount(minor, currency)
    return f"{readable_amount(minor, 'EUR').removesuffix('EUR')}{currency}".strip()


def _line(text: str) -> None:
    CONSOLE.print(text, highlight=False, markup=False)
