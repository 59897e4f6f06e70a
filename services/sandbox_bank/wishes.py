"""Faults as a person asks for them, in the environment or over HTTP, and as the books keep them."""

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt

from services.sandbox_bank.faults import Fault, FaultSetting


class FaultWish(BaseModel):
    """One fault as a person asks for it; see `FaultSetting`."""

    model_config = ConfigDict(extra="forbid")

    rate: float = Field(default=0.0, ge=0.0, le=1.0)
    count: StrictInt | None = Field(default=None, ge=0)
    reason: str = Field(default="", pattern=r"^([A-Z0-9]{4})?$")
    answers: tuple[Literal["pain.002", "camt.054"], ...] = ("pain.002", "camt.054")
    seconds: float | None = Field(default=None, ge=0.0)
    order: Literal["", "before", "after"] = ""


def _wish(given: object) -> object:
    # A bare number is a rate: {"reject": 0.01}.
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return {"rate": given}
    return given


FaultWishes = dict[Fault, Annotated[FaultWish, BeforeValidator(_wish)]]


def fault_settings(wishes: FaultWishes) -> dict[str, FaultSetting]:
    """The wishes as the books keep them."""
    return {
        fault.value: FaultSetting(wish.rate, wish.count, wish.reason, wish.answers, wish.seconds, wish.order)
        for fault, wish in wishes.items()
    }
