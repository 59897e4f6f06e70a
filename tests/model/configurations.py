"""What is checked: how many instances, which records, which faults and how many, which mutation."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

Id = str


class Record(NamedTuple):
    """A record on an input. `to`: the destinations of its event; `seq` and `incarnation` of its producer.

    `kind`: plain; poison (its handler faults); behind (of a poison's account); wrong (of another lane).
    """

    id: Id
    to: tuple[int, ...] = (0,)
    seq: int = 0
    incarnation: int = 1
    kind: str = "plain"


CLIENT, SERVICE = 0, 1
"""The input that clients may write, where keys count, and that of another service, where numbers count."""


@dataclass(frozen=True)
class Configuration:
    """A world to be searched whole.

    `inputs`: by lane, by topic. `forwarded`: the destination whose records the second lane reads as its
    client's topic. `kinds`: the faults that may strike, at most `faults` of them in one story. `batch`:
    records of one transaction. `restores`: how often a database may be set back; the first `announced`
    of them with `goodfunds db restored`, the others without a word.
    """

    name: str
    instances: int = 2
    inputs: tuple[tuple[tuple[Record, ...], ...], ...] = (((), ()),)
    destinations: int = 1
    forwarded: int = -1
    faults: int = 1
    kinds: frozenset[str] = frozenset()
    batch: int = 2
    restores: int = 0
    announced: int = 0
    mutations: frozenset[str] = field(default_factory=frozenset)

    def mutated(self, *names: str) -> "Configuration":
        """The same world with rules broken."""
        return replace(self, mutations=frozenset(names))


CRASH, FREEZE, REBALANCE = "crash", "freeze", "rebalance"
COMMIT, TAKEOVER, DELIVERY = "commit unknown", "takeover unknown", "delivery failed"
EVERY = frozenset({CRASH, FREEZE, REBALANCE, COMMIT, TAKEOVER, DELIVERY})


def client(*ids: str, to: tuple[int, ...] = (0,)) -> tuple[Record, ...]:
    """Records on the client's topic."""
    return tuple(Record(each, to) for each in ids)


def service(*ids: str, to: tuple[int, ...] = (0,)) -> tuple[Record, ...]:
    """Another service's events, the first of them twice: a tail that was published again."""
    once = tuple(Record(each, to, seq) for seq, each in enumerate(ids, 1))
    return once + once


SMALL = (
    Configuration(
        "two topics",
        inputs=((client("a"), service("u")),),
        batch=1,
        kinds=EVERY - {FREEZE},
    ),
    Configuration("commits ahead of acknowledgements", inputs=((client("a", "b"), ()),), kinds=EVERY),
    Configuration(
        "a poison event and its account",
        inputs=(((Record("p", kind="poison"), Record("q", kind="behind"), Record("a")), ()),),
        batch=1,
        kinds=EVERY,
    ),
    Configuration(
        "a number for each destination",
        inputs=(((Record("a", (0, 1)), Record("b", (1,))), ()),),
        destinations=2,
        batch=1,
        kinds=frozenset({CRASH, DELIVERY}),
    ),
    Configuration(
        "a record on the wrong lane",
        inputs=(((Record("w", (2,), kind="wrong"),), ()), ((), ())),
        destinations=3,
        forwarded=1,
        kinds=frozenset({CRASH, DELIVERY, COMMIT}),
    ),
    Configuration(
        "a database set back, and nobody said so",
        instances=1,
        inputs=((client("a"), service("u")),),
        batch=1,
        kinds=frozenset({CRASH, COMMIT}),
        restores=1,
        announced=0,
    ),
    Configuration(
        "a database set back and announced",
        instances=1,
        inputs=((client("a"), service("u")),),
        batch=1,
        kinds=frozenset({CRASH, COMMIT}),
        restores=1,
        announced=1,
    ),
)
"""What the suite searches."""

(
    TWO_TOPICS, COMMITS_AHEAD, POISON, DESTINATIONS, WRONG_LANE, SET_BACK, RESTORED,
) = SMALL  # fmt: skip

LARGE = (
    replace(TWO_TOPICS, name="two topics, every fault", kinds=EVERY),
    replace(TWO_TOPICS, name="two topics, two faults", faults=2),
    replace(
        TWO_TOPICS,
        name="two topics, another service's tail sent again",
        inputs=((client("a"), service("u", "v")[:3]),),
        kinds=frozenset({CRASH, COMMIT, DELIVERY}),
    ),
    replace(COMMITS_AHEAD, name="commits ahead, two faults", faults=2),
    replace(
        COMMITS_AHEAD,
        name="three instances, two faults",
        instances=3,
        faults=2,
        inputs=((client("a"), ()),),
        kinds=EVERY - {DELIVERY},
    ),
    replace(POISON, name="a poison event, two faults", faults=2),
    replace(DESTINATIONS, name="a number for each destination, every fault", kinds=EVERY),
    replace(
        WRONG_LANE,
        name="a record on the wrong lane, and lanes change hands",
        kinds=EVERY - {FREEZE, TAKEOVER},
    ),
    replace(
        RESTORED,
        name="set back twice to one backup",
        restores=2,
        announced=2,
        inputs=((client("a", "b"), ()),),
    ),
    replace(RESTORED, name="set back twice, and once unsaid", restores=2, inputs=((client("a", "b"), ()),)),
    replace(
        RESTORED,
        name="set back, two instances",
        instances=2,
        inputs=((client("a", "b"), ()),),
        kinds=EVERY - {FREEZE},
    ),
    replace(
        SET_BACK,
        name="set back and unsaid, two instances",
        instances=2,
        inputs=((client("a"), ()),),
        kinds=EVERY,
    ),
)
"""What `make model` searches as well."""
