"""Rules of the protocol, each broken on purpose, and the smallest world in which that shows."""

from dataclasses import dataclass, replace

from tests.model import admission, publishing, restoring, takeover, work
from tests.model.configurations import (
    COMMIT,
    COMMITS_AHEAD,
    CRASH,
    DELIVERY,
    DESTINATIONS,
    EVERY,
    FREEZE,
    REBALANCE,
    RESTORED,
    SET_BACK,
    TWO_TOPICS,
    WRONG_LANE,
    Configuration,
    client,
    service,
)


@dataclass(frozen=True)
class Mutation:
    """A broken rule. `shows`: a part of what the search must say of it."""

    rule: str
    world: Configuration
    shows: str

    def configuration(self) -> Configuration:
        """Its world, with the rule broken."""
        return self.world.mutated(self.rule)


_ONE_TOPIC = replace(COMMITS_AHEAD, kinds=EVERY - {FREEZE})
_SERVICE = replace(TWO_TOPICS, inputs=(((), service("u", "v")),))
_TWICE = replace(RESTORED, restores=2)
_ONE_KNOWN_ONE_TOLD_ONE_NEW = replace(RESTORED, inputs=((client("a", "b", "c"), ()),))
_BACKUP_WITH_TAIL = replace(RESTORED, inputs=((client("a", "b"), ()),))

MUTATIONS = (
    Mutation(takeover.TAIL_IN_TAKE, _ONE_TOPIC, "counts as published"),
    Mutation(takeover.UNCONFIRMED, replace(_ONE_TOPIC, faults=2), "owners whose next transaction"),
    Mutation(takeover.DROPS, replace(_ONE_TOPIC, faults=2), "no way leads"),
    Mutation(takeover.NUMBERS_FORGOTTEN, _ONE_TOPIC, "means two events"),
    Mutation(
        work.NO_FENCE, replace(_ONE_TOPIC, kinds=frozenset({REBALANCE})), "owners whose next transaction"
    ),
    Mutation(work.BEFORE_ACKNOWLEDGED, _ONE_TOPIC, "counts as published"),
    Mutation(work.PAST_A_HOLE, DESTINATIONS, "counts as published"),
    Mutation(work.UNKNOWN_GOES_ON, replace(_ONE_TOPIC, kinds=frozenset({COMMIT})), "never committed"),
    Mutation(
        publishing.TWO_ON_THE_WAY, replace(_ONE_TOPIC, kinds=frozenset({CRASH, DELIVERY})), "does not follow"
    ),
    Mutation(admission.LAST_EQUALS, _SERVICE, "handled twice"),
    Mutation(admission.OFFSETS_APART, _SERVICE, "handled, and its offset was not moved"),
    Mutation(admission.WATERMARK_APART, _SERVICE, "though nothing is missing"),
    Mutation(admission.NO_KEYS, WRONG_LANE, "handled twice"),
    Mutation(admission.ONE_NUMBER, DESTINATIONS, "does not follow"),
    Mutation(restoring.NO_NET, SET_BACK, "means two events"),
    Mutation(restoring.OWN_NAME_ONLY, _TWICE, "does not follow"),
    Mutation(restoring.NO_ADOPTION, RESTORED, "no way leads"),
    Mutation(restoring.NUMBERS_KEPT, _ONE_KNOWN_ONE_TOLD_ONE_NEW, "does not follow"),
    Mutation(restoring.NUMBERS_ANEW, RESTORED, "means two events"),
    Mutation(restoring.TAIL_WHOLE, _BACKUP_WITH_TAIL, "does not follow"),
    Mutation(restoring.TAIL_FORGOTTEN, _BACKUP_WITH_TAIL, "counts as published"),
    Mutation(restoring.OLD_LIFE, RESTORED, "does not follow"),
    Mutation(restoring.FACTS_AFTER, RESTORED, "told twice"),
    Mutation(admission.REDECIDED, RESTORED, "handled twice"),
)
