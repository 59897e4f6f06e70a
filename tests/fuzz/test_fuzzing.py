"""A reader that misbehaves is told, with the input; and every reader takes its own examples."""

import pytest

from tests.fuzz.fuzzing import Fuzzed, fuzz
from tests.fuzz.report import page
from tests.fuzz.targets import TARGETS, Target

EXAMPLES = (b"some bytes",)


def test_a_refusal_is_counted_and_any_other_fault_is_wrong() -> None:
    def read(content: bytes) -> None:
        if len(content) % 2:
            raise ValueError("refused")
        raise IndexError("not thought of")

    found = fuzz("reader", Target(EXAMPLES, read, (ValueError,)), seconds=60, seed=1)
    assert [each.what for each in found.wrong] == ["IndexError: not thought of"] * 5
    assert all(len(each.content) % 2 == 0 for each in found.wrong)
    assert found.refused == found.inputs - 5


def test_a_reader_that_does_not_end_is_broken_off_whatever_it_catches() -> None:
    def read(_content: bytes) -> None:
        while True:
            try:
                sum(range(1_000))
            except Exception:
                continue

    found = fuzz("reader", Target(EXAMPLES, read, (Exception,)), seconds=60, seed=1, hangs=0.2)
    assert [each.what for each in found.wrong] == ["it did not end in 0.2 s"]


def test_the_same_seed_makes_the_same_inputs() -> None:
    def inputs(seed: int) -> list[bytes]:
        seen: list[bytes] = []

        def read(content: bytes) -> None:
            seen.append(content)
            if len(seen) >= 50:
                raise IndexError

        fuzz("reader", Target(EXAMPLES, read, ()), seconds=60, seed=seed)
        return seen

    assert inputs(1) == inputs(1) != inputs(2)


@pytest.mark.parametrize("name", TARGETS)
def test_a_reader_takes_its_examples(name: str) -> None:
    for content in TARGETS[name].examples:
        TARGETS[name].read(content)


def test_the_report_says_what_went_wrong_and_with_which_reader() -> None:
    good = {**_told(Fuzzed("good", inputs=1_000, refused=900, slowest=0.004)), "wrong": []}
    bad = {**_told(Fuzzed("bad", inputs=2)), "wrong": ["IndexError: b'`x`'"]}
    told = page([good, bad], seconds=5, seed=1)
    assert "**1,002 inputs, 1 wrong.**" in told
    assert "| good | 1,000 | 900 | 4 | 0 | 0 |" in told
    assert "- bad: `IndexError: b' x '`" in told


def _told(found: Fuzzed) -> dict[str, object]:
    return {name: getattr(found, name) for name in ("name", "inputs", "refused", "slowest", "grown_mb")}
