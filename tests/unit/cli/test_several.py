"""Where one of several services does not answer, what the others have is told, and that it is not all."""

from collections.abc import Mapping
from typing import Any

import pytest

from goodfunds.cli.operators import Operator, Refused
from goodfunds.cli.several import exit_code, first_that_has, of_those_that_answer
from goodfunds.errors import Unavailable

NOT_THERE = {"detail": "no plan has that id"}


class Asked(Operator):
    """Answers for each service with what is given, or raises it."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.names = tuple(answers)
        self.answers = answers

    async def get(self, service: str, path: str, within: float = 1.0, **asked: Any) -> Any:
        answer = self.answers[service]
        if isinstance(answer, Exception):
            raise answer
        return answer


AWAY = Unavailable("ingestion does not answer")
NONE = Refused("reconciliation", 404, NOT_THERE)


async def test_what_the_others_have_is_told_beside_who_is_silent() -> None:
    operator = Asked({"ingestion": AWAY, "settlement": 7})
    told, silent = await of_those_that_answer(operator.names, lambda name: operator.get(name, "/"))
    assert (told, silent) == ({"settlement": 7}, {"ingestion": "ingestion does not answer"})
    assert (exit_code(silent), exit_code({})) == (1, 0)
    with pytest.raises(Unavailable):
        await of_those_that_answer(["ingestion"], lambda name: operator.get(name, "/"))


async def test_a_thing_is_found_past_a_service_that_is_away() -> None:
    found = Asked({"ingestion": AWAY, "reconciliation": NONE, "settlement": {"plan": 7}})
    assert await first_that_has(found, found.names, "/") == ("settlement", {"plan": 7})


async def test_that_nobody_has_a_thing_is_known_only_where_all_have_answered() -> None:
    unsure = Asked({"ingestion": AWAY, "reconciliation": NONE})
    with pytest.raises(Unavailable, match="no plan has that id; ingestion does not answer"):
        await first_that_has(unsure, unsure.names, "/")
    sure = Asked({"ingestion": Refused("ingestion", 404, NOT_THERE), "reconciliation": NONE})
    with pytest.raises(Refused):
        await first_that_has(sure, sure.names, "/")
    forbidden = Asked({"ingestion": Refused("ingestion", 403, {"detail": "no scope"}), "settlement": 7})
    with pytest.raises(Refused, match="no scope"):
        await first_that_has(forbidden, forbidden.names, "/")
