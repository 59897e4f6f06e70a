"""A service's state made anew from the topics, beside the live one, and put in its place where both agree.

A rebuild is refused, or it builds; what is built differs, or it agrees; what agrees is compared alone, or it
is swapped. What holds in each of these:

- Until the swap nothing of the live state is written, and no lane waits. The shadow is a schema of its own,
  and whatever ends a rebuild early leaves at most that; the next one drops it and begins anew.
- The shadow handles what the live lanes have handled: each topic's records in order from the first to the
  lane's offset, each once, by the service's own handler and the lanes' own admission. Nothing is published.
- Compared is one moment: the live rows with the offsets that they were committed with, and the shadow at
  exactly these offsets, nothing due in either.
- A swap is one transaction in which the lanes stand: the shadow is caught up, compared once more and moved
  in. It commits with everything or with nothing, and keeps offsets, watermarks, numbering and outbox as they
  are, so that the lanes go on where they stood.
"""

from goodfunds.rebuild.refusals import CannotRebuild
from goodfunds.rebuild.run import Outcome, Tell, rebuild
from goodfunds.rebuild.tables import Rebuild, Rebuilt

__all__ = ["CannotRebuild", "Outcome", "Rebuild", "Rebuilt", "Tell", "rebuild"]
