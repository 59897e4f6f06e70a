"""Ingestion's decisions: accept or reject a payment, open and fund accounts, give money back. Pure."""

import re
from dataclasses import replace

from goodfunds.errors import InvariantBroken
from goodfunds.events.types import (
    AccountFundRequested,
    AccountOpenRequested,
    PaymentInstruction,
    PaymentRejectedByBank,
    PaymentReturned,
)
from goodfunds.ledger import posting
from goodfunds.money import CURRENCIES, MAX_MINOR
from goodfunds.rails import rail as rail_named
from goodfunds.rails import reasons as code
from goodfunds.rails.reasons import Refusal, first
from services.ingestion.model import (
    REPEATED,
    Accepted,
    Account,
    Funded,
    Opened,
    Refunded,
    Refused,
    Rejected,
    Repeated,
    State,
)

LONGEST_ACCOUNT = 64
LONGEST_CLIENT = 100
LONGEST_KEY = 200
LONGEST_NAME = 140
_UETR = re.compile("[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}")
"""ISO 20022 UUIDv4Identifier: a bank refuses a whole file for one that is not."""

ClientRequest = PaymentInstruction | AccountOpenRequested | AccountFundRequested
_KEY_USED_AGAIN = Refused(Refusal(code.DUPLICATION, "the idempotency key was used with another body"))


def form(request: ClientRequest, account: str) -> Refusal | None:
    """What keeps a record from being a request at all: no client, key or account to hold on to."""
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
    return None


def decide_payment(
    state: State, lane: int, instruction: PaymentInstruction, payment_id: bytes, digest: bytes
) -> Accepted | Rejected | Refused | Repeated:
    """Accept a payment if its customer can pay and its rail takes it; apply what was decided."""
    key = (instruction.client, instruction.idempotency_key)
    known = state.payment_keys.get(key)
    if known is not None:
        return REPEATED if known == digest else _KEY_USED_AGAIN
    state.payment_keys[key] = digest
    refusal = _refusal(state, lane, instruction)
    if refusal is not None:
        return Rejected(refusal)
    taken = posting.accepted(
        payment_id,
        instruction.debtor_account,
        instruction.rail,
        instruction.amount_minor,
        instruction.currency,
    )
    state.balances.apply(lane, taken)
    return Accepted(taken)


def _refusal(state: State, lane: int, instruction: PaymentInstruction) -> Refusal | None:
    """Why a payment is not accepted, of several reasons the first by precedence."""
    found = []
    amount, currency = instruction.amount_minor, instruction.currency
    if currency not in CURRENCIES:
        found.append(Refusal(code.INVALID_TRANSACTION_CURRENCY, "the currency is not one of ISO 4217"))
    if amount == 0:
        found.append(Refusal(code.ZERO_AMOUNT, "the amount is zero"))
    elif not 0 < amount <= MAX_MINOR:
        found.append(Refusal(code.INVALID_AMOUNT, "the amount is negative or over 18 digits"))
    if instruction.uetr and _UETR.fullmatch(instruction.uetr) is None:
        found.append(Refusal(code.CONTENT_INCORRECT, "the UETR is not a UUID of version 4 in lower case"))
    account = state.accounts.get(instruction.debtor_account)
    if account is None:
        found.append(Refusal(code.INVALID_DEBTOR_ACCOUNT, "the debtor's account is not one of ours"))
    elif account.state == "closed":
        found.append(Refusal(code.CLOSED_DEBTOR_ACCOUNT, "the debtor's account is closed"))
    elif account.state == "blocked":
        found.append(Refusal(code.BLOCKED_ACCOUNT, "the debtor's account is blocked"))
    elif account.currency != currency:
        found.append(Refusal(code.INVALID_DEBTOR_ACCOUNT_CURRENCY, f"the account is in {account.currency}"))
    rail = rail_named(instruction.rail)
    if rail is None:
        found.append(Refusal(code.TRANSACTION_NOT_SUPPORTED, "goodfunds has no rail of that name"))
    else:
        scheme = rail.refusals(instruction)
        if scheme is not None:
            found.append(scheme)
    if state.balances.available(lane, instruction.debtor_account, currency) < amount:
        found.append(Refusal(code.INSUFFICIENT_FUNDS, "the account does not hold the amount"))
    return first(found) if found else None


def decide_opening(
    state: State, lane: int, request: AccountOpenRequested, digest: bytes
) -> Opened | Refused | Repeated:
    """Open an account. One that exists with the same currency and name is a repetition."""
    known = state.account_keys.get((request.client, request.idempotency_key))
    if known is not None:
        return REPEATED if known == digest else _KEY_USED_AGAIN
    if request.currency not in CURRENCIES:
        return Refused(Refusal(code.INVALID_TRANSACTION_CURRENCY, "the currency is not one of ISO 4217"))
    if not 0 < len(request.name) <= LONGEST_NAME:
        return Refused(Refusal(code.INVALID_NAME_LENGTH, f"a name has 1 to {LONGEST_NAME} characters"))
    account = Account(request.account, lane, request.currency, request.name)
    existing = state.accounts.get(request.account)
    if existing is not None:
        if existing == account:
            return REPEATED
        return Refused(Refusal(code.DUPLICATION, "the account exists with another currency, name or state"))
    state.account_keys[request.client, request.idempotency_key] = digest
    state.accounts[account.account] = account
    return Opened(account)


def decide_funding(
    state: State, lane: int, request: AccountFundRequested, entry_id: bytes, digest: bytes
) -> Funded | Refused | Repeated:
    """Fund an open account in its own currency."""
    known = state.account_keys.get((request.client, request.idempotency_key))
    if known is not None:
        return REPEATED if known == digest else _KEY_USED_AGAIN
    if not request.source:
        return Refused(Refusal(code.MANDATORY_ELEMENT_MISSING, "source is empty"))
    if len(request.source) > LONGEST_ACCOUNT:
        return Refused(Refusal(code.CONTENT_INCORRECT, f"source is over {LONGEST_ACCOUNT} characters"))
    account = state.accounts.get(request.account)
    if account is None:
        return Refused(Refusal(code.INVALID_CREDITOR_ACCOUNT, "the account is not one of ours"))
    if account.state != "open":
        closed = code.CLOSED_ACCOUNT if account.state == "closed" else code.BLOCKED_ACCOUNT
        return Refused(Refusal(closed, f"the account is {account.state}"))
    if account.currency != request.currency:
        other = f"the account is in {account.currency}"
        return Refused(Refusal(code.INVALID_CREDITOR_ACCOUNT_CURRENCY, other))
    if not 0 < request.amount_minor <= MAX_MINOR:
        return Refused(Refusal(code.INVALID_AMOUNT, "the amount is zero, negative or over 18 digits"))
    held = state.balances.available(lane, request.account, request.currency)
    if held + request.amount_minor > MAX_MINOR:
        return Refused(Refusal(code.INVALID_AMOUNT, "the account would hold more than 18 digits"))
    given = -state.balances.available(lane, posting.funding(request.source), request.currency)
    if given + request.amount_minor > MAX_MINOR:
        return Refused(Refusal(code.INVALID_AMOUNT, "the source would have given more than 18 digits"))
    state.account_keys[request.client, request.idempotency_key] = digest
    funded = posting.funded(entry_id, request.source, request.account, request.amount_minor, request.currency)
    state.balances.apply(lane, funded)
    return Funded(funded)


def decide_refund(
    state: State,
    lane: int,
    notice: PaymentRejectedByBank | PaymentReturned,
    credited_account: str | None = None,
) -> Refunded | Repeated:
    """Give a payment's money back, once and in full. Raises InvariantBroken for one that was never taken.

    `credited_account`: who was told before a restore to have it.
    """
    payment = state.refundable.get(notice.payment_id)
    if payment is None or payment.lane != lane:
        raise InvariantBroken(
            f"settlement gave back {notice.payment_id.hex()}, which this lane never accepted"
        )
    if payment.refunded:
        return REPEATED
    if (payment.amount_minor, payment.currency) != (notice.amount_minor, notice.currency):
        raise InvariantBroken(f"settlement gave back another amount of {notice.payment_id.hex()}")
    account = state.accounts.get(payment.account)
    closed = account is None or account.state == "closed"
    if credited_account is not None:
        closed = credited_account != payment.account
    if closed:
        back = posting.unapplied(
            payment.payment_id, payment.rail, "closed-account", payment.amount_minor, payment.currency
        )
    elif isinstance(notice, PaymentReturned):
        back = posting.refunded(
            payment.payment_id, payment.rail, payment.account, payment.amount_minor, payment.currency
        )
    else:
        back = posting.rejected(
            payment.payment_id, payment.rail, payment.account, payment.amount_minor, payment.currency
        )
    state.refundable[notice.payment_id] = replace(payment, refunded=True)
    state.balances.apply(lane, back)
    return Refunded(back, back.credit_account)
