"""What ingestion's HTTP takes and gives: payments and payment files as JSON."""

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from goodfunds import ids
from goodfunds.events.types import PaymentInstruction
from goodfunds.money import CURRENCIES, MAX_MINOR, format_amount
from goodfunds.rails.requests import LONGEST_ACCOUNT, LONGEST_NAME
from services.ingestion.intake import LONGEST_REMITTANCE

_PRINTABLE = r"[^\x00-\x1f\x7f]"

Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, pattern=f"^{_PRINTABLE}+$")]
Text = Annotated[str, Field(max_length=LONGEST_NAME, pattern=f"^{_PRINTABLE}*$")]
Account = Annotated[str, Field(min_length=1, max_length=LONGEST_ACCOUNT, pattern=r"^[^:\x00-\x1f\x7f]+$")]


class PaymentRequest(BaseModel):
    """A payment: the event PaymentInstruction without `client`, which is the token's, and `idempotency_key`.

    Here is what makes it a request at all; what a rail or an account does not allow is decided, and the
    payment rejected with a code.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "amount_minor": 10050,
                    "currency": "EUR",
                    "rail": "sepa-credit",
                    "requested_execution_date": "2026-12-01",
                    "debtor_account": "DE00ADA",
                    "debtor_name": "Ada Almeida",
                    "creditor_account": "FR1420041010050500013M02606",
                    "creditor_name": "Bruno Bauer",
                    "remittance_unstructured": "Invoice 4711",
                }
            ]
        },
    )

    amount_minor: int = Field(ge=1, le=MAX_MINOR, description="Minor units: 10050 EUR is 100.50 euro.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217.")
    rail: str = Field(pattern="^[a-z0-9-]{1,40}$", description="The scheme, such as sepa-credit.")
    requested_execution_date: date = Field(
        description="A past one becomes the next business day of the rail."
    )
    debtor_account: Account = Field(description="The customer's account.")
    debtor_name: Name
    creditor_account: Account = Field(description="IBAN.")
    creditor_name: Name
    creditor_agent: Text = Field(default="", description="BIC.")
    end_to_end_id: Text = Field(default="", description="Your reference, which the creditor is shown.")
    uetr: Text = Field(default="", description="A UUID of version 4.")
    charge_bearer: Text = Field(default="", description="ChargeBearerType1Code; empty means SLEV.")
    remittance_unstructured: Annotated[
        str, Field(max_length=LONGEST_REMITTANCE, pattern=f"^{_PRINTABLE}*$")
    ] = Field(default="", description="At most one of the two remittances.")
    remittance_reference: Text = Field(default="", description="Structured creditor reference.")
    creditor_street: Text = ""
    creditor_building: Text = ""
    creditor_postcode: Text = ""
    creditor_town: Text = ""
    creditor_country: Text = Field(default="", description="ISO 3166 alpha-2.")
    creditor_address_lines: list[Text] = Field(default_factory=list, max_length=10)

    def instruction(self, client: str, idempotency_key: str) -> PaymentInstruction:
        """The event that it is."""
        fields: dict[str, Any] = self.model_dump()
        fields["creditor_address_lines"] = tuple(fields["creditor_address_lines"])
        return PaymentInstruction(client=client, idempotency_key=idempotency_key, **fields)


class Received(BaseModel):
    """A payment that stands on the topic and is not decided yet. `location` is where it will be found."""

    idempotency_key: str
    location: str


class Refund(BaseModel):
    """The payment's money came back: the bank rejected it, or it was returned after it was settled."""

    cause: str
    reason_code: str
    refunded_at: datetime


class PaymentView(BaseModel):
    """What was decided of a payment, once and for ever, and whether its money came back."""

    payment_id: str
    idempotency_key: str
    debtor_account: str
    amount_minor: int
    amount: str = Field(description="The same in units of the currency; in minor units where it has none.")
    currency: str
    rail: str
    state: str = Field(description="accepted or rejected")
    reason_code: str = Field(description="ISO 20022; empty where it was accepted.")
    reason: str
    end_to_end_id: str
    uetr: str
    decided_at: datetime
    refund: Refund | None


class FileTaken(BaseModel):
    """A payment file that was taken in, whole."""

    file_id: str
    message_id: str
    items: int


class FileView(BaseModel):
    """A payment file. `position`: items that stand on the topic; `accepted` and `rejected` so far."""

    file_id: str
    message_id: str
    format: str
    items: int
    sums: dict[str, str]
    position: int
    accepted: int
    rejected: int
    received_at: datetime
    finished_at: datetime | None
    status_report: str = Field(description="Where its pain.002 is.")


def payment_view(row: Any) -> PaymentView:
    """A payment from its row of `payment_outcomes`."""
    minor, currency = row["amount_minor"], row["currency"]
    shown = {name: value for name, value in row.items() if name in PaymentView.model_fields}
    refund = None
    if row["refund_cause"] is not None:
        refund = Refund(
            cause=row["refund_cause"],
            reason_code=row["refund_reason_code"],
            refunded_at=row["refunded_at"],
        )
    # A rejected payment may name a currency that does not exist.
    amount = format_amount(minor, currency) if currency in CURRENCIES else str(minor)
    return PaymentView(
        **{**shown, "payment_id": ids.text(row["payment_id"]), "amount": amount, "refund": refund}
    )
