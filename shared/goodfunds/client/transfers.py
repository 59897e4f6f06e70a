"""A customer credit transfer as a client asks for it, with what most of them leave out left out."""

from collections.abc import Sequence
from datetime import date

from goodfunds.events.types import PaymentInstruction
from goodfunds.money import Money


def credit_transfer(
    amount: Money,
    *,
    idempotency_key: str,
    requested_execution_date: date,
    debtor_account: str,
    debtor_name: str,
    creditor_account: str,
    creditor_name: str,
    rail: str = "sepa-credit",
    client: str = "",
    end_to_end_id: str = "",
    uetr: str = "",
    creditor_agent: str = "",
    charge_bearer: str = "",
    remittance_unstructured: str = "",
    remittance_reference: str = "",
    creditor_street: str = "",
    creditor_building: str = "",
    creditor_postcode: str = "",
    creditor_town: str = "",
    creditor_country: str = "",
    creditor_address_lines: Sequence[str] = (),
) -> PaymentInstruction:
    """An instruction to pay `amount` from our customer `debtor_account` to `creditor_account` (an IBAN).

    The date has no default on purpose: a key names one body, and "today" would be another one tomorrow. A
    past date becomes the rail's next business day. An empty string is an absent field (ISO 20022 pain.001);
    an empty `client` is filled with the publisher's.
    """
    return PaymentInstruction(
        amount_minor=amount.minor,
        requested_execution_date=requested_execution_date,
        currency=amount.currency,
        rail=rail,
        client=client,
        idempotency_key=idempotency_key,
        end_to_end_id=end_to_end_id,
        uetr=uetr,
        debtor_account=debtor_account,
        debtor_name=debtor_name,
        creditor_account=creditor_account,
        creditor_name=creditor_name,
        creditor_agent=creditor_agent,
        charge_bearer=charge_bearer,
        remittance_unstructured=remittance_unstructured,
        remittance_reference=remittance_reference,
        creditor_street=creditor_street,
        creditor_building=creditor_building,
        creditor_postcode=creditor_postcode,
        creditor_town=creditor_town,
        creditor_country=creditor_country,
        creditor_address_lines=tuple(creditor_address_lines),
    )
