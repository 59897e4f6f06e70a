"""Pages: together they are the list, each row once; a cursor is what the list gave."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goodfunds.http.paging import cursor_of, page, place_of
from goodfunds.observability.http import Problem

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
KEYS = st.lists(TEXT, unique=True)


@given(KEYS, st.integers(1, 5), st.integers(0, 6), st.sampled_from([lambda key: True, lambda key: key > "a"]))
def test_the_pages_of_a_list_hold_each_row_that_is_kept_once_and_in_order(
    keys: list[str], limit: int, more: int, keeps: Any
) -> None:
    table = sorted(keys)
    asked = limit + 1 + more
    found: list[str] = []
    cursor: str | None = None
    for _ in range(len(table) + 1):
        (after,) = place_of(cursor, 1) or ("",)
        rows = [each for each in table if each > after][:asked]
        items, cursor = page(rows, limit, asked, lambda key: (key,), keeps)
        assert len(items) <= limit
        found += items
        if cursor is None:
            break
    assert cursor is None
    assert found == [each for each in table if keeps(each)]


@given(st.tuples(TEXT, st.text("abc")))
def test_a_cursor_gives_back_what_was_put_in(place: tuple[str, str]) -> None:
    cursor = cursor_of(place)
    assert place_of(cursor, 2) == place
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "wrong",
    ["", "x", "!!!!", "é", cursor_of(()), cursor_of(("a", "b")), cursor_of(("\0",)), cursor_of(("\ud800",)),
     "bnVsbA", "WzFd", "W10", "W" * 1999],
)  # fmt: skip
def test_any_other_text_is_no_cursor(wrong: str) -> None:
    with pytest.raises(Problem) as refused:
        place_of(wrong, 1)
    assert refused.value.status == 422
