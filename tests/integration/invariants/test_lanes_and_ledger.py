"""What must always hold of a lane's own row, its outbox and its ledger, broken on purpose."""

from typing import Any

import asyncpg
import pytest

from goodfunds.ids import derived_id
from goodfunds.lanes import frame as of_frame
from goodfunds.lanes import transact as of_transact
from goodfunds.lanes.records import Connection
from goodfunds.ledger import posting as ledger
from goodfunds.ledger import store as of_ledger
from goodfunds.ledger.store import write_postings
from goodfunds.postgres import connect
from tests.integration.invariants.floor import NOW, assert_stopped_with_evidence, break_on

SERVICE = "ingestion"
OLD, NEW = derived_id(0, b"old"), derived_id(0, b"new")
SEEDS = [
    "INSERT INTO balances VALUES (0, 'a', 'EUR', 500)",
    f"INSERT INTO postings VALUES (0, '{OLD.hex()}', 'funding:x', 'a', 500, 'EUR', 'funded', now())",
]
_LANE = "UPDATE lanes SET "
BREAKS = {
    "the offset goes back": ("never_back", _LANE + "offsets = '{\"in\": 3}'"),
    "a topic is forgotten": ("never_back", _LANE + "offsets = '{}'"),
    "a watermark goes back": ("never_back", _LANE + "watermarks = '{\"in|other|0\": 4}'"),
    "a producer is forgotten": ("never_back", _LANE + "watermarks = '{}'"),
    "a next life begins below the last": ("never_back", _LANE + "watermarks = '{\"in|other.2|0\": 4}'"),
    "a producer takes the place of another": ("never_back", _LANE + "watermarks = '{\"in|another|0\": 9}'"),
    "a number is given again": ("never_back", _LANE + "destinations = '{\"out/0\": 3}'"),
    "the outbox goes back": ("never_back", _LANE + "outbox_seq = 2, published_seq = 2"),
    "what was published goes back": ("never_back", _LANE + "published_seq = 2"),
    "the epoch goes back": ("never_back", _LANE + "epoch = epoch - 1"),
    "the version goes back": ("never_back", _LANE + "version = version - 1"),
    "published beyond what there is": ("lanes_check", _LANE + "published_seq = 9"),
    "another number of partitions": ("partitions_for_life", "UPDATE cluster SET partitions = 3"),
    "a row of no events": (
        "outbox_events_check",
        "INSERT INTO outbox VALUES (0, 9, now(), '{}', 0, '')",
    ),
    "a posting changed": ("append_only", "UPDATE postings SET amount_minor = 1"),
    "a posting taken away": ("append_only", "DELETE FROM postings"),
    "a posting from nowhere": (
        "postings_name_accounts",
        f"INSERT INTO postings VALUES (0, '{NEW.hex()}', '', 'a', 1, 'EUR', 'funded', now())",
    ),
    "a posting of nothing": (
        "postings_amount_minor_check",
        f"INSERT INTO postings VALUES (0, '{NEW.hex()}', 'a', 'b', 0, 'EUR', 'funded', now())",
    ),
    "a posting to itself": (
        "postings_check",
        f"INSERT INTO postings VALUES (0, '{NEW.hex()}', 'a', 'a', 1, 'EUR', 'funded', now())",
    ),
    "a token's secret in the place of its hash": (
        "stored_as_a_hash",
        f"INSERT INTO access_tokens VALUES ('{NEW.hex()}', 'gf_secret', 'a', '{{}}', '', now(), now())",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("constraint", "statement"), BREAKS.values(), ids=BREAKS)
async def test_a_row_that_must_never_be_stops_its_lane_and_is_rolled_back(
    floor: str, constraint: str, statement: str
) -> None:
    assert_stopped_with_evidence(await break_on(floor, statement), constraint)


async def test_a_producers_next_life_takes_the_place_of_its_last(floor: str) -> None:
    """Its database came back from a backup, and numbers on."""
    connection = await connect(floor)
    try:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(_LANE + "watermarks = '{\"in|other.2|0\": 6}' WHERE lane = 0")
        await transaction.rollback()
    finally:
        await connection.close()


async def test_an_entry_posted_twice_stops_its_lane_with_what_postgres_said(floor: str) -> None:
    async def twice(connection: Connection) -> None:
        await write_postings(connection, {0: [ledger.funded(OLD, "x", "a", 1, "EUR")]}, NOW)

    outcome = await break_on(floor, twice)
    assert_stopped_with_evidence(outcome, "postings_pkey", "posted twice")
    said = outcome.stops[0]["database_fault"]
    assert said["table"] == "postings"
    assert "COPY postings" in said["context"]
    assert OLD.hex() in said["detail"].replace("-", "")


async def test_a_balance_that_does_not_move_by_its_postings_stops_its_lane(floor: str) -> None:
    connection = await connect(floor)
    await connection.execute(
        "CREATE FUNCTION one_more() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.balance_minor := NEW.balance_minor + 1; RETURN NEW; END $$;"
        "CREATE TRIGGER one_more BEFORE UPDATE ON balances FOR EACH ROW EXECUTE FUNCTION one_more()"
    )
    try:
        await _posted(floor, "did not move by what their postings say")
    finally:
        await connection.execute("DROP TRIGGER one_more ON balances")
        await connection.close()


async def test_a_sign_that_is_turned_stops_its_lane(floor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Turned in both accounts of a posting, every sum is still nothing."""
    movements = ledger.movements

    def turned(postings: Any) -> Any:
        return {key: -minor for key, minor in movements(postings).items()}

    monkeypatch.setattr(of_ledger, "movements", turned)
    await _posted(floor, "which is not what its postings say")


async def _posted(floor: str, says: str) -> None:
    async def post(connection: Connection) -> None:
        await write_postings(connection, {0: [ledger.funded(NEW, "x", "a", 1, "EUR")]}, NOW)

    assert_stopped_with_evidence(await break_on(floor, post), None, says)


@pytest.mark.parametrize(
    "change", ["outbox_seq = 7", "destinations = '{\"out/0\": 6}'"], ids=["outbox", "numbers"]
)
async def test_numbers_that_are_not_as_their_owner_remembers_stop_its_lane(floor: str, change: str) -> None:
    outcome = await break_on(floor, f"UPDATE lanes SET {change} WHERE lane = 0")
    assert_stopped_with_evidence(outcome, None, "numbering goes on")


async def test_a_number_that_is_left_out_stops_its_lane(floor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    number = of_frame.number

    def skipping(emissions: Any, next_seq: Any) -> Any:
        emissions = list(emissions)
        if emissions[0].partition == 0:
            next_seq["out", 0] += 1
        return number(emissions, next_seq)

    monkeypatch.setattr(of_transact, "number", skipping)
    outcome = await break_on(floor, "SELECT 1")
    assert_stopped_with_evidence(outcome, None, "1 events took 2 numbers")


@pytest.mark.parametrize(
    "statement",
    ["SELECT 'x'::integer", "SELECT 1 / 0", "SELECT repeat('x', 10)::varchar(5)::integer"],
)
async def test_what_an_event_says_is_its_own_fault_and_is_parked(floor: str, statement: str) -> None:
    """Postgres' class 22 is about values, class 23 about what the tables may hold."""
    outcome = await break_on(floor, statement)
    assert (outcome.stopped, outcome.stops, outcome.parked) == ({}, [], 1)


async def test_the_evidence_is_written_whatever_a_record_holds(floor: str) -> None:
    async def broken(connection: Connection) -> None:
        raise AssertionError("half of a pair: \ud800, and \0")

    for value in (None, b"", b"\0\xff" * 5_000):
        outcome = await break_on(floor, broken, value)
        assert_stopped_with_evidence(outcome, None, "\\x00")
        (record,) = outcome.stops[0]["records"]
        assert record["size"] == len(value or b"")
        assert record["value"] == (None if value is None else value[:2000].hex())


async def test_the_evidence_outlives_the_lane_being_set_free(floor: str) -> None:
    connection = await connect(floor)
    try:
        await connection.execute("UPDATE lanes SET stopped_reason = NULL WHERE lane = 0")
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("UPDATE lanes SET version = -1, incarnation = 'other' WHERE lane = 0")
    finally:
        await connection.close()
