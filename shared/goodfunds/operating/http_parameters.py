"""What places in topics may look like in paths and queries."""

from typing import Annotated, Final

from fastapi import Path, Query

_LARGEST_OFFSET: Final = 2**63 - 1
MOST_LANES: Final = 10_000
_TOPIC: Final = r"^[A-Za-z0-9._-]+$"

Topic = Annotated[str, Path(max_length=249, pattern=_TOPIC)]
Partition = Annotated[int, Path(ge=0, lt=MOST_LANES)]
Offset = Annotated[int, Path(ge=0, le=_LARGEST_OFFSET)]
AnyTopic = Annotated[str | None, Query(max_length=249, pattern=_TOPIC)]
AnyPartition = Annotated[int | None, Query(ge=0, lt=MOST_LANES)]
