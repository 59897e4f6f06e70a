"""Settlement's rows that must never be: each one tried stops its lane, with the evidence."""

import pytest

from tests.integration.invariants.floor import assert_stopped_with_evidence, break_on

SERVICE = "settlement"


def _id(number: int) -> str:
    return f"'00000000-0000-7000-8000-{number:012d}'"


OPEN, SEALED, SENT, REFUSED = _id(1), _id(2), _id(3), _id(4)
HELD, SETTLED, REJECTED, SILENT = _id(11), _id(12), _id(13), _id(14)
CLAIMED_FILE, SENT_FILE, NEW_FILE, BEGUN_FILE = _id(21), _id(22), _id(23), _id(24)

_BATCH = (
    "INSERT INTO batches (batch_id, lane, rail, nostro, currency, requested_date, sequence, cut_off_at,"
    " opened_at"
)
_OF_BATCH = "0, 'sepa-credit', 'N', 'EUR', '2026-03-02'"
_SEAL = ", sealed_at, payments_count, amount_minor, first_offset, last_offset"
_FILE = (
    "INSERT INTO bank_files (rail, nostro, currency, requested_date, created_at, sha256, claimed_at, file_id,"
    " message_id, file_name, payments_count, amount_minor, submitted_at)"
    " VALUES ('r', 'N', 'EUR', '2026-03-02', now(), 'x', now()"
)
SEEDS = [
    f"{_BATCH}) VALUES ({OPEN}, {_OF_BATCH}, 1, now(), now())",
    f"{_BATCH}{_SEAL}) VALUES ({SEALED}, {_OF_BATCH}, 2, now(), now(), now(), 1, 100, 1, 1)",
    f"{_BATCH}{_SEAL}, submitted_at, message_id)"
    f" VALUES ({SENT}, {_OF_BATCH}, 3, now(), now(), now(), 2, 200, 2, 3, now(), 'M')",
    f"{_BATCH}{_SEAL}, refused_at, refusal)"
    f" VALUES ({REFUSED}, {_OF_BATCH}, 4, now(), now(), now(), 1, 100, 4, 4, now(), 'AM05')",
    *(
        f"INSERT INTO payments VALUES ({payment}, 0, {batch}, 100, 'A', '', {n}, {n}, now(), '', '')"
        for n, (payment, batch) in enumerate(
            [(HELD, OPEN), (SETTLED, SENT), (REJECTED, SENT), (SILENT, SEALED)], 1
        )
    ),
    f"INSERT INTO settlements VALUES ({SETTLED}, 0, 100, 'camt.054', '', '2026-03-02', now(), 1)",
    f"INSERT INTO rejections VALUES ({REJECTED}, 0, 100, 'AC04', '', now(), 2)",
    f"INSERT INTO contradictions VALUES (0, 3, {SETTLED}, 0, 'EUR', 'N', 'k', '', '', '', now())",
    f"{_FILE}, {CLAIMED_FILE}, 'M1', 'F1', 1, 100, NULL)",
    f"{_FILE}, {SENT_FILE}, 'M2', 'F2', 2, 200, now())",
    f"{_FILE}, {BEGUN_FILE}, 'M4', 'F4', 1, 100, NULL)",
    f"INSERT INTO attempts VALUES ({BEGUN_FILE}, 1, 'sending', now())",
    f"INSERT INTO bank_file_batches VALUES ({SENT}, {SENT_FILE}, 0)",
    f"INSERT INTO attempts VALUES ({CLAIMED_FILE}, 1, 'delivering', now(), now())",
    f"INSERT INTO attempts VALUES ({SENT_FILE}, 1, 'submitted', now(), now(), now())",
    "INSERT INTO balances VALUES (0, 'transit-out:sepa-credit', 'EUR', -100)",
]

BREAKS = {
    "more given back than was taken": (
        "transit_is_taken_first",
        "UPDATE balances SET balance_minor = balance_minor + 101 WHERE account LIKE 'transit-out:%'",
    ),
    "submitted unsealed": (
        "sealed_before_it_goes_out",
        f"UPDATE batches SET submitted_at = now(), message_id = 'M' WHERE batch_id = {OPEN}",
    ),
    "sealed without a sum": (
        "sealed_with_its_totals",
        f"UPDATE batches SET sealed_at = now(), payments_count = 1, first_offset = 1, last_offset = 1"
        f" WHERE batch_id = {OPEN}",
    ),
    "sealed with money and no payment": (
        "sealed_with_its_totals",
        f"UPDATE batches SET sealed_at = now(), payments_count = 0, amount_minor = 5 WHERE batch_id = {OPEN}",
    ),
    "submitted under no name": (
        "submitted_under_a_message_id",
        f"UPDATE batches SET submitted_at = now() WHERE batch_id = {SEALED}",
    ),
    "refused for nothing": (
        "refused_for_a_reason",
        f"UPDATE batches SET refused_at = now() WHERE batch_id = {SEALED}",
    ),
    "a batch before the first": (
        "counts_from_one",
        f"{_BATCH}) VALUES ({_id(5)}, {_OF_BATCH}, 0, now(), now())",
    ),
    "sealed twice": (
        "states_go_on",
        f"UPDATE batches SET payments_count = 2, amount_minor = 200 WHERE batch_id = {SEALED}",
    ),
    "unsealed": (
        "states_go_on",
        "UPDATE batches SET sealed_at = NULL, payments_count = NULL, amount_minor = NULL,"
        f" first_offset = NULL, last_offset = NULL WHERE batch_id = {SEALED}",
    ),
    "submitted after its refusal": (
        "states_go_on",
        f"UPDATE batches SET submitted_at = now(), message_id = 'M' WHERE batch_id = {REFUSED}",
    ),
    "less open than nothing": (
        "open_sums_fit_their_counts",
        f"UPDATE batches SET open_payments = -1, open_minor = -100 WHERE batch_id = {OPEN}",
    ),
    "open payments that come to nothing": (
        "open_sums_fit_their_counts",
        f"UPDATE batches SET open_payments = 1 WHERE batch_id = {OPEN}",
    ),
    "more open than was sealed": (
        "open_are_of_the_sealed",
        f"UPDATE batches SET open_payments = 2, open_minor = 100 WHERE batch_id = {SEALED}",
    ),
    "more money open than was sealed": (
        "open_are_of_the_sealed",
        f"UPDATE batches SET open_payments = 1, open_minor = 101 WHERE batch_id = {SEALED}",
    ),
    "a refused batch with something open": (
        "none_open_once_refused",
        f"UPDATE batches SET open_payments = 1, open_minor = 100 WHERE batch_id = {REFUSED}",
    ),
    "another lane's": ("states_go_on", f"UPDATE batches SET lane = 1 WHERE batch_id = {OPEN}"),
    "a payment into a sealed batch": (
        "joins_an_open_batch",
        f"INSERT INTO payments VALUES ({_id(15)}, 0, {SEALED}, 1, 'A', '', 9, 9, now(), '', '')",
    ),
    "a payment into no batch": (
        "joins_an_open_batch",
        f"INSERT INTO payments VALUES ({_id(15)}, 0, {_id(99)}, 1, 'A', '', 9, 9, now(), '', '')",
    ),
    "moved into a sealed batch": (
        "joins_an_open_batch",
        f"INSERT INTO batch_memberships VALUES ({HELD}, 1, 0, {SEALED}, {OPEN}, now(), 1)",
    ),
    "taken out of a sealed batch": (
        "leaves_an_open_batch",
        f"INSERT INTO batch_withdrawals VALUES ({SEALED}, {SILENT}, 0, now())",
    ),
    "a member that is no payment": (
        "of_a_payment",
        f"INSERT INTO batch_memberships VALUES ({_id(98)}, 1, 0, {OPEN}, {SEALED}, now(), 1)",
    ),
    "a member at no place": (
        "places_count_up",
        f"INSERT INTO batch_memberships VALUES ({SILENT}, 0, 0, {OPEN}, {SEALED}, now(), 1)",
    ),
    "moved to where it is": (
        "into_another_batch",
        f"INSERT INTO batch_memberships VALUES ({HELD}, 1, 0, {OPEN}, {OPEN}, now(), 1)",
    ),
    "a payment accepted twice": (
        "payments_pkey",
        f"INSERT INTO payments VALUES ({HELD}, 0, {OPEN}, 1, 'A', '', 9, 9, now(), '', '')",
    ),
    "a payment of nothing": (
        "payments_amount_minor_check",
        f"INSERT INTO payments VALUES ({_id(15)}, 0, {OPEN}, 0, 'A', '', 9, 9, now(), '', '')",
    ),
    "a payment without its number": (
        "numbered",
        f"INSERT INTO payments VALUES ({_id(15)}, 0, {OPEN}, 1, 'A', '', 0, 9, now(), '', '')",
    ),
    "a payment changed": ("for_ever", f"UPDATE payments SET amount_minor = 1 WHERE payment_id = {HELD}"),
    "settled twice": (
        "settlements_pkey",
        f"INSERT INTO settlements VALUES ({SETTLED}, 0, 100, 'camt.053', '', '2026-03-02', now(), 4)",
    ),
    "settled after its rejection": (
        "one_outcome",
        f"INSERT INTO settlements VALUES ({REJECTED}, 0, 100, 'camt.054', '', '2026-03-02', now(), 4)",
    ),
    "rejected after its settlement": (
        "one_outcome",
        f"INSERT INTO rejections VALUES ({SETTLED}, 0, 100, 'AC04', '', now(), 4)",
    ),
    "settled for nothing": (
        "settles_an_amount",
        f"INSERT INTO settlements VALUES ({SILENT}, 0, 0, 'camt.054', '', '2026-03-02', now(), 4)",
    ),
    "rejected for nothing": (
        "rejects_an_amount",
        f"INSERT INTO rejections VALUES ({SILENT}, 0, 0, 'AC04', '', now(), 4)",
    ),
    "returned before its settlement": (
        "after_its_settlement",
        f"INSERT INTO returns VALUES ({SILENT}, 0, 100, 0, 'camt.054', '', '2026-03-02', '', '', now(), 4)",
    ),
    "returned less than nothing": (
        "returns_an_amount",
        f"INSERT INTO returns VALUES ({SETTLED}, 0, 9, 9, 'camt.054', '', '2026-03-02', '', '', now(), 4)",
    ),
    "an outcome taken back": ("for_ever", f"DELETE FROM settlements WHERE payment_id = {SETTLED}"),
    "a rejection taken back": ("for_ever", "DELETE FROM rejections"),
    "a return changed": ("for_ever", "UPDATE returns SET charges_minor = 1"),
    "a contradiction taken back": ("for_ever", "DELETE FROM contradictions"),
    "a file of nothing": (
        "carries_payments",
        f"{_FILE}, {NEW_FILE}, 'M3', 'F3', 0, 0, NULL)",
    ),
    "an attempt at no file": (
        "attempts_file_id_fkey",
        f"INSERT INTO attempts VALUES ({_id(97)}, 1, 'sending', now())",
    ),
    "half of a found file": (
        "found_whole",
        "INSERT INTO found_files (message_id, file_name, sha256) VALUES ('M9', 'F9', 'x')",
    ),
    "a file adopted that nobody found": (
        "adopted_once_found",
        "INSERT INTO found_files (message_id, file_name, adopted_at) VALUES ('M9', 'F9', now())",
    ),
    "a batch in no file": (
        "bank_file_batches_file_id_fkey",
        f"INSERT INTO bank_file_batches VALUES ({SEALED}, {_id(97)}, 0)",
    ),
    "sealed without a count": (
        "batches_check",
        f"UPDATE batches SET sealed_at = now() WHERE batch_id = {OPEN}",
    ),
    "a file under the name of another": (
        "bank_files_message_id_key",
        f"{_FILE}, {NEW_FILE}, 'M1', 'F3', 1, 1, NULL)",
    ),
    "other bytes under the same name": (
        "same_bytes_for_ever",
        f"UPDATE bank_files SET sha256 = 'y' WHERE file_id = {CLAIMED_FILE}",
    ),
    "submitted undone": (
        "same_bytes_for_ever",
        f"UPDATE bank_files SET submitted_at = NULL WHERE file_id = {SENT_FILE}",
    ),
    "an open batch in a file": (
        "carries_sealed_batches",
        f"INSERT INTO bank_file_batches VALUES ({OPEN}, {CLAIMED_FILE}, 0)",
    ),
    "a batch in two files": (
        "bank_file_batches_pkey",
        f"INSERT INTO bank_file_batches VALUES ({SENT}, {CLAIMED_FILE}, 0)",
    ),
    "a batch moved to another file": (
        "in_one_file_for_ever",
        f"UPDATE bank_file_batches SET file_id = {CLAIMED_FILE} WHERE batch_id = {SENT}",
    ),
    "delivering without its mark": (
        "delivers_after_its_mark",
        f"UPDATE attempts SET state = 'delivering' WHERE file_id = {BEGUN_FILE}",
    ),
    "a mark taken back": (
        "states_go_on",
        f"UPDATE attempts SET state = 'not_sent', delivering_at = NULL WHERE file_id = {CLAIMED_FILE}",
    ),
    "an attempt that is no longer submitted": (
        "states_go_on",
        f"UPDATE attempts SET state = 'not_sent' WHERE file_id = {SENT_FILE}",
    ),
    "two attempts at once": (
        "one_at_a_time",
        f"INSERT INTO attempts VALUES ({CLAIMED_FILE}, 2, 'sending', now())",
    ),
    "an attempt after the end": (
        "one_at_a_time",
        f"INSERT INTO attempts VALUES ({SENT_FILE}, 2, 'sending', now())",
    ),
}


@pytest.mark.parametrize(("constraint", "statement"), BREAKS.values(), ids=BREAKS)
async def test_a_row_that_must_never_be_stops_its_lane_and_is_rolled_back(
    floor: str, constraint: str, statement: str
) -> None:
    assert_stopped_with_evidence(await break_on(floor, statement), constraint)
