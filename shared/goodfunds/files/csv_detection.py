"""Which of the shipped mappings a CSV file is of: by the header that it has, never by its name."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files

from goodfunds.files.csv_entries import Columns, Entries, WrongCell, fold
from goodfunds.files.csv_mapping import Mapping as CsvMapping
from goodfunds.files.csv_mapping_file import load
from goodfunds.files.csv_text import rows
from goodfunds.files.records import InvalidFile

_ROWS_LOOKED_AT = 30

_DECISIVE = ("amount", "credit", "debit", "indicator", "currency", "balance")
"""What a header says at most once, under whichever of its names."""

_SILENT = frozenset({
    "time", "time zone", "timezone", "category", "sub-category", "subcategory", "tag", "tags", "label",
    "labels", "note", "notes", "comment", "comments", "check number", "checknumber", "cheque number", "bank",
    "bank name", "bank code", "branch", "account name", "account holder", "bic", "swift", "swift code",
    "merchant", "merchant name", "merchant category", "merchant category code", "mcc", "location", "city",
    "country", "address", "iban", "card", "card number", "card no.", "statement number", "line",
    "line number", "row", "no", "no.", "nr", "nr.", "number", "id", "reference number", "transaction number",
    "document number", "receipt", "end to end id", "end-to-end id", "endtoendid", "end-to-end reference",
    "mandate reference", "mandate id", "creditor id", "creditor identifier", "purpose code", "kategorie",
    "notiz", "bemerkung", "bemerkungen", "gläubiger-id", "glaeubiger id", "gläubiger id",
    "mandatsreferenz", "kundenreferenz (end-to-end)", "sammlerreferenz", "bic (swift-code)",
    "kontonummer/iban", "blz", "catégorie", "sous-catégorie", "commentaire", "remarque", "categoría",
    "subcategoría", "notas", "observaciones", "categoria", "categorie", "opmerking", "opmerkingen",
})  # fmt: skip
"""Columns of usual names that say nothing of how much, which way, or whether at all."""


@cache
def shipped() -> Mapping[str, CsvMapping]:
    """The mappings that come with goodfunds, by name in alphabetical order."""
    folder = files("goodfunds.files") / "csv_dialects"
    found = {}
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".yaml"):
            mapping = load(file.read_bytes(), file.name)
            found[mapping.name] = mapping
    return found


def detect(head: Sequence[str]) -> CsvMapping | None:
    """The mapping of a file that begins with these lines, None where none knows it.

    First those that know a header line to the letter (but for case and space), then those that know a file
    without a header by its number of columns and a first row that reads as an entry, then any whose columns
    the header has.
    """
    tokenised: dict[tuple[str, str], list[list[str]]] = {}
    for knows in (_knows_header, _knows_columns, _knows_any_header):
        for mapping in shipped().values():
            key = (mapping.delimiter, mapping.quote)
            if key not in tokenised:
                tokenised[key] = list(_first_rows(head, *key))
            if knows(mapping, tokenised[key]):
                return mapping
    return None


def _first_rows(head: Sequence[str], delimiter: str, quote: str) -> Iterator[list[str]]:
    found = rows(head, delimiter, quote)
    try:
        for _ in range(_ROWS_LOOKED_AT):
            yield next(found)[1]
    except (StopIteration, InvalidFile):
        # The head may end within a quoted cell, or be no CSV of this dialect at all.
        return


def _knows_header(mapping: CsvMapping, first: Sequence[Sequence[str]]) -> bool:
    known = [_folded(header) for header in mapping.knows.headers]
    return bool(known) and any(_folded(cells) in known for cells in first)


def _knows_columns(mapping: CsvMapping, first: Sequence[Sequence[str]]) -> bool:
    row = next((cells for cells in first if any(cells)), ())
    if mapping.knows.columns is None or len(row) != mapping.knows.columns:
        return False
    return _reads(mapping, row)


def _knows_any_header(mapping: CsvMapping, first: Sequence[Sequence[str]]) -> bool:
    if not mapping.knows.any_header:
        return False
    columns = [(what, [fold(str(name)) for name in column]) for what, column in mapping.columns()]
    known = _SILENT.union(*(names for _, names in columns))
    for cells in first:
        try:
            Columns(mapping, cells)
        except LookupError:
            continue
        header = [name for name in _folded(cells) if name]
        twice = any(
            sum(header.count(name) for name in names) > 1 for what, names in columns if what in _DECISIVE
        )
        # A name that is not known could be that of a fee, a status or a direction.
        return known.issuperset(header) and not twice
    return False


def _reads(mapping: CsvMapping, row: Sequence[str]) -> bool:
    try:
        Entries(mapping, Columns(mapping, ())).line(1, row)
    except (LookupError, WrongCell):
        return False
    return True


def _folded(cells: Sequence[str]) -> list[str]:
    """Names as they are compared, without the empty ones at the end."""
    names = [fold(cell) for cell in cells]
    while names and not names[-1]:
        names.pop()
    return names
