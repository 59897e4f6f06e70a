"""Settings of reconciliation's processes, read from the environment (prefix GOODFUNDS_)."""

from pathlib import Path

from pydantic import Field, SecretStr

from goodfunds.settings import LaneProcessSettings, ProcessSettings


class StatementSettings(LaneProcessSettings):
    """What the statement reader needs besides. `bank_timeout` is seconds."""

    nostro: str = Field(min_length=1, max_length=34)
    bank_sftp: str = Field(pattern=r"^\S+:\d{1,5}$")
    bank_sftp_user: str
    bank_sftp_password: SecretStr
    bank_host_key: Path | None = None
    bank_timeout: float = Field(default=30.0, gt=0)


class ControlTotalSettings(ProcessSettings):
    """What the control totals need besides: the folder with the schemas and their ids."""

    schemas: Path = Path(__file__).parents[2] / "schemas"
