"""Reconciliation made anew beside live lanes: it agrees and is swapped, or what differs is named."""

import asyncio
import json
import random
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from click.testing import CliRunner

from goodfunds.audit.chain import verify
from goodfunds.cli import rebuild as cli
from goodfunds.cli.root import root
from goodfunds.errors import Unavailable
from goodfunds.local.postgres import USER
from goodfunds.postgres import connect
from goodfunds.rebuild import CannotRebuild, Outcome, rebuild, run
from goodfunds.rebuild.shadow import REPLACED, SHADOW
from goodfunds.rebuild.swapping import stand_and_swap
from goodfunds.service import Service
from services.reconciliation import SERVICE
from services.reconciliation.handlers import ReconciliationHandler
from tests.integration.reconciliation.days import a_rich_day
from tests.integration.reconciliation.scene import (
    NOSTRO_LANE,
    NOW,
    OTHER_LANE,
    PARTITIONS,
    Fed,
    closed,
    from_reader,
    from_settlement,
    line,
    settled,
    submitted,
    whole_statement,
)
from tests.integration.reconciliation.test_lanes import running, send, until
from tests.integration.tampering import unguarded

NOBODY_REBUILDS = (
    "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name LIKE 'goodfunds rebuild%')"
)


def nothing_told(what: str, done: int, total: int) -> None:
    pass


@asynccontextmanager
async def session(dsn: str) -> AsyncIterator[Any]:
    connection = await connect(dsn, "goodfunds test")
    try:
        yield connection
    finally:
        await connection.close()


class House:
    """Reconciliation's database and topics."""

    def __init__(self, dsn: str, bootstrap: str) -> None:
        self.dsn = dsn
        self.bootstrap = bootstrap
        self.server, _, self.name = dsn.rpartition("/")
        self.seqs: dict[tuple[str, int], int] = {}

    @property
    def service(self) -> Service:
        return replace(SERVICE, database=self.name)

    async def publish(self, fed: list[Fed]) -> None:
        self.seqs = await send(self.bootstrap, fed, self.seqs)

    async def handled(self) -> None:
        """Until the lanes stand where what was published ends, and nothing is due in them."""
        for (topic, lane), count in self.seqs.items():
            stands = f"SELECT (offsets->>'{topic}')::int >= {count} FROM lanes WHERE lane = {lane}"
            await until(self.dsn, stands)
        async with session(self.dsn) as connection, asyncio.timeout(30):
            while True:
                if not await ReconciliationHandler().due(connection, list(range(PARTITIONS)), NOW):
                    return
                await asyncio.sleep(0.05)

    async def rebuild(self, check: bool = False) -> Outcome:
        return await rebuild(self.service, self.server, self.bootstrap, check, nothing_told)

    async def fetchval(self, question: str) -> Any:
        async with session(self.dsn) as connection:
            return await connection.fetchval(question)

    async def table(self) -> int:
        """Which table is the live one; another after a swap."""
        found: int = await self.fetchval("SELECT 'expected_items'::regclass::oid")
        return found

    async def schemas(self) -> list[str]:
        async with session(self.dsn) as connection:
            rows = await connection.fetch(
                "SELECT nspname FROM pg_namespace WHERE nspname = ANY($1)", [SHADOW, REPLACED]
            )
        return [row["nspname"] for row in rows]


@pytest.fixture
async def house(database: str, fresh_topics: str) -> House:
    return House(database, fresh_topics)


async def test_after_a_rich_day_it_agrees_is_swapped_under_live_lanes_and_they_go_on(house: House) -> None:
    await house.publish(a_rich_day(random.Random(5)))
    async with running(house.dsn, house.bootstrap) as loop:
        await house.handled()
        before = await house.table()
        checked = await house.rebuild(check=True)
        assert (checked.different, checked.swapped, await house.table()) == ([], False, before)
        assert [each.table for each in checked.compared if each.rows == 0] == []
        epochs = await house.fetchval("SELECT sum(epoch) FROM lanes")
        swapped = await house.rebuild()
        assert (swapped.different, swapped.swapped) == ([], True)
        assert swapped.stood < 5
        assert await house.table() != before
        assert await house.schemas() == []
        later = from_settlement(OTHER_LANE, submitted(201, 41, 41), settled(201, 41, 41))
        later += whole_statement({OTHER_LANE: [line(201, -41, 1, 3)]}, 3)
        await house.publish(later)
        await house.handled()
        assert loop.unready() == []
        assert await house.fetchval("SELECT state FROM expected_items WHERE amount_minor = -41") == 1
        assert (await house.rebuild(check=True)).different == []
        # Each lane went on with the owner that it had.
        assert await house.fetchval("SELECT sum(epoch) FROM lanes") == epochs


def a_payment_with_its_line(number: int) -> list[Fed]:
    """Its line comes in a statement of its own."""
    lane = (NOSTRO_LANE, OTHER_LANE)[number % 2]
    fed = from_settlement(lane, submitted(number, number, number), settled(number, number, number))
    shown = line(number, -number, 1, number)
    return fed + from_reader(lane, shown, replace(closed([shown]), statement_id=shown.statement_id))


async def test_a_swap_under_load_loses_nothing_and_doubles_nothing(house: House) -> None:
    await house.publish(a_rich_day(random.Random(1)))
    swapping = None
    async with running(house.dsn, house.bootstrap) as loop:
        await house.handled()
        number = 1_000
        while swapping is None or not swapping.done():
            number += 1
            await house.publish(a_payment_with_its_line(number))
            swapping = swapping or asyncio.create_task(house.rebuild())
        assert (swapping.result().different, swapping.result().swapped) == ([], True)
        await house.publish(a_payment_with_its_line(number + 1))
        await house.handled()
        assert loop.unready() == []
        assert number + 1 - 1_000 == await house.fetchval(
            "SELECT count(*) FROM expected_items WHERE state = 1 AND amount_minor < -1000"
        )
        assert number + 1 - 1_000 == await house.fetchval(
            "SELECT count(*) FROM outbox_events WHERE event_type = 'PaymentMatched' AND key ~ '-[0-9]{4,}$'"
        )
        assert (await house.rebuild(check=True)).different == []


async def test_a_row_changed_by_hand_is_named_and_nothing_is_swapped(house: House) -> None:
    await house.publish(a_rich_day(random.Random(7)))
    async with running(house.dsn, house.bootstrap):
        await house.handled()
        async with session(house.dsn) as connection, unguarded(connection):
            await connection.execute("UPDATE expected_items SET account = 'X' WHERE amount_minor = -700")
            await connection.execute("DELETE FROM control_totals")
        before = await house.table()
        outcome = await house.rebuild()
    found = {each.table: each for each in outcome.different}
    assert {name: (each.only_live, each.only_anew) for name, each in found.items()} == {
        "expected_items": (1, 1), "control_totals": (0, 1),
    }  # fmt: skip
    items = found["expected_items"]
    assert [each[0]["account"] for each in (items.live_rows, items.anew_rows)] == ["X", "customer-101"]
    assert (outcome.swapped, await house.table(), await house.schemas()) == (False, before, [])


async def test_the_command_says_what_agrees_what_differs_and_how_fast_it_was(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.publish(a_rich_day(random.Random(2)))
    async with running(house.dsn, house.bootstrap):
        await house.handled()
    monkeypatch.setenv("GOODFUNDS_KAFKA", house.bootstrap)
    monkeypatch.setenv("GOODFUNDS_POSTGRES", house.server)
    monkeypatch.setattr(cli, "services", lambda: {"reconciliation": house.service})
    root.add_command(cli.rebuild)
    asked = ["--folder", str(tmp_path), "rebuild", "--service", "reconciliation"]
    agreed = await asyncio.to_thread(CliRunner().invoke, root, [*asked, "--check"])
    assert agreed.exit_code == 0, agreed.output
    assert re.search(r"^\d+ records handled anew, [\d,]+ a second$", agreed.stdout, re.MULTILINE)
    assert "it agrees: nothing was to be swapped" in agreed.stdout
    assert "comparing…" in agreed.stderr
    async with session(house.dsn) as connection, unguarded(connection):
        await connection.execute("DELETE FROM control_totals")
    differs = await asyncio.to_thread(CliRunner().invoke, root, asked)
    assert differs.exit_code == 1
    assert "differs: 0 rows only live, 1 only anew" in differs.stdout
    assert "it differs: nothing was swapped" in differs.stdout
    told = json.loads((await asyncio.to_thread(CliRunner().invoke, root, [*asked, "--json"])).stdout)
    assert (told["agrees"], told["swapped"]) == (False, False)
    assert [each["table"] for each in told["different"]] == ["control_totals"]
    assert told["records_per_second"] > 0


async def test_killed_half_way_it_has_changed_nothing_and_the_next_one_begins_anew(house: House) -> None:
    await house.publish(a_rich_day(random.Random(3)))
    async with running(house.dsn, house.bootstrap):
        await house.handled()
    program = f"""
import asyncio, dataclasses, os, signal
from goodfunds.rebuild import rebuild
from services.reconciliation import SERVICE

def tell(what, done, total):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)

service = dataclasses.replace(SERVICE, database={house.name!r})
asyncio.run(rebuild(service, {house.server!r}, {house.bootstrap!r}, False, tell))
"""
    before = await house.table()
    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await killed.wait() == -signal.SIGKILL
    assert (await house.table(), await house.schemas()) == (before, [SHADOW])
    # Its lock goes with its connection, whose end the server notices in its own time.
    await until(house.dsn, NOBODY_REBUILDS)
    outcome = await house.rebuild()
    assert (outcome.different, outcome.swapped, await house.schemas()) == ([], True, [])


async def test_killed_right_after_its_swap_it_leaves_old_tables_that_the_next_one_drops(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def killed(_live: Any) -> None:
        pass

    await house.publish(a_rich_day(random.Random(3)))
    async with running(house.dsn, house.bootstrap) as loop:
        await house.handled()
        with monkeypatch.context() as patched:
            patched.setattr(run, "_dropped", killed)
            assert (await house.rebuild()).swapped
        assert sorted(await house.schemas()) == sorted([SHADOW, REPLACED])
        await house.publish(a_payment_with_its_line(1_001))
        await house.handled()
        assert (await house.rebuild()).swapped
        assert await house.schemas() == []
        await house.publish(a_payment_with_its_line(1_002))
        await house.handled()
        assert loop.unready() == []
        assert (await house.rebuild(check=True)).agrees


async def test_what_the_topics_cannot_make_or_migrations_did_not_is_refused(house: House) -> None:
    await house.publish(a_rich_day(random.Random(3)))
    async with running(house.dsn, house.bootstrap):
        await house.handled()
    async with session(house.dsn) as connection:
        await connection.execute("UPDATE lanes SET stopped_reason = 'a test' WHERE lane = 1")
        await connection.execute("INSERT INTO told VALUES (0, 'opened', gen_random_uuid(), 0, 1, 0, '')")
        reasons = await refused(house)
        assert [reason.partition(":")[0] for reason in reasons] == ["lane 1 is stopped", "told has 1 rows"]
        await connection.execute("UPDATE lanes SET stopped_reason = NULL")
        await connection.execute("TRUNCATE told")
        await connection.execute("CREATE INDEX by_hand ON statements (lines_count)")
        (reason,) = await refused(house)
        assert "by_hand" in reason
        assert "it would be gone" in reason
        await connection.execute("DROP INDEX by_hand")
        for made, undone, told in MADE_BY_HAND:
            await connection.execute(made)
            assert told in "; ".join(await refused(house)), made
            await connection.execute(undone)
        assert (await house.rebuild(check=True)).agrees
        await connection.execute("SELECT pg_advisory_lock(hashtext('goodfunds rebuild'))")
        with pytest.raises(Unavailable, match="another rebuild of reconciliation is at work"):
            await house.rebuild()
        await connection.execute("SELECT pg_advisory_unlock_all()")
    await trim(house.bootstrap, "bank-statements", OTHER_LANE, 2)
    place = f"bank-statements/{OTHER_LANE}"
    assert await refused(house) == (f"{place} begins at offset 2, its lane at 0: records 0 to 1 are gone",)
    assert await house.schemas() == []


MADE_BY_HAND = (
    ("CREATE SCHEMA notes;"
     " CREATE TABLE notes.notes (lane int, id uuid, FOREIGN KEY (lane, id) REFERENCES statements)",
     "DROP SCHEMA notes CASCADE", "statements: table constraint notes_lane_id_fkey on notes.notes"),
    ("CREATE SCHEMA notes; CREATE TABLE notes.notes (noted breaks, line statement_lines)",
     "DROP SCHEMA notes CASCADE", "statement_lines: table column notes.notes.line"),
    ("CREATE FUNCTION seen() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM statements; END",
     "DROP FUNCTION seen", "statements: function seen()"),
    ("CREATE POLICY nobody ON statements USING (false)", "DROP POLICY nobody ON statements", "policy nobody"),
    ("ALTER TABLE statements ENABLE ROW LEVEL SECURITY", "ALTER TABLE statements DISABLE ROW LEVEL SECURITY",
     "row security t f"),
    ("CREATE STATISTICS together ON lane, nostro FROM statements", "DROP STATISTICS together", "together"),
    ("ALTER TABLE statements ALTER nostro SET DEFAULT 'x'",
     "ALTER TABLE statements ALTER nostro DROP DEFAULT", "nostro text not null default 'x'::text"),
    ("ALTER TABLE batches DISABLE TRIGGER open_sums_fit_their_counts",
     "ALTER TABLE batches ENABLE TRIGGER open_sums_fit_their_counts", "not as usual"),
)  # fmt: skip


async def test_what_is_granted_or_made_while_it_builds_is_not_undone_by_the_swap(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.publish(a_rich_day(random.Random(3)))
    async with running(house.dsn, house.bootstrap):
        await house.handled()
    role = f"reader_of_{house.name}"
    meanwhile = [f"REVOKE ALL ON statements FROM {role}; GRANT SELECT ON batches TO {role}",
                 "CREATE VIEW by_hand AS TABLE statements"]  # fmt: skip

    async def stand_later(*given: Any) -> Any:
        async with session(house.dsn) as connection:
            await connection.execute(meanwhile.pop(0))
        return await stand_and_swap(*given)

    monkeypatch.setattr(run, "stand_and_swap", stand_later)
    async with session(house.dsn) as connection:
        await connection.execute(f"CREATE ROLE {role}; GRANT SELECT ON statements TO {role}")
    try:
        assert (await house.rebuild()).swapped
        may = f"SELECT has_table_privilege('{role}', '%s', 'SELECT')"
        assert [await house.fetchval(may % each) for each in ("statements", "batches")] == [False, True]
        with pytest.raises(CannotRebuild, match="by_hand"):
            await house.rebuild()
        assert await house.fetchval("SELECT count(*) FROM by_hand") > 0
    finally:
        async with session(house.dsn) as connection:
            await connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
    async with session(house.dsn) as connection:
        assert (await verify(connection)).entries == 1
        entry = await connection.fetchrow("SELECT actor, action, detail FROM audit")
    assert (entry["actor"], entry["action"]) == (f"database:{USER}", "rebuilt")
    assert set(json.loads(entry["detail"])["digests"]) >= {"statements", "expected_items"}


async def refused(house: House) -> tuple[str, ...]:
    """Why it is."""
    with pytest.raises(CannotRebuild) as cannot:
        await house.rebuild(check=True)
    return cannot.value.reasons


async def trim(bootstrap: str, topic: str, lane: int, before: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(topic, lane): RecordsToDelete(before)})
    finally:
        await admin.close()
