"""Asking several services at once: what each has, and which of them does not answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from goodfunds.cli.operators import Operator, Refused
from goodfunds.cli.root import ERRORS, NO
from goodfunds.errors import Unavailable

T = TypeVar("T")


async def of_each(
    names: Sequence[str], ask: Callable[[str], Awaitable[T]]
) -> tuple[dict[str, T], dict[str, str]]:
    """(name → what it answers, name → why it does not)."""
    answers = await asyncio.gather(*map(ask, names), return_exceptions=True)
    told: dict[str, T] = {}
    silent: dict[str, str] = {}
    for name, answer in zip(names, answers, strict=True):
        if isinstance(answer, Unavailable):
            silent[name] = str(answer)
        elif isinstance(answer, BaseException):
            raise answer
        else:
            told[name] = answer
    return told, silent


async def of_those_that_answer(
    names: Sequence[str], ask: Callable[[str], Awaitable[T]]
) -> tuple[dict[str, T], dict[str, str]]:
    """As `of_each`. Raises Unavailable where none answers: nothing is known then."""
    told, silent = await of_each(names, ask)
    if not told:
        raise Unavailable("; ".join(silent.values()))
    return told, silent


async def first_that_has(operator: Operator, names: Sequence[str], path: str) -> tuple[str, Any]:
    """(name, answer) of the first service that has something at `path`.

    Raises Refused where none has it, Unavailable where one that might does not answer.
    """
    refusals, silent = list[Refused](), list[Unavailable]()
    for name in names:
        try:
            return name, await operator.get(name, path)
        except Unavailable as fault:
            silent.append(fault)
        except Refused as refused:
            if refused.status != 404:
                raise
            refusals.append(refused)
    if silent:
        told = "; ".join(map(str, (*refusals, *silent)))
        raise Unavailable(told)
    raise refusals[-1]


def exit_code(silent: Mapping[str, str]) -> int:
    """That of an answer which lacks what these services have; they are told on stderr."""
    for why in silent.values():
        ERRORS.print(why, highlight=False, markup=False)
    return NO if silent else 0
