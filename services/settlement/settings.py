"""Settings of settlement's processes, read from the environment (prefix GOODFUNDS_)."""

from pydantic import Field

from goodfunds.settings import BankProcessSettings, LaneProcessSettings


class Settings(LaneProcessSettings):
    """What the lanes need."""

    nostro: str = Field(min_length=1, max_length=34)
    nostro_currency: str = Field(default="EUR", pattern="^[A-Z]{3}$")


class GatewaySettings(BankProcessSettings):
    """What the gateway needs. `late_wait`: seconds that sealed lanes wait for those that are late.

    `bank_silence`: seconds after which a bank is asked for what it has not answered; one answers within
    minutes. `restore_wait`: seconds after `goodfunds db restored` in which a file of the life before may
    still reach the bank (a gateway that was frozen as it sent one); nothing is sent before.
    """

    bank_http: str
    late_wait: float = Field(default=30.0, ge=0)
    bank_silence: float = Field(default=600.0, gt=0)
    restore_wait: float = Field(default=1800.0, ge=0)
    nostro_bic: str = ""
    house_name: str = Field(min_length=1)
