"""Orders and accounts that the bank's unit tests decide on."""

from datetime import date

from services.sandbox_bank.model import Order

OURS = "DE89370400440532013000"
CREDITORS = ("FR1420041010050500013M02606", "NL91ABNA0417164300", "AT611904300234573201")
TODAY = date(2026, 3, 3)


def order(number: int = 1, **changes: object) -> Order:
    fields: dict[str, object] = {
        "payment_information_id": "0001-BATCH",
        "instruction_id": f"0001-PAYMENT{number:06d}",
        "end_to_end_id": f"E2E-{number}",
        "amount_minor": 100,
        "currency": "EUR",
        "execution_date": TODAY,
        "debtor_account": OURS,
        "creditor_account": CREDITORS[number % 3],
        "creditor_agent": "BNPAFRPPXXX",
        "creditor_name": "Creditor",
        "remittance": "",
    }
    return Order(**(fields | changes))  # type: ignore[arg-type]  # a table of fields, checked by the tests
