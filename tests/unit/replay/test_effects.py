"""The effects of a slice: net, and with a digest that live traffic beside it does not move."""

from dataclasses import replace
from typing import Any

from goodfunds.events.types import AccountOpened
from goodfunds.lanes import Emission
from goodfunds.replay.effects import (
    NO_EFFECTS,
    Change,
    Effects,
    Table,
    chained,
    effects_of,
    money_of,
    of_lanes,
    refusals_of,
    sample,
)
from goodfunds.replay.tally import OTHERS, Tally

TABLES = {
    "balances": Table(
        "balances", ("lane", "account", "currency"), frozenset({"lane", "balance_minor"}), frozenset()
    ),
    "payments": Table(
        "payments",
        ("payment_id",),
        frozenset({"lane", "amount_minor", "event_seq"}),
        frozenset({"decided_at", "event_seq"}),
    ),
    "handled": Table("handled", (), frozenset({"number"}), frozenset()),
}


def payment(state: str = "accepted", seq: int = 7, at: str = "10:00", **further: Any) -> dict[str, Any]:
    return {
        "payment_id": "p1", "lane": 1, "amount_minor": 100, "state": state, "event_seq": seq,
        "decided_at": at, **further,
    }  # fmt: skip


def balance(minor: int, account: str = "a") -> dict[str, Any]:
    return {"lane": 1, "account": account, "currency": "EUR", "balance_minor": minor}


def effects(*changes: Change, emissions: tuple[Emission, ...] = ()) -> Effects:
    return effects_of(TABLES, changes, {1: emissions})


def inserted(table: str, row: dict[str, Any]) -> Change:
    return Change(table, None, row)


def moved(before: int, after: int) -> Change:
    return Change("balances", balance(before), balance(after))


def test_nothing_changed_and_nothing_emitted_has_no_digest_and_adds_nothing_to_a_chain() -> None:
    assert effects() == NO_EFFECTS
    assert chained(b"before", effects().digest) == b"before"


def test_a_row_counts_by_what_it_is_and_not_by_when_it_was_written_or_which_number_its_event_got() -> None:
    first = effects(inserted("payments", payment()))
    assert first.digest == effects(inserted("payments", payment(seq=9, at="11:00"))).digest
    assert first.digest != effects(inserted("payments", payment(state="rejected"))).digest
    assert first.rows_changed == 1


def test_live_traffic_on_the_same_balance_is_no_other_effect() -> None:
    rehearsed = effects(moved(1000, 900))
    assert effects(moved(4000, 3900)).digest == rehearsed.digest
    assert effects(moved(4000, 3901)).digest != rehearsed.digest


def test_a_balance_that_live_traffic_has_made_meanwhile_moves_as_far_as_one_that_was_not_there() -> None:
    assert effects(inserted("balances", balance(50))).digest == effects(moved(200, 250)).digest


def test_a_row_written_twice_counts_once_as_it_is_in_the_end() -> None:
    twice = effects(moved(100, 90), moved(90, 70))
    assert twice.digest == effects(moved(100, 70)).digest
    assert twice.rows_changed == 1
    made_and_changed = effects(
        inserted("payments", payment()), Change("payments", payment(), payment("rejected"))
    )
    assert made_and_changed.changes == (Change("payments", None, payment("rejected")),)


def test_what_is_made_and_taken_back_is_no_effect_and_what_is_written_as_it_was_is_counted_apart() -> None:
    found = effects(
        inserted("payments", payment()), Change("payments", payment(), None), moved(5, 9), moved(9, 5)
    )
    assert found == replace(NO_EFFECTS, rewritten=1)


def test_a_row_whose_key_changes_is_gone_and_another_is_there() -> None:
    found = effects(Change("payments", payment(), payment(payment_id="p2")))
    assert [change.operation for change in found.changes] == ["delete", "insert"]


def test_rows_of_a_table_without_a_key_count_each_also_where_they_are_equal() -> None:
    row = {"number": 4}
    once, twice = effects(inserted("handled", row)), effects(*[inserted("handled", row)] * 2)
    assert (once.rows_changed, twice.rows_changed) == (1, 2)
    assert once.digest != twice.digest


def test_the_order_of_writes_says_nothing() -> None:
    one, other = inserted("payments", payment()), moved(1, 2)
    assert effects(one, other).digest == effects(other, one).digest


def test_an_event_counts_by_what_it_says_and_not_by_when_it_was_decided() -> None:
    def opened(name: str, at: int) -> Emission:
        body = AccountOpened("a", "EUR", name, at).encode()
        return Emission("payments", 1, b"a", "AccountOpened", body, b"")

    first = effects(emissions=(opened("Ada", 1),))
    assert first.digest == effects(emissions=(opened("Ada", 2),)).digest
    assert first.digest != effects(emissions=(opened("Eve", 1),)).digest
    assert first.events == {("payments", "AccountOpened"): 1}
    assert first.events_emitted == 1
    plain = [effects(emissions=(Emission("t", 0, b"k", "Copied", body, b""),)) for body in (b"1", b"2", b"1")]
    assert plain[0].digest == plain[2].digest != plain[1].digest


def test_the_digest_of_lanes_speaks_of_each_and_of_none_without_effects() -> None:
    assert of_lanes({1: b"a", 2: b"b"}) == of_lanes({2: b"b", 3: b"", 1: b"a"})
    assert of_lanes({1: b"a", 2: b"b"}) != of_lanes({1: b"b", 2: b"a"})


def test_money_is_told_by_account_and_refusals_by_reason() -> None:
    found = effects(
        moved(100, 60), inserted("balances", balance(40, "transit")),
        inserted("payments", payment("rejected", reason_code="AM04")),
    )  # fmt: skip
    assert money_of(found.changes) == {("a", "EUR"): -40, ("transit", "EUR"): 40}
    assert refusals_of(found.changes) == {"AM04": 1}


def test_a_sample_shows_of_an_update_what_differs_and_cuts_what_is_long() -> None:
    change = Change("payments", payment(), payment("rejected", reason="x" * 300))
    shown = sample(TABLES["payments"], change)
    assert shown["key"] == {"payment_id": "p1"}
    assert shown["before"] == {"state": "accepted", "reason": None}
    assert shown["after"]["state"] == "rejected"
    assert shown["after"]["reason"] == "x" * 200 + "… (300 characters)"


def test_a_tally_sums_slices_within_bounds() -> None:
    tally = Tally()
    for number in range(120):
        tally.add(TABLES, effects(inserted("balances", balance(1, f"account-{number}"))))
    tally.money["EUR"].update({f"more-{number}": 1 for number in range(10_000)})
    tally.add(TABLES, effects(inserted("balances", balance(5, "one more"))))
    told = tally.as_json()
    assert told["rows"] == {"balances": {"insert": 121}}
    assert len(told["samples"]["balances"]) == 100
    assert told["money"]["EUR"][OTHERS] == 5
