"""What every process is told from outside: environment variables with the prefix GOODFUNDS_."""

import os
import socket
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from goodfunds.access.rate import Rate
from goodfunds.lanes import LaneSettings
from goodfunds.sftp import SftpAddress


class ProcessSettings(BaseSettings):
    """What a process needs that reads topics and answers HTTP."""

    model_config = SettingsConfigDict(env_prefix="GOODFUNDS_", frozen=True)

    kafka: str
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=0, le=65_535)


class LaneProcessSettings(ProcessSettings):
    """What a process needs that works lanes or a feed. `postgres` names no database.

    `replicated`: refuse to start on topics without three replicas and two in sync; off for one broker.
    The rest is for tuning, see docs/tuning.md: `batch` records of one transaction, `linger` seconds at
    most, `in_flight` events, `connections` of the readers beside the lanes' one. `rate`: requests a second
    with one token, `burst` at once.
    """

    postgres: str
    partitions: int = Field(default=12, ge=1, le=9_999)
    replicated: bool = True
    # Below 100 a transaction costs more than its records; above 5,000 a batch only waits longer.
    batch: int = Field(default=2_000, ge=100, le=5_000)
    linger: float = Field(default=0.05, ge=0, le=1)
    in_flight: int = Field(default=20_000, ge=1_000, le=200_000)
    connections: int = Field(default=4, ge=2, le=50)
    rate: float = Field(default=100, ge=1, le=10_000)
    burst: int = Field(default=200, ge=1, le=100_000)

    def dsn(self, database: str) -> str:
        """A service's own database."""
        return f"{self.postgres.rstrip('/')}/{database}"

    def request_rate(self) -> Rate:
        """How often a token may be used."""
        return Rate(self.rate, self.burst)

    def lanes(self, database: str) -> LaneSettings:
        """How this process works its lanes; the owner is named by host and process id."""
        return LaneSettings(
            dsn=self.dsn(database),
            bootstrap=self.kafka,
            partitions=self.partitions,
            owner=f"{socket.gethostname()}/{os.getpid()}",
            batch=self.batch,
            longest_linger=self.linger,
            in_flight=self.in_flight,
            replicated=self.replicated,
        )


class BankProcessSettings(LaneProcessSettings):
    """What a feed needs that talks to our bank. `nostro` is our account there; `bank_timeout` is seconds."""

    nostro: str = Field(min_length=1, max_length=34)
    bank_sftp: str = Field(pattern=r"^\S+:\d{1,5}$")
    bank_sftp_user: str
    bank_sftp_password: SecretStr
    bank_host_key: Path | None = None
    bank_timeout: float = Field(default=30.0, gt=0)

    def sftp(self) -> SftpAddress:
        """Where the bank's SFTP is."""
        host, _, port = self.bank_sftp.rpartition(":")
        return SftpAddress(
            host,
            int(port),
            self.bank_sftp_user,
            self.bank_sftp_password.get_secret_value(),
            self.bank_host_key,
            self.bank_timeout,
        )
