"""The audit of a house at rest: millions of payments, by the rows of its databases and the bank's books.

It needs no log, so it passes what no topic keeps any more; and it says of each payment what must be, as the
audit of the events does: taken once, one end, its money in the ledger, at the bank and on a statement.

Whatever stays open is a finding: what a bank did wrong on purpose has to be allowed by name.
"""

from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic

from tests.auditor import wire
from tests.auditor.audit import Report
from tests.auditor.bank_at_rest import NOTHING_LAID, PastTheBank, check_bank
from tests.auditor.evidence import Allowed, Finding
from tests.auditor.numbering import check_numbers
from tests.auditor.resting import SERVICES, Resting, Sum, resting
from tests.auditor.statement_chain import check_statements

SAME = (
    ("what is accepted is in settlement", "ingestion.accepted", "settlement.taken_in"),
    ("one terminal state", "settlement.taken", "settlement.ended"),
    ("a refund comes with its cause", "settlement.given_back", "ingestion.refunded"),
    ("the ledger is what the rows say", "ingestion.due_postings", "ingestion.postings"),
    ("the ledger is what the rows say", "settlement.due_postings", "settlement.postings"),
    ("reconciliation knows what moved", "settlement.moved", "reconciliation.known"),
    ("what is expected is the payment", "settlement.sent", "reconciliation.debits"),
    ("what is rejected is expected no more", "settlement.rejected", "reconciliation.cancelled"),
    ("a match is a line of that payment", "reconciliation.matched", "reconciliation.explained"),
    ("a line finds its lane", "reconciliation.handed_out", "reconciliation.handed_in"),
)
"""Rules by which two statements give the same rows, in whatever database each is."""
NEVER = (
    ("what returns was settled", "settlement.wrong_returns"),
    ("what is refunded was accepted", "ingestion.wrong_refunds"),
    ("only an open account is funded", "ingestion.wrong_fundings"),
    ("nobody is overdrawn", "ingestion.overdrawn"),
    ("an account has one lane", "ingestion.strange_accounts"),
    ("our nostro is the bank's account", "settlement.wrong_openings"),
    ("what contradicts us is in suspense", "settlement.wrong_suspense"),
    ("a batch is its payments", "settlement.wrong_batches"),
    ("a batch counts what is open of it", "settlement.wrong_open"),
    ("a file is its batches", "settlement.wrong_files"),
    ("what moved is on one line", "reconciliation.unmatched"),
    ("a sum on one line is its payments", "reconciliation.wrong_totals"),
    ("every line is explained", "reconciliation.unexplained"),
    ("no break is open", "reconciliation.open_breaks"),
    ("a statement is its lines", "reconciliation.wrong_shares"),
    ("a statement is its lines", "reconciliation.wrong_statements"),
)
"""Rules whose statement has a row for whatever breaks it."""
EVERYWHERE = (
    ("an entry balances", "every.wrong_shapes"),
    ("balances are the sums of postings", "every.wrong_balances"),
    ("nothing is parked", "every.parked"),
)
"""Such rules that hold of each of the three databases; reconciliation has no ledger."""


@dataclass(frozen=True, slots=True)
class AtRest:
    """What the audit found, and how long it took."""

    report: Report
    seconds: float

    @property
    def clean(self) -> bool:
        """Nothing is broken."""
        return self.report.clean

    @property
    def sentence(self) -> str:
        """The verdict, with its cost."""
        each = self.seconds / max(self.report.counts["accepted"], 1) * 1e6
        return f"{self.report}; in {self.seconds:,.0f} s, {each:,.0f} µs a payment"


@dataclass(slots=True)
class _Found:
    """What is known so far; told rule by rule."""

    tell: Callable[[str], None]
    findings: list[Finding] = field(default_factory=list)
    sums: dict[str, Sum] = field(default_factory=dict)
    started: float = field(default_factory=monotonic)

    def add(self, rule: str, findings: Sequence[Finding], looked: str = "") -> None:
        self.findings += findings
        verdict = "holds" if not findings else f"BROKEN: {findings[0]}"
        self.tell(f"{monotonic() - self.started:6.1f} s  {rule}{looked}: {verdict}")


async def audit_at_rest(
    dsns: Mapping[str, str],
    books: AsyncIterable[str],
    *,
    laid: PastTheBank = NOTHING_LAID,
    instructions: int | None = None,
    allowed: Sequence[Allowed] = (),
    tell: Callable[[str], None] = lambda _: None,
) -> AtRest:
    """Check every rule. `dsns`: service → its database, in which nothing moves any more.

    `books`: the bank's, a JSON object a line, `book` first. `instructions`: how many payments were asked for
    and answered, where that is known. `allowed`: findings known beforehand. `tell` hears of each rule.
    """
    found = _Found(tell)
    async with resting(dsns) as house:
        await _rows(house, found)
        await _money(house, found)
        for rule, findings in await check_numbers(house):
            found.add(rule, findings)
        found.add("the chain of statements", await check_statements(house))
        bank = await check_bank(house, books, laid)
        found.add("the bank's books", bank.findings, f" ({bank.transfers:,} transfers)")
        [decided] = await house.rows("ingestion.decided")
    if instructions is not None and decided["payments"] != instructions:
        words = f"{instructions:,} were given, {decided['payments']:,} are decided"
        found.add("no instruction is lost", [Finding("no instruction is lost", "all", words)])
    excused = {(each.rule, each.subject) for each in allowed}
    findings = [each for each in found.findings if (each.rule, each.subject) not in excused]
    given_back = found.sums["settlement.rejected"].rows
    counts = {
        "decided": decided["payments"],
        "accepted": decided["accepted"],
        "settled": found.sums["settlement.taken"].rows - given_back,
        "rejected by the bank": given_back,
        "returned": found.sums["settlement.given_back"].rows - given_back,
        "transfers": bank.transfers,
        "laid past the bank": laid.payments,
    }
    report = Report(findings, [each for each in found.findings if each not in findings], counts)
    return AtRest(report, monotonic() - found.started)


async def _rows(house: Resting, found: _Found) -> None:
    for rule, left, right in SAME:
        findings, found.sums[left] = await house.differing(rule, left, right)
        found.add(rule, findings, f" ({found.sums[left].rows:,} rows)")
    for rule, name in NEVER:
        found.add(rule, await house.broken(rule, name.partition(".")[0], name))
    for rule, name in EVERYWHERE:
        for service in SERVICES if name == "every.parked" else SERVICES[:2]:
            found.add(f"{rule}, {service}", await house.broken(rule, service, name))


async def _money(house: Resting, found: _Found) -> None:
    """Where each payment has its end, settlement took out of transit what ingestion holds there, by lane."""
    rule = "money is conserved"
    held, taken = [
        {
            (row["lane"], row["account"], row["currency"]): row["balance_minor"]
            for row in await house.every(service, "transit")
        }
        for service in ("ingestion", "settlement")
    ]
    findings = [
        Finding(
            rule,
            f"lane {place[0]} {place[1]}",
            f"ingestion put in {held.get(place, 0)}, settlement took {-taken.get(place, 0)} {place[2]}",
        )
        for place in sorted({*held, *taken})
        if held.get(place, 0) + taken.get(place, 0) != 0
    ]
    [[partitions]] = await house.every("ingestion", "partitions")
    strays = [
        Finding("an account has one lane", row["account"], f"it is in lane {row['lane']}")
        for row in await house.rows("ingestion.accounts")
        if wire.lane_of(row["account"], partitions) != row["lane"]
    ]
    found.add(rule, findings)
    found.add("an account has one lane", strays)
