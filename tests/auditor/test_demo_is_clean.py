"""The main job on the whole stack, with the sandbox bank's faults, audited clean."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from goodfunds.local.demo_file import demo_file
from goodfunds.local.stack import find
from goodfunds.service import services
from tests.auditor.allowances import untold
from tests.auditor.audit import Report, audit
from tests.auditor.evidence import Evidence
from tests.auditor.pain001 import given_by_file, opened_for
from tests.auditor.reading import read_bank, read_database, read_log

PAYMENTS = 150
FAULTS = (
    "reject=0.1,return=0.15,doubled_answer=0.2,late_answer=0.1,echo_end_to_end_only=0.15,"
    "contradictory_answer=0.06,drop_upload=1,short_statement=0.03,wrong_amount_line=0.03"
)
"""No lost answers: with a damaged line as well the house hears nowhere of a movement, and chance decides."""
LONGEST = 240.0
"""Seconds for one command: the demo takes about twenty; the rest is for a machine that others use too."""


def command(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    goodfunds = str(Path(sys.executable).with_name("goodfunds"))
    return subprocess.run(
        [goodfunds, "--folder", str(folder), *arguments],
        capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip


async def audited(folder: Path, content: bytes) -> Report:
    stack = find(folder)
    databases = [
        await read_database(f"{stack.postgres.rstrip('/')}/{services()[name].database}", name)
        for name in ("ingestion", "settlement", "reconciliation")
    ]
    log, ends = await read_log(stack.kafka)
    bank = await read_bank(stack.url("sandbox-bank"))
    given = given_by_file(content, "demo")
    accounts, fundings = opened_for(given, "demo")
    ingestion, settlement, reconciliation = databases
    return audit(
        Evidence(
            stack.partitions, given, accounts, fundings, log, ingestion, settlement, reconciliation,
            bank.transfers, bank.files, bank.accounts, bank.faults, untold(bank.faults), ends,
        )
    )  # fmt: skip


@pytest.mark.long
async def test_a_demo_with_nine_faults_of_the_bank_is_audited_clean(servers: Path, tmp_path: Path) -> None:
    folder = servers / "audited"
    content = demo_file(PAYMENTS, 60, date.today(), seed=4)  # noqa: DTZ011 - a local day will do
    file = tmp_path / "payments.xml"
    file.write_bytes(content)
    try:
        done = command(folder, "demo", "--keep", "--json", "--file", str(file), "--faults", FAULTS)
        assert done.returncode == 0, done.stdout + done.stderr
        report = await audited(folder, content)
        assert report.clean, str(report)
        assert report.counts["accepted"] == PAYMENTS
        assert report.counts["planted faults"] > 20
        assert json.loads(done.stdout.splitlines()[-1])["breaks"] > 0
    finally:
        command(folder, "down", "--wipe")
