"""Settings of ingestion's processes, read from the environment (prefix GOODFUNDS_)."""

from pydantic import Field

from goodfunds.settings import LaneProcessSettings


class Settings(LaneProcessSettings):
    """What both processes need. `largest_file` is in bytes."""

    largest_file: int = Field(default=64 * 1024 * 1024, gt=0)
