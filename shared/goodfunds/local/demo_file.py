"""A pain.001 of our own making for demos: payments of several debtors, the same for the same seed."""

import random
from datetime import UTC, date, datetime

from goodfunds.files import pain001
from goodfunds.files.records import Address, BankFile, BankFileBatch, BankFilePayment

_GIVEN = ("Ada", "Bruno", "Chiara", "Dimitri", "Eva", "Filip", "Greta", "Hugo", "Ines", "Jonas")
_FAMILY = ("Almeida", "Bauer", "Costa", "Dubois", "Eriksen", "Ferrari", "Gruber", "Horvat", "Ivanova")
_TOWNS = (("Berlin", "DE", "10115"), ("Lyon", "FR", "69001"), ("Porto", "PT", "4000-322"))
_TRADES = ("Bakery", "Cycles", "Print", "Energy", "Foods", "Timber", "Optics", "Logistics")
_PURPOSES = ("Invoice", "Rent", "Salary", "Deposit", "Refund of order", "Subscription")


def iban(country: str, account: str) -> str:
    """The IBAN of a domestic account number (ISO 13616-1): check digits by mod 97."""
    digits = "".join(str(int(each, 36)) for each in account + country + "00")
    return f"{country}{98 - int(digits) % 97:02d}{account}"


def demo_file(payments: int, debtors: int, requested: date, seed: int = 1, name: str = "DEMO") -> bytes:
    """A valid pain.001.001.09 of so many payments, a PmtInf a debtor."""
    source = random.Random(seed)  # noqa: S311 - the same file for the same seed is the point
    debtors = min(debtors, payments)
    batches = []
    for place in range(debtors):
        trade = _TRADES[place % len(_TRADES)]
        count = payments // debtors + (place < payments % debtors)
        batches.append(
            BankFileBatch(
                payment_information_id=f"{name}-{place + 1:04d}",
                requested_execution_date=requested,
                debtor_name=f"{trade} {_FAMILY[place % len(_FAMILY)]} GmbH",
                debtor_account=iban("DE", f"50010517{place + 1:010d}"),
                debtor_agent="INGDDEFFXXX",
                currency="EUR",
                payments=[_payment(source, f"{name}-{place + 1}-{each + 1}") for each in range(count)],
            )
        )
    created = datetime(requested.year, requested.month, requested.day, 8, 0, tzinfo=UTC)
    return pain001.write(BankFile(f"{name}-{seed}-{payments}", created, "goodfunds demo", batches))


def _payment(source: random.Random, reference: str) -> BankFilePayment:
    town, country, postcode = source.choice(_TOWNS)
    return BankFilePayment(
        instruction_id=reference,
        end_to_end_id=reference,
        amount_minor=source.randint(1, 250_000),
        creditor_name=f"{source.choice(_GIVEN)} {source.choice(_FAMILY)}",
        creditor_account=_creditor(source),
        creditor_address=Address(postcode=postcode, town=town, country=country),
        remittance_unstructured=f"{source.choice(_PURPOSES)} {source.randint(1, 99999)}",
    )


def _creditor(source: random.Random) -> str:
    digits = "".join(source.choices("0123456789", k=20))
    country, length = source.choice((("DE", 18), ("AT", 16), ("BE", 12)))
    return iban(country, digits[:length])
