"""The chain of the audit: whatever is changed, taken out or put in is found, and its first entry named."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from json import dumps
from typing import Any

import pytest

from goodfunds.audit.chain import NOTHING, Entry, Verified, hash_of, walk

AT = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
PLAN = bytes(range(16))


def entry(audit_seq: int, previous: bytes, **told: Any) -> Entry:
    parts: dict[str, Any] = {
        "at": AT + timedelta(seconds=audit_seq), "actor": "ada", "action": "planned", "plan_id": PLAN,
        "detail": {"lanes": [1, 2], "reason": "ä", "rate": None},
    } | told  # fmt: skip
    return Entry(audit_seq, **parts, previous=previous, hash=hash_of(audit_seq, **parts, previous=previous))


def chain(count: int) -> list[Entry]:
    found: list[Entry] = []
    for number in range(1, count + 1):
        found.append(entry(number, found[-1].hash if found else NOTHING))
    return found


async def rows(entries: Sequence[Entry]) -> AsyncIterator[dict[str, Any]]:
    for each in entries:
        yield {
            name: getattr(each, name) if name != "detail" else dumps(each.detail)
            for name in Entry.__dataclass_fields__
        }


async def verified(entries: Sequence[Entry], head: int, hashed: bytes) -> Verified:
    return await walk(rows(entries), head, hashed)


async def test_a_chain_as_it_was_written_is_good_and_so_is_an_empty_one() -> None:
    good = chain(5)
    assert await verified(good, 5, good[-1].hash) == Verified(5, 5, good[-1].hash)
    assert await verified([], 0, NOTHING) == Verified(0, 0, NOTHING)


async def test_a_chain_cut_off_with_the_row_of_its_end_lacks_the_hash_that_was_kept() -> None:
    good = chain(5)
    assert (await walk(rows(good), 5, good[-1].hash, good[3].hash)).kept == 4
    cut = await walk(rows(good[:3]), 3, good[2].hash, good[3].hash)
    assert (cut.broken, cut.kept) == (None, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"at": AT}, {"actor": "bob"}, {"action": "run"}, {"plan_id": None}, {"plan_id": bytes(16)},
        {"detail": {"lanes": [1, 2], "reason": "ä"}}, {"hash": bytes(32)},
        {"detail": {"lanes": [2, 1], "reason": "ä", "rate": None}},
        {"detail": {"lanes": [1, 2.0], "reason": "ä", "rate": None}},
    ],
)  # fmt: skip
async def test_an_entry_that_was_changed_is_named(change: dict[str, Any]) -> None:
    good = chain(5)
    found = await verified([*good[:2], replace(good[2], **change), *good[3:]], 5, good[-1].hash)
    assert (found.broken, found.entries, found.why) == (3, 2, "it is not as it was written")


async def test_an_entry_that_was_changed_with_its_hash_breaks_the_next_one() -> None:
    good = chain(5)
    forged = entry(3, good[1].hash, actor="bob")
    found = await verified([*good[:2], forged, *good[3:]], 5, good[-1].hash)
    assert (found.broken, found.why) == (4, "it does not follow from the entry before")


async def test_the_last_entry_changed_with_its_hash_is_not_the_one_at_the_chains_end() -> None:
    good = chain(5)
    found = await verified([*good[:4], entry(5, good[3].hash, actor="bob")], 5, good[-1].hash)
    assert (found.broken, found.why) == (5, "it is not the one that the chain's end names")


async def test_an_entry_taken_out_of_the_middle_or_from_the_end_is_missing() -> None:
    good = chain(5)
    assert (await verified([*good[:2], *good[3:]], 5, good[-1].hash)).broken == 3
    found = await verified(good[:3], 5, good[-1].hash)
    assert (found.broken, found.why) == (4, "it is missing, as is all after it up to entry 5")
    assert (await verified([], 5, good[-1].hash)).broken == 1


async def test_an_entry_put_in_is_found_in_the_middle_and_beyond_the_end() -> None:
    good = chain(5)
    put_in = entry(3, good[1].hash, actor="mallory")
    moved = [replace(each, audit_seq=each.audit_seq + 1) for each in good[2:]]
    assert (await verified([*good[:2], put_in, *moved], 5, good[-1].hash)).broken == 4
    found = await verified([*good, entry(6, good[-1].hash)], 5, good[-1].hash)
    assert (found.broken, found.why) == (6, "it stands beyond the chain's end, which is entry 5")


def test_the_hash_does_not_hang_on_the_order_of_names_and_refuses_fractions() -> None:
    one = hash_of(1, AT, "ada", "run", None, {"a": 1, "b": [True, None]}, NOTHING)
    assert one == hash_of(1, AT, "ada", "run", None, {"b": [True, None], "a": 1}, NOTHING)
    with pytest.raises(TypeError):
        hash_of(1, AT, "ada", "run", None, {"a": {"b": [0.5]}}, NOTHING)
