"""The audit: every check over one body of evidence, and what it found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.auditor import history
from tests.auditor.checks_breaks import check_breaks
from tests.auditor.checks_log import check_log
from tests.auditor.checks_money import check_money
from tests.auditor.checks_payments import check_payments
from tests.auditor.evidence import Evidence, Finding
from tests.auditor.history import History

_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, what was allowed beforehand, and how much was looked at."""

    findings: Sequence[Finding]
    allowed: Sequence[Finding]
    counts: Mapping[str, int]

    @property
    def clean(self) -> bool:
        """Nothing is broken."""
        return not self.findings

    @property
    def by_rule(self) -> Mapping[str, int]:
        """Findings by the rule that is broken."""
        return Counter(each.rule for each in self.findings)

    def __str__(self) -> str:
        looked = ", ".join(f"{count:,} {what}" for what, count in self.counts.items())
        if self.clean:
            return f"clean: {looked}"
        shown = "\n".join(f"  {each}" for each in self.findings[:_SHOWN])
        more = len(self.findings) - _SHOWN
        return f"{len(self.findings)} findings in {looked}:\n{shown}" + (
            f"\n  and {more} more" if more > 0 else ""
        )


def audit(evidence: Evidence) -> Report:
    """Check every rule. `evidence` is of a house in which nothing moves any more."""
    read = history.read(evidence)
    allowed = {(each.rule, each.subject) for each in evidence.allowed}
    findings: list[Finding] = []
    excused: list[Finding] = []
    for check in (check_log, check_payments, check_money, check_breaks):
        for finding in check(evidence, read):
            (excused if (finding.rule, finding.subject) in allowed else findings).append(finding)
    return Report(findings, excused, _counts(evidence, read))


def _counts(evidence: Evidence, read: History) -> Mapping[str, int]:
    fates = read.fates.values()
    return {
        "instructions": len(evidence.given),
        "records": len(evidence.log),
        "repeats": sum(map(len, read.streams.values())) - sum(map(len, read.firsts.values())),
        "accepted": sum(fate.accepted for fate in fates),
        "settled": sum(bool(fate.settled) for fate in fates),
        "rejected by the bank": sum(bool(fate.rejected) for fate in fates),
        "returned": sum(bool(fate.returned) for fate in fates),
        "transfers": len(evidence.transfers),
        "planted faults": len(evidence.faults),
    }
