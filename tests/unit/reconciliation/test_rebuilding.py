"""The list of what a rebuild does with reconciliation's tables says a reason for all that is not compared."""

from services.reconciliation.rebuilding import REBUILD


def test_each_table_stands_in_the_list_once() -> None:
    names = [*(each.table for each in REBUILD.tables), *REBUILD.kept, *REBUILD.empty]
    assert len(names) == len(set(names))


def test_what_is_not_compared_not_swapped_or_kept_has_a_reason() -> None:
    for each in REBUILD.tables:
        assert all(each.uncompared.values())
        assert bool(each.why) is (each.only != "true" or not each.swapped), each.table
    assert all(REBUILD.kept.values())
    assert all(REBUILD.empty.values())
