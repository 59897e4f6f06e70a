"""All that a lane's facts allow to be concluded at the end of a poll: matches, breaks, statements. Pure."""

from dataclasses import replace
from datetime import datetime

from goodfunds.events.types import StatementOpened
from goodfunds.ids import NO_ID
from services.reconciliation.batch_totals import match_batch
from services.reconciliation.books import Books, Outcome, Share
from services.reconciliation.breaks import covers_line, difference, find_breaks
from services.reconciliation.continuity import chain_breaks, corrected, place_in_chain, statement_break
from services.reconciliation.decide import instant, match
from services.reconciliation.model import Batch, Break, Horizon, Statement
from services.reconciliation.strays import judge_stray


def conclude(books: Books, now: datetime) -> Outcome:
    """Draw every conclusion that the facts of the lane allow; changes the working set in place."""
    outcome = Outcome(opened=list(books.contradictions))
    for closing in books.new_closings():
        share = Share(
            closing.statement_id, closing.nostro, closing.currency, closing.to_date, closing.lane_lines,
            closing.lane_sum_minor,
        )  # fmt: skip
        books.shares[share.statement_id] = share
        outcome.shares.append(share)
        covered = books.covered_to.get(share.nostro)
        books.covered_to[share.nostro] = max(covered, share.to_date) if covered else share.to_date
    horizon = Horizon(books.shares.keys(), books.covered_to, now)
    cases = books.cases
    for payment_id, case in cases.items():
        cases[payment_id], pairs = match(case, books.told.matches)
        outcome.pairs.extend(pairs)
    _conclude_batches(books, horizon, outcome)
    for payment_id, case in cases.items():
        cases[payment_id], findings = find_breaks(case, horizon)
        outcome.note(findings)
    _conclude_strays(books, horizon, outcome)
    _conclude_statements(books, now, outcome)
    return outcome


def _conclude_batches(books: Books, horizon: Horizon, outcome: Outcome) -> None:
    cases = books.cases
    for batch_id, lines in books.batch_lines.items():
        debits = tuple(
            case.debit
            for _, case in sorted(cases.items())
            if case.debit is not None and case.debit.batch_id == batch_id
        )
        batch = Batch(batch_id, debits, tuple(lines.values()), tuple(books.batch_breaks.get(batch_id, ())))
        verdict = match_batch(batch, horizon, books.told.matches)
        for debit in verdict.batch.debits:
            cases[debit.payment_id] = cases[debit.payment_id]._replace(debit=debit)
        books.batch_lines[batch_id] = {line.place: line for line in verdict.batch.lines}
        outcome.pairs.extend(verdict.pairs)
        outcome.note(verdict.findings)


def _conclude_strays(books: Books, horizon: Horizon, outcome: Outcome) -> None:
    used = {line.break_id for line in books.strays.values()}
    covers = {each.break_id: each for each in books.entry_breaks}
    for place, line in sorted(books.strays.items()):
        cover = covers.get(line.break_id or NO_ID)
        if cover is None:
            free = (each for each in covers.values() if each.break_id not in used)
            cover = next((each for each in free if covers_line(each, line)), None)
        verdict = judge_stray(
            line, books.candidates.get(place, ()), books.stray_breaks.get(place, ()), cover, horizon
        )
        used.add(verdict.line.break_id)
        books.strays[place] = verdict.line
        outcome.note(verdict.findings)
        if verdict.line.handed_over_to is not None and line.handed_over_to is None:
            outcome.handed_over.append(verdict.line)


def _conclude_statements(books: Books, now: datetime, outcome: Outcome) -> None:
    """Continuity in the lane of the account, and in each lane whether what was sent has come."""
    chain = {each.statement_id: each for each in books.chain}
    fresh = set()
    for event in books.opened:
        if event.statement_id in chain:
            continue
        statement = _statement(event, books.lane)
        original = corrected(statement, [*chain.values(), *books.named_alike])
        if original is not None:
            statement = _statement(event, books.lane, original.statement_id)
        statement = replace(statement, reconciled_at=books.told.reconciled.get(statement.statement_id))
        chain[statement.statement_id] = statement
        fresh.add(statement.statement_id)
        outcome.statements.append(statement)
    accounts: dict[tuple[str, str], list[Statement]] = {}
    for each in sorted(chain.values(), key=place_in_chain):
        accounts.setdefault((each.nostro, each.currency), []).append(each)
    wanted: dict[bytes, dict[bytes, Break]] = {}
    for statements in accounts.values():
        # What stands before the first loaded statement was not loaded, so that one keeps its findings.
        judged = {s.statement_id for s in statements[1:]}
        judged |= {s.statement_id for s in statements[:1] if s.statement_id in fresh}
        wanted.update(chain_breaks(statements, judged, books.named_alike, now))
    for statement_id in {*wanted, *books.received}:
        known = books.statement_breaks.get(statement_id, [])
        arrival = [b for b in known if b.reason == "lines_missing"]
        deserved = dict(wanted.get(statement_id, {}))
        judged_chain = statement_id in wanted
        judged_arrival = statement_id in books.received
        if judged_arrival:
            deserved.update(_arrival(books, statement_id, now))
        looked_at = [
            b for b in known if (b in arrival and judged_arrival) or (b not in arrival and judged_chain)
        ]
        after, findings = difference(looked_at, deserved, now)
        books.statement_breaks[statement_id] = [*after, *(b for b in known if b not in looked_at)]
        outcome.note(findings)
    for each in chain.values():
        still = [b for b in books.statement_breaks.get(each.statement_id, ()) if b.is_open]
        closed = each.statement_id in books.shares
        if closed and not still and each.reconciled_at is None and each.corrects is None:
            outcome.reconciled.append(each)


def _arrival(books: Books, statement_id: bytes, now: datetime) -> dict[bytes, Break]:
    share = books.shares.get(statement_id)
    if share is None:
        return {}
    lines, total = books.received[statement_id]
    if (lines, total) == (share.lane_lines, share.lane_sum_minor):
        return {}
    detail = f"{share.lane_lines} lines of {share.lane_sum_minor} were sent here, {lines} of {total} came"
    found = statement_break(
        books.lane, statement_id, "lines_missing", share.lane_sum_minor - total, share.currency,
        share.nostro, detail, now,
    )  # fmt: skip
    return {found.break_id: found}


def _statement(event: StatementOpened, lane: int, corrects: bytes | None = None) -> Statement:
    return Statement(
        lane,
        event.statement_id,
        event.nostro,
        event.currency,
        event.statement_number,
        event.bank_statement_id,
        event.opening_minor,
        event.closing_minor,
        event.lines_sum_minor,
        event.lines_count,
        event.from_date,
        event.to_date,
        instant(event.opened_at),
        corrects,
    )
