"""The facts that a corpus of real bank files states are those that an inspection finds."""

from collections import Counter
from typing import Any

import pytest

from goodfunds.files.inspecting import inspect
from goodfunds.files.type_dictionary import FILE
from tests.contract.files.corpus import FACTS as LISTED
from tests.contract.files.corpus import Sample, folder, samples
from tests.corpus.conftest import FACTS
from tests.corpus.disputed import DISPUTED, DISPUTED_FILES
from tests.corpus.facts import Compared, compare
from tests.dictionary.schemas import read

pytestmark = pytest.mark.corpus


@pytest.mark.parametrize("sample", samples())
def test_the_facts_of_a_file_are_found(sample: Sample, record_property: Any) -> None:
    with sample.path.open("rb") as source:
        found = inspect(source)
    counts: Counter[str] = Counter()
    told, differing = [], []
    for each in compare(sample.facts, found):
        became = _became(sample.path.name, each)
        counts[became] += 1
        if became == "differing":
            differing.append(str(each))
        if became in ("differing", "disputed"):
            told.append(f"{became}: {each}")
    name = f"{sample.path.parent.name}/{sample.path.name}"
    record_property(FACTS, {"file": name, "counts": dict(counts), "told": told})
    assert differing == [], [str(error) for error in found.errors[:5]]


def _became(name: str, fact: Compared) -> str:
    """What became of a fact."""
    if not fact.oracle:
        return "known to nobody"
    if fact.said == fact.found:
        return "agreed"
    if not fact.read:
        return "of formats that are not read"
    disputed = name in DISPUTED_FILES or (name, fact.name) in DISPUTED
    return "disputed" if disputed else "differing"


def test_files_without_facts_are_inspected_without_a_fault() -> None:
    root = folder()
    if root is None:
        pytest.skip("set CORPUS to a folder of real bank files")
    listed = {root / LISTED, *(each.values[0].path for each in samples())}
    for path in sorted(root.rglob("*")):
        if path.is_file() and path not in listed:
            with path.open("rb") as source:
                inspect(source)


def test_the_dictionary_of_types_says_what_the_schemas_of_the_corpus_say() -> None:
    root = folder()
    schemas = [] if root is None else sorted((root / "xsd").glob("*.xsd"))
    if not schemas:
        pytest.skip("set CORPUS to a folder with official schemas in xsd")
    known = set(FILE.read_text(encoding="utf-8").splitlines())
    said = read(schemas)
    assert [line for line in said.lines() if line not in known] == []
