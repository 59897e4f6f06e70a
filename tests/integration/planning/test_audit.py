"""The audit: what it keeps of a plan's life, what it does not, and how tampering with it is found."""

import json
from hashlib import sha256

import asyncpg
import pytest

from goodfunds.audit.chain import append, verify
from goodfunds.postgres import connect
from tests.integration.planning.office import Office
from tests.integration.planning.test_steps import filled
from tests.integration.tampering import unguarded


async def test_the_audit_has_a_digest_of_what_was_given_up_as_it_was_approved(office: Office) -> None:
    office.handler.faulty = {("account-1", 8): ValueError("a bug")}
    await filled(office)
    rows = await office.pool.fetch(
        'SELECT topic, source_partition AS partition, source_offset AS "offset" FROM parked'
    )
    digests = []
    for place in map(dict, rows):
        plan = await office.ask(kind="discard", parked={"places": [place]}, reason="settled by hand")
        await office.step(plan, "approve", office.bob)
        await office.step(plan, "run")
        async with office.at_work():
            done = await office.until(plan, "done")
        assert done["outcome_digest"] == plan["forecast_digest"]
        entries = (await office.get("/v1/audit", plan_id=plan["plan_id"]))["items"]
        told = {each["action"]: each["detail"] for each in entries}
        assert told["approved"]["forecast"] == told["planned"]["forecast"] == told["done"]["digest"]
        digests.append(told["done"]["digest"])
    assert len(set(digests)) == len(rows) == 2


async def test_no_account_stands_whole_in_the_audit_nor_what_postgres_tells_of_a_row(office: Office) -> None:
    iban, told = (
        "DE89370400440532013000",
        "CheckViolationError: no\nDETAIL:  Failing row contains (Ada Almeida).",
    )
    await filled(office)
    plan = await office.rehearsed(keys=["account-1", iban], reason=f"TICKET-7: {iban}")
    async with office.pool.acquire() as connection, connection.transaction():
        await append(connection, office.clock.at, "ada", "failed", None, {"fault": told, "lanes": [3]})
    failed, _, planned = (await office.get("/v1/audit"))["items"]
    assert failed["detail"] == {"fault": "CheckViolationError: no", "lanes": [3]}
    assert planned["detail"]["selection"] == {"keys": ["…nt-1", "DE…3000"]}
    assert planned["detail"]["reason"] == "TICKET-7: DE…3000"
    asked = json.dumps(plan["selection"], sort_keys=True).encode()
    assert plan["selection"] == {"keys": ["account-1", iban]}
    assert planned["detail"]["selection_digest"] == sha256(asked).hexdigest()
    assert (await office.get("/v1/audit/verification"))["verified"] is True


async def test_tampering_with_the_audit_is_refused_and_done_past_the_triggers_is_found(
    office: Office,
) -> None:
    connection = await connect(office.scene.dsn)
    try:
        for number in range(5):
            async with connection.transaction():
                await append(connection, office.clock.at, "ada", "planned", None, {"number": number})
        good = await verify(connection)
        assert (good.entries, good.broken) == (5, None)
        await connection.execute("CREATE TEMPORARY TABLE as_written AS TABLE audit")
        for forbidden in ("UPDATE audit SET actor = 'bob'", "DELETE FROM audit", "TRUNCATE audit"):
            with pytest.raises(asyncpg.IntegrityConstraintViolationError):
                await connection.execute(forbidden)
        for tampering, broken in (
            ("UPDATE audit SET detail = '{\"number\": 7}' WHERE audit_seq = 3", 3),
            ("UPDATE audit SET detail = jsonb_build_object('number', 10::numeric ^ 5000) "
             "WHERE audit_seq = 3", 3),
            ("UPDATE audit SET at = '0044-03-15 BC' WHERE audit_seq = 3", 1),
            ("UPDATE audit SET at = 'infinity' WHERE audit_seq = 3", 3),
            ("DELETE FROM audit WHERE audit_seq = 2", 2),
            ("DELETE FROM audit WHERE audit_seq >= 4", 4),
            ("INSERT INTO audit SELECT 6, at, actor, action, plan_id, detail, hash, hash FROM audit "
             "WHERE audit_seq = 5", 6),
        ):  # fmt: skip
            async with unguarded(connection):
                await connection.execute(tampering)
                assert (await verify(connection)).broken == broken
                await connection.execute("DELETE FROM audit; INSERT INTO audit TABLE as_written")
        assert await verify(connection) == good
    finally:
        await connection.close()


async def test_entries_of_transactions_at_once_stand_in_line_and_one_undone_leaves_no_hole(
    office: Office,
) -> None:
    first, second = await connect(office.scene.dsn), await connect(office.scene.dsn)
    try:
        undone = first.transaction()
        await undone.start()
        await append(first, office.clock.at, "ada", "planned", None, {})
        await second.execute("SET lock_timeout = '100ms'")
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with second.transaction():
                await append(second, office.clock.at, "bob", "planned", None, {})
        await undone.rollback()
        async with second.transaction():
            assert await append(second, office.clock.at, "bob", "planned", None, {}) == 1
        assert (await verify(second)).entries == 1
    finally:
        await first.close()
        await second.close()
