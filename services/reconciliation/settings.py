"""Settings of reconciliation's processes, read from the environment (prefix GOODFUNDS_)."""

from pathlib import Path

from goodfunds.settings import ProcessSettings


class ControlTotalSettings(ProcessSettings):
    """What the control totals need besides: the folder with the schemas and their ids."""

    schemas: Path = Path(__file__).parents[2] / "schemas"
