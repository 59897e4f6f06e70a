"""What a client's request must be, whatever the books hold: its form first, then what its rail demands.

One set of rules for all doors: ingestion decides by it, and the client library refuses by it before it sends.
"""

import re
import struct

from goodfunds.events.types import AccountFundRequested, AccountOpenRequested, PaymentInstruction
from goodfunds.money import CURRENCIES, MAX_MINOR
from goodfunds.rails import rail as rail_named
from goodfunds.rails import reasons as code
from goodfunds.rails.reasons import Refusal, first

ClientRequest = PaymentInstruction | AccountOpenRequested | AccountFundRequested

LONGEST_ACCOUNT = 64
LONGEST_CLIENT = 100
LONGEST_KEY = 200
LONGEST_NAME = 140
LARGEST_RECORD = 900_000
"""Bytes; what is derived from a record must fit into an event of the largest size."""
_UETR = re.compile("[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}")
"""ISO 20022 UUIDv4Identifier: a bank refuses a whole file for one that is not."""
_UNWRITABLE = (struct.error, UnicodeEncodeError, OverflowError, AttributeError, TypeError)


def account_of(request: ClientRequest) -> str:
    """The account whose lane a request belongs on: the debtor's, or the one that is opened or funded."""
    return request.debtor_account if isinstance(request, PaymentInstruction) else request.account


def form(request: ClientRequest) -> Refusal | None:
    """What keeps a record from being a request at all: no client, key or account to hold on to."""
    account = account_of(request)
    for name, value, longest in (
        ("client", request.client, LONGEST_CLIENT),
        ("idempotency_key", request.idempotency_key, LONGEST_KEY),
        ("account", account, LONGEST_ACCOUNT),
    ):
        if not value:
            return Refusal(code.MANDATORY_ELEMENT_MISSING, f"{name} is empty")
        if len(value) > longest:
            return Refusal(code.CONTENT_INCORRECT, f"{name} is over {longest} characters")
    # Accounts with a colon are the house's own (transit-out:…, nostro:…).
    if ":" in account:
        return Refusal(code.CONTENT_INCORRECT, "a customer's account has no colon")
    if _has_nul(request):
        return Refusal(code.CONTENT_INCORRECT, "a field holds a NUL character")
    return None


def payment(instruction: PaymentInstruction) -> list[Refusal]:
    """Why an instruction is no payment that a rail takes, whoever pays: all reasons, in no order."""
    found = []
    amount = instruction.amount_minor
    if instruction.currency not in CURRENCIES:
        found.append(Refusal(code.INVALID_TRANSACTION_CURRENCY, "the currency is not one of ISO 4217"))
    if amount == 0:
        found.append(Refusal(code.ZERO_AMOUNT, "the amount is zero"))
    elif not 0 < amount <= MAX_MINOR:
        found.append(Refusal(code.INVALID_AMOUNT, "the amount is negative or over 18 digits"))
    if instruction.uetr and _UETR.fullmatch(instruction.uetr) is None:
        found.append(Refusal(code.CONTENT_INCORRECT, "the UETR is not a UUID of version 4 in lower case"))
    rail = rail_named(instruction.rail)
    if rail is None:
        found.append(Refusal(code.TRANSACTION_NOT_SUPPORTED, "goodfunds has no rail of that name"))
    else:
        scheme = rail.refusals(instruction)
        if scheme is not None:
            found.append(scheme)
    return found


def opening(request: AccountOpenRequested) -> Refusal | None:
    """Why no account can be opened so."""
    if request.currency not in CURRENCIES:
        return Refusal(code.INVALID_TRANSACTION_CURRENCY, "the currency is not one of ISO 4217")
    if not 0 < len(request.name) <= LONGEST_NAME:
        return Refusal(code.INVALID_NAME_LENGTH, f"a name has 1 to {LONGEST_NAME} characters")
    return None


def funding(request: AccountFundRequested) -> Refusal | None:
    """Why no account can be funded so."""
    if not request.source:
        return Refusal(code.MANDATORY_ELEMENT_MISSING, "source is empty")
    if len(request.source) > LONGEST_ACCOUNT:
        return Refusal(code.CONTENT_INCORRECT, f"source is over {LONGEST_ACCOUNT} characters")
    if not 0 < request.amount_minor <= MAX_MINOR:
        return Refusal(code.INVALID_AMOUNT, "the amount is zero, negative or over 18 digits")
    return None


def written(request: ClientRequest) -> bytes | Refusal:
    """A request's bytes for the topic, or why ingestion would refuse it whatever the books hold."""
    # A bool is an int to the wire, and no amount to anyone.
    if not isinstance(request, AccountOpenRequested) and type(request.amount_minor) is not int:
        return Refusal(code.INVALID_AMOUNT, "an amount is an integer in minor units")
    try:
        refusal = form(request) or _of_its_kind(request)
        if refusal is not None:
            return refusal
        value = request.encode()
    except _UNWRITABLE as fault:
        return Refusal(code.CONTENT_INCORRECT, f"a field is not of its type: {fault}")
    if len(value) > LARGEST_RECORD:
        text = f"the record has {len(value)} bytes, {LARGEST_RECORD} is the most"
        return Refusal(code.CONTENT_INCORRECT, text)
    return value


def _of_its_kind(request: ClientRequest) -> Refusal | None:
    if isinstance(request, PaymentInstruction):
        return first(payment(request))
    return opening(request) if isinstance(request, AccountOpenRequested) else funding(request)


def _has_nul(request: ClientRequest) -> bool:
    """Postgres' text holds no NUL; what is stored as text is looked at."""
    texts = [request.client, request.idempotency_key, request.currency]
    if isinstance(request, PaymentInstruction):
        texts += [request.debtor_account, request.rail, request.end_to_end_id, request.uetr]
    elif isinstance(request, AccountOpenRequested):
        texts += [request.account, request.name]
    else:
        texts += [request.account, request.source]
    return "\0" in "".join(texts)
