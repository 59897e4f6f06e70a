"""Records as hypothesis makes them: every optional field, hostile characters, names of every length."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from goodfunds.files.records import (
    Address,
    BankFile,
    BankFileBatch,
    BankFilePayment,
    GroupStatus,
    PaymentInformationStatus,
    StatusReport,
    TransactionStatus,
)
from goodfunds.files.reports import AccountReport, Balance, Entry, EntryBatch, EntryTransaction, Statement

_HOSTILE = (
    "]]>",
    "<!--",
    "<![CDATA[",
    "&amp;",
    "&#0;",
    "<Amt Ccy='EUR'>1</Amt>",
    "</Nm>",
    "'\"",
    "\u202e",
    "😀",
)
_CHARACTERS = st.characters(
    exclude_categories=["Cs"],
    exclude_characters=[*map(chr, range(9)), *map(chr, (11, 12, *range(14, 32))), "\ufffe", "\uffff"],
)
"""What XML 1.0 can hold, white space and control characters of the second block included."""

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD", "CLF"])
AMOUNTS = st.integers(1, 10**12)
"""Minor units, so small that a few of them keep within the 18 digits of a control sum."""

DATES = st.dates(date(1970, 1, 1), date(2199, 12, 31))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(microsecond=0, tzinfo=UTC)
)
IBANS = st.from_regex(r"[A-Z]{2}[0-9]{2}[a-zA-Z0-9]{1,30}", fullmatch=True)
BICS = st.from_regex(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", fullmatch=True)
UETRS = st.uuids(version=4).map(str)


def text(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """Text as XML holds it, of `least` to `most` characters."""
    return st.one_of(
        st.text(_CHARACTERS, min_size=least, max_size=most),
        st.sampled_from([each[:most] for each in _HOSTILE]),
        st.just("W" * most),
    )


def tidy(most: int, least: int = 0) -> st.SearchStrategy[str]:
    """Text without white space around it, which lenient readers take away."""
    return text(most, least).map(str.strip).filter(lambda found: len(found) >= least)


def line(most: int) -> st.SearchStrategy[str]:
    """Words one space apart and shorter than any line, as text that is broken into lines comes back."""
    return st.lists(text(30, 1).map(lambda found: "".join(found.split())), max_size=most // 31).map(
        lambda words: " ".join(word for word in words if word)
    )


ADDRESSES = st.builds(
    Address,
    street=text(70),
    building=text(16),
    postcode=text(16),
    town=text(35),
    country=st.sampled_from(["", "DE", "ZZ"]),
    lines=st.lists(text(70, 1), max_size=7).map(tuple),
)

PAYMENTS = st.builds(
    BankFilePayment,
    instruction_id=text(35, 1),
    end_to_end_id=text(35),
    amount_minor=AMOUNTS,
    creditor_name=text(140),
    creditor_account=st.one_of(IBANS, text(34, 1)),
    creditor_agent=st.one_of(st.just(""), BICS),
    creditor_address=ADDRESSES,
    ultimate_debtor_name=text(140),
    remittance_unstructured=text(140),
    remittance_reference=text(35),
    uetr=st.one_of(st.just(""), UETRS),
)

BANK_FILES = st.builds(
    BankFile,
    message_id=text(35, 1),
    created_at=MOMENTS,
    initiating_party=text(140, 1),
    batches=st.lists(
        st.builds(
            BankFileBatch,
            payment_information_id=text(35, 1),
            requested_execution_date=DATES,
            debtor_name=text(140, 1),
            debtor_account=st.one_of(IBANS, text(34, 1)),
            debtor_agent=st.one_of(st.just(""), BICS),
            currency=CURRENCIES,
            payments=st.lists(PAYMENTS, min_size=1, max_size=3),
            service_level=st.sampled_from(["SEPA", "URGP", ""]),
            charge_bearer=st.sampled_from(["SLEV", "SHAR", ""]),
            batch_booking=st.sampled_from([None, True, False]),
        ),
        min_size=1,
        max_size=3,
    ),
)

_STATUSES = st.sampled_from(["", "ACTC", "ACCP", "ACSP", "ACSC", "RJCT", "PDNG", "PART"])
_ACCEPTED = st.sampled_from(["", "ACTC", "ACCP", "RJCT"])
_REASONS = st.one_of(st.sampled_from(["", "AC04", "AM05", "DU01"]), tidy(35))

STATUS_REPORTS = st.builds(
    StatusReport,
    group=st.builds(
        GroupStatus,
        message_id=tidy(35, 1),
        created_at=MOMENTS.map(lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ")),
        original_message_id=tidy(35, 1),
        original_message_name=st.just("pain.001.001.09"),
        status=_STATUSES,
        reason_code=_REASONS,
        reason=line(250),
        original_created_at=st.just("2026-03-02T08:00:00Z"),
        original_number_of_transactions=st.one_of(st.none(), st.integers(0, 10**15 - 1)),
        original_control_sum=st.one_of(st.none(), st.decimals(0, Decimal(10**15), places=2)),
        initiating_party=tidy(140),
        agent=st.one_of(st.just(""), BICS),
    ),
    payment_informations=st.lists(
        st.builds(
            PaymentInformationStatus,
            payment_information_id=st.sampled_from(["P1", "P2", "P3"]),
            status=_ACCEPTED,
            reason_code=_REASONS,
            reason=line(250),
        ),
        unique_by=lambda each: each.payment_information_id,
        max_size=3,
    ),
    transactions=st.lists(
        st.builds(
            TransactionStatus,
            payment_information_id=st.sampled_from(["P1", "P2", "P4", "P5"]),
            instruction_id=tidy(35),
            end_to_end_id=tidy(35),
            status=_STATUSES,
            reason_code=_REASONS,
            reason=line(250),
            uetr=st.one_of(st.just(""), UETRS),
            bank_reference=tidy(35),
        ),
        max_size=4,
    ),
)

_DIRECTIONS = st.sampled_from(["CRDT", "DBIT"])


@st.composite
def entry_transactions(draw: st.DrawFn, currency: str) -> EntryTransaction:
    """TxDtls; with reasons of a return only where it is one, and a currency only beside an amount."""
    amount, returned = draw(st.one_of(st.none(), AMOUNTS)), draw(st.booleans())
    return EntryTransaction(
        end_to_end_id=draw(tidy(35)),
        instruction_id=draw(tidy(35)),
        payment_information_id=draw(tidy(35, 1)),
        message_id=draw(tidy(35, 1)),
        bank_reference=draw(tidy(35)),
        transaction_id=draw(tidy(35)),
        uetr=draw(st.one_of(st.just(""), UETRS)),
        amount_minor=amount,
        currency="" if amount is None else currency,
        charges_minor=0 if amount is None else draw(st.integers(0, 500)),
        credit_debit=draw(st.one_of(st.just(""), _DIRECTIONS)),
        is_return=returned,
        return_code=draw(_REASONS) if returned else "",
        return_reason=draw(line(250)) if returned else "",
        debtor_name=draw(tidy(140)),
        debtor_account=draw(st.one_of(IBANS, tidy(34))),
        creditor_name=draw(tidy(140)),
        creditor_account=draw(st.one_of(IBANS, tidy(34))),
        remittance_unstructured=draw(line(300)),
        remittance_reference=draw(tidy(35)),
        information=draw(tidy(500)),
    )


@st.composite
def entries(draw: st.DrawFn, number: int) -> Entry:
    """Ntry, with a batch or without, with details or without."""
    currency = draw(CURRENCIES)
    batch_amount = draw(st.one_of(st.none(), AMOUNTS))
    batch = EntryBatch(
        message_id=draw(tidy(35)),
        payment_information_id=draw(tidy(35, 1)),
        number_of_transactions=draw(st.one_of(st.none(), st.integers(0, 10**15 - 1))),
        amount_minor=batch_amount,
        currency="" if batch_amount is None else currency,
    )
    return Entry(
        number=number,
        amount_minor=draw(AMOUNTS),
        currency=currency,
        credit_debit=draw(_DIRECTIONS),
        status=draw(st.sampled_from(["BOOK", "PDNG", "INFO", "the bank's own"])),
        reversal=draw(st.booleans()),
        charges_minor=draw(st.integers(0, 500)),
        booking_date=draw(st.one_of(st.none(), DATES)),
        value_date=draw(st.one_of(st.none(), DATES)),
        entry_reference=draw(tidy(35)),
        bank_reference=draw(tidy(35)),
        bank_transaction_code=draw(st.one_of(st.sampled_from(["", "PMNT/ICDT/ESCT", "NTRF/a"]), tidy(35))),
        batches=(batch,) if draw(st.booleans()) else (),
        transactions=tuple(draw(st.lists(entry_transactions(currency), max_size=3))),
        information=draw(tidy(500)),
    )


_KINDS = st.sampled_from(["OPBD", "PRCD", "CLBD", "CLAV", "FWAV", "the bank's own"])
_BALANCES = st.lists(
    st.builds(Balance, _KINDS, st.integers(-(10**17), 10**17), CURRENCIES, DATES), min_size=1, max_size=4
).map(tuple)


@st.composite
def account_reports(draw: st.DrawFn, balances: bool) -> AccountReport:
    """A camt.053 (with balances) or a camt.054 (without)."""
    message_id, created = draw(tidy(35, 1)), draw(MOMENTS)
    statements = []
    for number in range(1, draw(st.integers(1, 2)) + 1):
        spans = draw(st.booleans())
        statement = Statement(
            number=number,
            message_id=message_id,
            statement_id=draw(tidy(35, 1)),
            created_at=created.strftime("%Y-%m-%dT%H:%M:%SZ"),
            account=draw(st.one_of(IBANS, tidy(34, 1))),
            currency=draw(CURRENCIES),
            sequence=draw(st.sampled_from(["", "0", "123456789012345678"])),
            legal_sequence=draw(st.sampled_from(["", "7"])),
            from_date=draw(DATES) if spans else None,
            to_date=draw(DATES) if spans else None,
            account_owner=draw(tidy(140)),
            account_servicer=draw(st.one_of(st.just(""), BICS)),
            balances=draw(_BALANCES) if balances else (),
        )
        made = [draw(entries(place)) for place in range(1, draw(st.integers(0, 3)) + 1)]
        statements.append((statement, made))
    return AccountReport(message_id, created, statements, draw(tidy(140)))
