"""A payment file's pain.002: each payment with its status, and together what ISO 20022 calls that."""

import io
from datetime import UTC, date, datetime

import pytest

from goodfunds.files import pain002
from goodfunds.files.inspecting import inspect
from goodfunds.files.records import GroupStatus, PaymentInformationStatus, TransactionStatus
from goodfunds.local.demo_file import demo_file
from services.ingestion.status_report import Fate, report

FILE = demo_file(6, 2, date(2026, 3, 3))
NOW = datetime(2026, 3, 3, 8, 0, tzinfo=UTC)
KEYS = [f"DEMO-1-6/{batch}/{number}" for batch in (1, 2) for number in (1, 2, 3)]
YES, NO = Fate(False), Fate(True, "AM04", "the account does not hold the amount")


def statuses(fates: dict[str, Fate]) -> tuple[str, list[str], list[tuple[str, str, str]]]:
    content = report(FILE, fates, "GF1", NOW)
    found = list(pain002.read(io.BytesIO(content)))
    groups = [each for each in found if isinstance(each, GroupStatus)]
    batches = [each.status for each in found if isinstance(each, PaymentInformationStatus)]
    single = [
        (each.status, each.reason_code, each.reason) for each in found if isinstance(each, TransactionStatus)
    ]
    assert [each.original_message_id for each in groups] == ["DEMO-1-6"]
    return groups[0].status, batches, single


@pytest.mark.parametrize(
    ("fates", "group", "batches"),
    [
        ({}, "RCVD", ["RCVD", "RCVD"]),
        (dict.fromkeys(KEYS, YES), "ACCP", ["ACCP", "ACCP"]),
        (dict.fromkeys(KEYS, NO), "RJCT", ["RJCT", "RJCT"]),
        ({**dict.fromkeys(KEYS, YES), KEYS[0]: NO}, "PART", ["PART", "ACCP"]),
        ({KEYS[0]: YES}, "PDNG", ["PDNG", "RCVD"]),
        ({**dict.fromkeys(KEYS[:3], NO), **dict.fromkeys(KEYS[3:], YES)}, "PART", ["RJCT", "ACCP"]),
        ({"DEMO-1-6/1/1/1": NO, "DEMO-1-6/9/9": NO}, "RCVD", ["RCVD", "RCVD"]),
    ],
)
def test_a_group_has_the_status_of_what_is_in_it(
    fates: dict[str, Fate], group: str, batches: list[str]
) -> None:
    assert statuses(fates)[:2] == (group, batches)


def test_each_payment_has_its_own_status_and_a_rejected_one_its_reason() -> None:
    _, _, single = statuses({KEYS[0]: YES, KEYS[4]: NO})
    assert single == [
        ("ACCP", "", ""), ("PDNG", "", ""), ("PDNG", "", ""),
        ("PDNG", "", ""), ("RJCT", "AM04", "the account does not hold the amount"), ("PDNG", "", ""),
    ]  # fmt: skip


def test_the_report_keeps_to_the_standard() -> None:
    for fates in ({}, {KEYS[0]: YES, KEYS[4]: NO}):
        found = inspect(io.BytesIO(report(FILE, fates, "GF1", NOW)))
        assert (found.format, found.valid, found.errors) == ("pain.002.001.10", True, ())
