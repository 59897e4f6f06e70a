"""What the lanes are told of a bank's message."""

from dataclasses import replace
from itertools import chain

from goodfunds.events import types
from goodfunds.ids import NO_ID, reference
from goodfunds.rails import RAILS
from services.settlement.gateway.reports import (
    BatchStatus,
    KnownFile,
    Statuses,
    StatusGiven,
    TransactionStatus,
    Verdict,
)
from tests.unit.settlement.answers import BATCHES, NOSTRO, NOW, REPORTER, entry

NONE = StatusGiven("")
PAYMENT = b"P" * 16


def _file(deliveries: int = 1) -> KnownFile:
    return KnownFile(b"F" * 16, "sepa-credit", NOSTRO, deliveries, BATCHES)


def _verdict(
    group: StatusGiven,
    *transactions: TransactionStatus,
    batches: dict[str, StatusGiven] | None = None,
    file: KnownFile | None = None,
) -> Verdict:
    own = (BatchStatus(name, given) for name, given in (batches or {}).items())
    return REPORTER.statuses(Statuses("GF1", group, chain(own, transactions)), file, RAILS, NOW)


def _told(verdict: Verdict) -> list[tuple[int, object]]:
    return [(each.lane, types.decode(each.body)) for each in verdict.told]


def _status(given: StatusGiven, instruction_id: str = "", batch: str = "") -> TransactionStatus:
    return TransactionStatus(batch, instruction_id, "E2E", given)


def test_a_group_status_goes_to_every_batch_of_the_file_and_proves_that_the_bank_has_it() -> None:
    verdict = _verdict(StatusGiven("ACCP"), file=_file())
    assert [(lane, event.batch_id) for lane, event in _told(verdict)] == [(0, b"A" * 16), (1, b"B" * 16)]  # type: ignore[attr-defined]
    assert verdict.submitted == (b"F" * 16,)


def test_a_status_of_a_batch_stands_against_that_of_its_group() -> None:
    own = {reference(1, b"B" * 16): StatusGiven("RJCT", "AM04")}
    told = _told(_verdict(StatusGiven("PART"), batches=own, file=_file()))
    assert [event.status for _, event in told] == ["PART", "RJCT"]  # type: ignore[attr-defined]


def test_payments_are_told_before_their_batches_each_on_the_lane_of_its_reference() -> None:
    rejected = _status(StatusGiven("RJCT", "AC04"), reference(3, PAYMENT), reference(3, b"A" * 16))
    told = _told(_verdict(StatusGiven("PART"), rejected, file=_file()))
    assert [lane for lane, _ in told] == [3, 0, 1]
    assert told[0][1].payment_id == PAYMENT  # type: ignore[attr-defined]


def test_a_status_with_its_batch_alone_goes_to_the_batchs_lane_and_one_with_nothing_to_the_nostros() -> None:
    told = _told(
        _verdict(
            NONE,
            _status(StatusGiven("RJCT"), batch=reference(1, b"B" * 16)),
            _status(StatusGiven("RJCT")),
            _status(StatusGiven("RJCT"), reference(77, PAYMENT)),
            file=_file(),
        )
    )
    assert [(lane, event.payment_id, event.batch_id) for lane, event in told] == [  # type: ignore[attr-defined]
        (1, NO_ID, b"B" * 16),
        (2, NO_ID, NO_ID),
        (2, NO_ID, NO_ID),
    ]


def test_a_duplicate_of_bytes_sent_again_says_nothing_and_proves_nothing() -> None:
    verdict = _verdict(StatusGiven("RJCT", "AM05"), file=_file(deliveries=2))
    assert (_told(verdict), verdict.submitted) == ([], ())


def test_a_duplicate_of_bytes_sent_once_is_a_rejection() -> None:
    assert len(_told(_verdict(StatusGiven("RJCT", "AM05"), file=_file()))) == 2


def test_a_file_refused_for_its_time_refuses_its_batches_for_a_later_one() -> None:
    verdict = _verdict(StatusGiven("RJCT", "TM01", "late"), file=_file())
    assert [type(event) for _, event in _told(verdict)] == [types.BatchRefused] * 2
    assert verdict.refused == ((b"F" * 16, "TM01 late"),)


def test_that_bytes_sent_again_came_too_late_sends_no_payment_again_until_the_bank_was_asked() -> None:
    late = Statuses("GF1", StatusGiven("RJCT", "TM01"))
    file = _file(deliveries=2)
    verdict = REPORTER.statuses(late, file, RAILS, NOW)
    assert (_told(verdict), verdict.submitted, verdict.refused) == ([], (), ())
    asked = REPORTER.statuses(replace(late, asked=True), file, RAILS, NOW)
    assert [type(event) for _, event in _told(asked)] == [types.BatchRefused] * 2


def test_statuses_about_no_file_of_ours_are_told_by_their_own_references() -> None:
    told = _told(_verdict(StatusGiven("RJCT"), _status(StatusGiven("RJCT"), reference(3, PAYMENT))))
    assert [lane for lane, _ in told] == [3]


def test_entries_carry_payment_and_batch_and_equal_ones_without_reference_their_occurrence() -> None:
    named = entry(payment_id=NO_ID, instruction_id=reference(3, PAYMENT), notification_id="N")
    fee = entry(payment_id=NO_ID, instruction_id="", bank_reference="", notification_id="N")
    found = [(reference(1, b"B" * 16), named), ("", fee), ("", fee)]
    told = [(each.lane, types.decode(each.body)) for each in REPORTER.entries(found, NOW)]
    assert [lane for lane, _ in told] == [3, 2, 2]
    assert [event.notification_id for _, event in told] == ["N#0", "N#0", "N#1"]  # type: ignore[union-attr]
    assert (told[0][1].payment_id, told[0][1].batch_id) == (PAYMENT, b"B" * 16)  # type: ignore[union-attr]
