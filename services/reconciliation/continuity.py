"""Statement continuity of an account: opening = last closing, the lines make the difference, numbers follow.

Decided in the account's own lane over the chain of its statements by day, whatever order they came in.
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime

from goodfunds.ids import NO_ID, derived_id
from services.reconciliation.model import Break, Statement


def place_in_chain(statement: Statement) -> tuple[date, date, int, str]:
    """Where a statement stands among those of its account: by its days, then by its number."""
    number = statement.statement_number
    return (
        statement.to_date,
        statement.from_date,
        int(number) if _is_number(number) else 0,
        statement.bank_statement_id,
    )


def corrected(statement: Statement, known: Sequence[Statement]) -> Statement | None:
    """The earlier statement of the same year and number (or bank's id) with other content, if any."""
    for other in known:
        same_account = (other.nostro, other.currency) == (statement.nostro, statement.currency)
        if same_account and other.corrects is None and other.statement_id != statement.statement_id:
            same_id = bool(statement.bank_statement_id) and (
                other.bank_statement_id == statement.bank_statement_id
            )
            same_number = bool(statement.statement_number) and (
                other.statement_number == statement.statement_number
                and other.to_date.year == statement.to_date.year
            )
            if same_id or same_number:
                return other
    return None


def chain_breaks(
    chain: Sequence[Statement], judged: Collection[bytes], named_alike: Sequence[Statement], now: datetime
) -> dict[bytes, dict[bytes, Break]]:
    """The breaks that each judged statement deserves, by statement id and break id.

    `chain` holds one account's statements in order, without a hole of ours before any judged one. A
    correction stands outside the chain and is a break for as long as it stands; what it corrects is in the
    chain or in `named_alike`.
    """
    found: dict[bytes, dict[bytes, Break]] = {each: {} for each in judged}
    originals = {each.statement_id: each for each in chain if each.corrects is None}
    for each in chain:
        if each.corrects is not None and each.statement_id in found:
            alike = (other for other in (*chain, *named_alike) if other.statement_id == each.corrects)
            amount = next((each.closing_minor - other.closing_minor for other in alike), 0)
            detail = (
                f"number {each.statement_number or each.bank_statement_id} came before with other content"
            )
            _add(found, _about(each, "statement_corrected", amount, detail, now))
    previous: Statement | None = None
    for each in originals.values():
        if each.statement_id in found:
            for problem in _problems(previous, each, now):
                _add(found, problem)
        previous = each
    return found


def _problems(previous: Statement | None, statement: Statement, now: datetime) -> list[Break]:
    problems = []
    moved = statement.closing_minor - statement.opening_minor
    if statement.lines_sum_minor != moved:
        detail = f"the lines make {statement.lines_sum_minor}, the balances {moved} (minor units)"
        problems.append(
            _about(statement, "sum_differs", moved - statement.lines_sum_minor, detail, now),
        )
    if previous is None:
        return problems
    jump = statement.opening_minor - previous.closing_minor
    if not _follows(previous, statement):
        detail = f"number {statement.statement_number} follows {previous.statement_number}"
        problems.append(_about(statement, "statement_gap", jump, detail, now))
    elif jump:
        detail = f"opens with {statement.opening_minor}, the last closed with {previous.closing_minor}"
        problems.append(_about(statement, "opening_differs", jump, detail, now))
    return problems


def _follows(previous: Statement, statement: Statement) -> bool:
    before, number = previous.statement_number, statement.statement_number
    if not (_is_number(before) and _is_number(number)):
        return True
    if int(number) == int(before) + 1:
        return True
    # Banks may number each year from 1.
    return int(number) == 1 and statement.to_date.year > previous.to_date.year


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _add(found: dict[bytes, dict[bytes, Break]], problem: Break) -> None:
    found[problem.statement_id][problem.break_id] = problem


def _about(statement: Statement, reason: str, amount: int, detail: str, now: datetime) -> Break:
    return statement_break(
        statement.lane,
        statement.statement_id,
        reason,
        amount,
        statement.currency,
        statement.nostro,
        detail,
        now,
    )


def statement_break(
    lane: int,
    statement_id: bytes,
    reason: str,
    amount_minor: int,
    currency: str,
    nostro: str,
    detail: str,
    now: datetime,
) -> Break:
    """A break about a statement as a whole; its id follows from lane, statement and reason."""
    return Break(
        lane=lane,
        break_id=derived_id(
            int.from_bytes(statement_id[:6], "big"), statement_id, lane.to_bytes(4, "big"), reason.encode()
        ),
        about="statement",
        reason=reason,
        amount_minor=amount_minor,
        currency=currency,
        nostro=nostro,
        payment_id=NO_ID,
        batch_id=NO_ID,
        statement_id=statement_id,
        line_number=0,
        bank_reference="",
        detail=detail,
        opened_at=now,
    )
