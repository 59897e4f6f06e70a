"""Ingestion's decisions: accept or reject a payment, open and fund accounts, give money back. Pure."""

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
from goodfunds.money import MAX_MINOR
from goodfunds.rails import reasons as code
from goodfunds.rails import requests
from goodfunds.rails.reasons import Refusal, first
from services.ingestion.model import (
    GRANTED,
    REPEATED,
    Accepted,
    Account,
    Funded,
    Granted,
    Opened,
    Refunded,
    Refused,
    Rejected,
    Repeated,
    State,
)

_KEY_USED_AGAIN = Refused(Refusal(code.DUPLICATION, "the idempotency key was used with another body"))


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
    found = requests.payment(instruction)
    amount, currency = instruction.amount_minor, instruction.currency
    account = state.accounts.get(instruction.debtor_account)
    if account is None:
        found.append(Refusal(code.INVALID_DEBTOR_ACCOUNT, "the debtor's account is not one of ours"))
    elif account.state == "closed":
        found.append(Refusal(code.CLOSED_DEBTOR_ACCOUNT, "the debtor's account is closed"))
    elif account.state == "blocked":
        found.append(Refusal(code.BLOCKED_ACCOUNT, "the debtor's account is blocked"))
    elif account.currency != currency:
        found.append(Refusal(code.INVALID_DEBTOR_ACCOUNT_CURRENCY, f"the account is in {account.currency}"))
    if state.balances.available(lane, instruction.debtor_account, currency) < amount:
        found.append(Refusal(code.INSUFFICIENT_FUNDS, "the account does not hold the amount"))
    return first(found) if found else None


def decide_opening(
    state: State, lane: int, request: AccountOpenRequested, digest: bytes
) -> Opened | Granted | Refused | Repeated:
    """Open an account. One that exists with the same currency and name is granted already."""
    known = state.account_keys.get((request.client, request.idempotency_key))
    if known is not None:
        return REPEATED if known == digest else _KEY_USED_AGAIN
    unfit = requests.opening(request)
    if unfit is not None:
        return Refused(unfit)
    account = Account(request.account, lane, request.currency, request.name)
    existing = state.accounts.get(request.account)
    if existing is not None:
        if existing == account:
            state.account_keys[request.client, request.idempotency_key] = digest
            return GRANTED
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
    unfit = requests.funding(request)
    if unfit is not None:
        return Refused(unfit)
    account = state.accounts.get(request.account)
    if account is None:
        return Refused(Refusal(code.INVALID_CREDITOR_ACCOUNT, "the account is not one of ours"))
    if account.state != "open":
        closed = code.CLOSED_ACCOUNT if account.state == "closed" else code.BLOCKED_ACCOUNT
        return Refused(Refusal(closed, f"the account is {account.state}"))
    if account.currency != request.currency:
        other = f"the account is in {account.currency}"
        return Refused(Refusal(code.INVALID_CREDITOR_ACCOUNT_CURRENCY, other))
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
