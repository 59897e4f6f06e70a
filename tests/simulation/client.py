"""The house's clients in a story: what they asked for, kept for the auditor as they meant it."""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from hashlib import sha256

from aiokafka import TopicPartition

from goodfunds.events.topics import PAYMENT_INSTRUCTIONS
from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction
from goodfunds.lanes import lane_of
from goodfunds.local.demo_file import iban
from tests.auditor.evidence import Given, GivenAccount, GivenFunding
from tests.simulation.log import Log

ACCOUNTS = tuple(f"customer-{number}" for number in range(6))
FUNDED_MINOR = 10_000_00
"""Little enough that stories spend it all."""
TOO_MUCH_MINOR = 900_000_00
CREDITORS = tuple(iban("DE", f"{500_105_17_0000000001 + number:018d}") for number in range(5))
CLIENT = "story"


@dataclass(slots=True)
class Client:
    """Publishes on `payment-instructions`, and remembers."""

    log: Log
    partitions: int
    given: list[Given] = field(default_factory=list)
    accounts: list[GivenAccount] = field(default_factory=list)
    fundings: list[GivenFunding] = field(default_factory=list)
    sent: list[tuple[PaymentInstruction, int]] = field(default_factory=list)
    files: int = 0

    def open_accounts(self) -> None:
        """Open and fund every account."""
        for account in ACCOUNTS:
            opening = AccountOpenRequested(CLIENT, f"open {account}", account, "EUR", "Ada Almeida")
            funding = AccountFundRequested(FUNDED_MINOR, CLIENT, f"fund {account}", account, "EUR", "story")
            self._put(lane_of(account, self.partitions), account, opening.encode())
            self._put(lane_of(account, self.partitions), account, funding.encode())
            self.accounts.append(GivenAccount(CLIENT, opening.idempotency_key, account, "EUR"))
            self.fundings.append(GivenFunding(CLIENT, funding.idempotency_key, account, FUNDED_MINOR, "EUR"))

    def instruct(self, account: int, amount_minor: int, flaw: str, today: date) -> None:
        """Publish one instruction, with that flaw."""
        debtor = "nobody" if flaw == "no such account" else ACCOUNTS[account % len(ACCOUNTS)]
        number = len(self.sent)
        instruction = self.instruction(debtor, amount_minor, f"key-{number}", today)
        if flaw == "too much":
            instruction = replace(instruction, amount_minor=TOO_MUCH_MINOR)
        elif flaw == "no such creditor":
            instruction = replace(instruction, creditor_account="DE00500105170000000000")
        elif flaw == "past date":
            instruction = replace(instruction, requested_execution_date=today - timedelta(days=10))
        elif flaw == "future date":
            instruction = replace(instruction, requested_execution_date=today + timedelta(days=2))
        lane = lane_of(debtor, self.partitions)
        if flaw == "wrong lane":
            lane = (lane + 1) % self.partitions
        self.sent.append((instruction, lane))
        self.publish(instruction, lane)

    def repeat(self, which: int, changed: bool) -> None:
        """Publish an earlier instruction again, perhaps with another amount under the same key."""
        if not self.sent:
            return
        instruction, lane = self.sent[which % len(self.sent)]
        if changed:
            instruction = replace(instruction, amount_minor=instruction.amount_minor + 1)
        self.publish(instruction, lane)

    def garble(self, lane: int) -> None:
        """Publish what is no event."""
        self._put(lane % self.partitions, "", b"\0\0\0\0\7 nobody can read this")

    def instruction(self, debtor: str, amount_minor: int, key: str, today: date) -> PaymentInstruction:
        """An instruction that the rail takes."""
        creditor = CREDITORS[amount_minor % len(CREDITORS)]
        return PaymentInstruction(
            amount_minor=amount_minor, requested_execution_date=today, currency="EUR", rail="sepa-credit",
            client=CLIENT, idempotency_key=key, end_to_end_id=f"E2E-{key}",
            uetr="", debtor_account=debtor, debtor_name="Ada Almeida", creditor_account=creditor,
            creditor_name="Bruno Bauer", creditor_agent="", charge_bearer="SLEV",
            remittance_unstructured=f"Invoice {key}", remittance_reference="", creditor_street="",
            creditor_building="", creditor_postcode="", creditor_town="", creditor_country="",
            creditor_address_lines=(),
        )  # fmt: skip

    def file(self, account: int, count: int, today: date) -> tuple[str, bytes]:
        """MsgId and bytes of a payment file, a pain.001.001.09 of one PmtInf; its payments are given now."""
        self.files += 1
        message_id, debtor = f"FILE-{self.files}", ACCOUNTS[account % len(ACCOUNTS)]
        transfers = []
        for number in range(1, count + 1):
            amount_minor, creditor = 1_000 + number, CREDITORS[number % len(CREDITORS)]
            self.given.append(
                Given(
                    CLIENT, f"{message_id}/1/{number}", debtor, creditor, amount_minor, "EUR", today,
                    f"{message_id}-{number}",
                )
            )  # fmt: skip
            transfers.append(
                f"<CdtTrfTxInf><PmtId><EndToEndId>{message_id}-{number}</EndToEndId></PmtId>"
                f'<Amt><InstdAmt Ccy="EUR">{amount_minor // 100}.{amount_minor % 100:02}</InstdAmt></Amt>'
                f"<Cdtr><Nm>Bruno Bauer</Nm></Cdtr><CdtrAcct><Id><IBAN>{creditor}</IBAN></Id></CdtrAcct>"
                "</CdtTrfTxInf>"
            )
        content = (
            '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn><GrpHdr>'
            f"<MsgId>{message_id}</MsgId><CreDtTm>{today}T08:00:00Z</CreDtTm><NbOfTxs>{count}</NbOfTxs>"
            "<InitgPty><Nm>Ada Almeida</Nm></InitgPty></GrpHdr><PmtInf><PmtInfId>1</PmtInfId>"
            f"<PmtMtd>TRF</PmtMtd><ReqdExctnDt><Dt>{today}</Dt></ReqdExctnDt>"
            "<Dbtr><Nm>Ada Almeida</Nm></Dbtr>"
            f"<DbtrAcct><Id><Othr><Id>{debtor}</Id></Othr></Id></DbtrAcct>"
            "<DbtrAgt><FinInstnId><BICFI>INGDDEFFXXX</BICFI></FinInstnId></DbtrAgt>"
            f"{''.join(transfers)}</PmtInf></CstmrCdtTrfInitn></Document>"
        )
        return message_id, content.encode()

    def publish(self, instruction: PaymentInstruction, lane: int) -> None:
        """Put an instruction on the topic."""
        body = instruction.encode()
        self.given.append(
            Given(
                CLIENT, instruction.idempotency_key, instruction.debtor_account, instruction.creditor_account,
                instruction.amount_minor, instruction.currency, instruction.requested_execution_date,
                instruction.end_to_end_id, sha256(body[5:]).digest(), (PAYMENT_INSTRUCTIONS, lane),
            )
        )  # fmt: skip
        self._put(lane, instruction.debtor_account, body)

    def _put(self, lane: int, key: str, body: bytes) -> None:
        self.log.append(TopicPartition(PAYMENT_INSTRUCTIONS, lane), [(key.encode(), body, ())])
