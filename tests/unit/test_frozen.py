"""Records that are made fast are the records that dataclasses make."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from goodfunds.events import types
from goodfunds.frozen import made_fast


@dataclass(frozen=True, slots=True)
class Plain:
    """What `dataclass` makes."""

    name: str
    amount_minor: int
    lines: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)


@made_fast
@dataclass(frozen=True, slots=True)
class Fast:
    """The same, made fast."""

    name: str
    amount_minor: int
    lines: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)


def test_it_takes_the_same_and_is_the_same() -> None:
    for given, named in (
        (("a", 1), {}),
        (("a", 1, ("x",)), {}),
        (("a",), {"amount_minor": 1, "line": 7}),
        ((), {"amount_minor": 1, "name": "a", "lines": ("x",)}),
    ):
        made, plain = Fast(*given, **named), Plain(*given, **named)
        assert type(made) is Fast
        assert [getattr(made, each.name) for each in fields(Fast)] == [
            getattr(plain, each.name) for each in fields(Plain)
        ]
        assert repr(made) == repr(plain).replace("Plain", "Fast")
        assert made == replace(made, line=99)
        assert hash(made) == hash(replace(made, line=99))
        assert made != replace(made, amount_minor=2)
        assert copy.deepcopy(made) == made
        assert pickle.loads(pickle.dumps(made)) == made


@pytest.mark.parametrize(("given", "named"), [(("a",), {}), (("a", 1, (), 0, 5), {}), (("a", 1), {"b": 1})])
def test_it_refuses_the_same(given: tuple[object, ...], named: dict[str, object]) -> None:
    for record in (Plain, Fast):
        with pytest.raises(TypeError):
            record(*given, **named)  # type: ignore[arg-type]


def test_it_is_frozen_and_has_no_room_for_more() -> None:
    made = Fast("a", 1)
    with pytest.raises(FrozenInstanceError):
        made.amount_minor = 2  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        made.more = 2  # type: ignore[attr-defined]
    with pytest.raises(FrozenInstanceError):
        del made.name
    assert made.amount_minor == 1


def test_one_that_needs_more_of_its_constructor_is_refused() -> None:
    @dataclass(frozen=True, slots=True)
    class Factory:
        lines: list[str] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Checked:
        line: int

        def __post_init__(self) -> None:
            raise AssertionError

    @dataclass(frozen=True, slots=True)
    class Child(Plain):
        more: int = 0

    for record in (Factory, Checked, Child):
        with pytest.raises(TypeError, match="needs more"):
            made_fast(record)


def test_every_event_is_made_fast() -> None:
    for event in types.BY_NAME.values():
        assert event.__init__.__code__.co_filename == "<string>", event
        assert "_whole" in event.__init__.__code__.co_names, event
