"""What a transaction changes is seen row by row, where it was asked for, and nowhere else."""

from goodfunds.postgres import connect
from goodfunds.replay.effects import Change, money_of
from goodfunds.replay.watching import Watch

MOVE = (
    "INSERT INTO balances (lane, account, currency, balance_minor) VALUES (1, 'a', 'EUR', $1) "
    "ON CONFLICT (lane, account, currency) DO UPDATE SET balance_minor = balances.balance_minor + $1"
)


async def test_a_watched_transaction_shows_each_slice_s_changes_and_no_other_s(database: str) -> None:
    connection = await connect(database)
    try:
        watch = await Watch.on(connection)
        await connection.execute(MOVE, 40)
        async with connection.transaction():
            await connection.execute(MOVE, 5)
            await watch.begin()
            await connection.execute(MOVE, 10)
            await connection.execute("INSERT INTO handled VALUES (1, 7, 'k', 3)")
            first = await watch.collect({})
            await connection.execute(MOVE, -3)
            second = await watch.collect({})
            assert await watch.collect({}) == await watch.collect({1: []})
        assert money_of(first.changes) == {("a", "EUR"): 10}
        assert {change.table: change.operation for change in first.changes} == {
            "balances": "update", "handled": "insert",
        }  # fmt: skip
        assert second.changes == (
            Change(
                "balances",
                {"lane": 1, "account": "a", "currency": "EUR", "balance_minor": 55},
                {"lane": 1, "account": "a", "currency": "EUR", "balance_minor": 52},
            ),
        )
        async with connection.transaction():
            await connection.execute(MOVE, 1)
            assert (await watch.collect({})).rows_changed == 0
    finally:
        await connection.close()


async def test_what_was_rolled_back_to_a_savepoint_was_not_changed(database: str) -> None:
    connection = await connect(database)
    try:
        watch = await Watch.on(connection)
        async with connection.transaction():
            await watch.begin()
            inner = connection.transaction()
            await inner.start()
            await connection.execute(MOVE, 10)
            await inner.rollback()
            assert (await watch.collect({})).rows_changed == 0
            await connection.execute(MOVE, 2)
            assert (await watch.collect({})).rows_changed == 1
    finally:
        await connection.close()


async def test_tables_are_known_by_their_keys_numbers_and_clocks(database: str) -> None:
    connection = await connect(database)
    try:
        tables = (await Watch.on(connection)).tables
    finally:
        await connection.close()
    assert set(tables) == {"balances", "handled", "postings"}
    assert tables["balances"].key == ("lane", "account", "currency")
    assert tables["balances"].numbers == {"lane", "balance_minor"}
    assert tables["postings"].key == ("entry_id", "kind")
    assert tables["postings"].ignored == {"posted_at", "event_seq"}
    assert tables["handled"].key == ()
