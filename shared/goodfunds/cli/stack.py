"""`goodfunds up`, `status` and `down`: the local stack."""

import asyncio
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import click
from rich.table import Table

from goodfunds.cli.root import CONSOLE, ERRORS, NO, TOLD, json_option, print_json, refuse, say, table, waiting
from goodfunds.cli.standing import Standing, money_table, read_standing
from goodfunds.local import stack as local


@click.command()
@click.option(
    "--partitions", type=click.IntRange(1, 9_999), default=12, show_default=True, help="Lanes, for life."
)
@click.option("--only-infrastructure", is_flag=True, help="Kafka and Postgres alone.")
@click.option("--stack", "provider", type=click.Choice(["embedded", "docker"]), default=None,
              help="Kafka and Postgres from packages (default) or as containers.")  # fmt: skip
@json_option
@click.pass_obj
def up(folder: Path, partitions: int, only_infrastructure: bool, provider: str | None, as_json: bool) -> None:
    """Start Kafka, Postgres and the eight processes, or what of them does not run.

    \b
    goodfunds up                      the whole stack, which stays up
    goodfunds up --only-infrastructure
    goodfunds up --stack docker       Kafka and Postgres as containers
    GOODFUNDS_KAFKA=… GOODFUNDS_POSTGRES=… goodfunds up     on servers of your own
    """
    stack = local.up(folder, partitions, only_infrastructure, say=say, provider=provider)
    states = _states(stack)
    if as_json:
        print_json(_facts(stack, states))
    else:
        _print(stack, states, {})


@click.command()
@json_option
@click.pass_obj
def status(folder: Path, as_json: bool) -> None:
    """Show what runs, how far each service is behind its topics, and the money that waits.

    Exit code 1 if anything of the stack does not run, or is not ready.

    \b
    goodfunds status
    goodfunds status --json | jq '.money[] | select(.state == "unknown")'
    """
    stack = local.read(folder.resolve())
    if stack is None or not (stack.running or stack.containers):
        if as_json:
            print_json({"processes": {}})
        refuse("no stack is up: start one with `goodfunds up`")
    with waiting("asking"):
        states, standing = _states(stack), _standing(stack)
    if as_json:
        print_json({**_facts(stack, states), **(asdict(standing) if standing else {})})
    else:
        _print(stack, states, standing.lags if standing else {})
        if standing is None:
            ERRORS.print("lag and money are not known: Kafka or Postgres does not answer")
        elif standing.money:
            CONSOLE.print(money_table(standing.money))
        else:
            CONSOLE.print("no money waits: all of it is at its end")
    sys.exit(0 if set(states.values()) == {"ready"} else NO)


@click.command()
@click.option("--wipe", is_flag=True, help="Remove all data of the stack as well.")
@json_option
@click.pass_obj
def down(folder: Path, wipe: bool, as_json: bool) -> None:
    """Stop the stack; its data stays for the next `up`, unless it is wiped.

    \b
    goodfunds down
    goodfunds down --wipe               and remove all its data
    """
    stack = local.read(folder.resolve())
    ran = [] if stack is None else [name for name in stack.running if stack.alive(name)]
    existed = folder.exists()
    if wipe:
        local.wipe(folder, say)
        if existed:
            say(f"removed {folder}")
    elif stack is not None:
        local.down(stack, say)
    if as_json:
        print_json({"stopped": [*ran, *(stack.containers if stack else ())], "wiped": wipe and existed})


def _standing(stack: local.Stack) -> Standing | None:
    """None where the databases or the broker do not tell: the table says what is the matter."""
    try:
        return asyncio.run(read_standing(stack))
    except TOLD:
        return None


def _states(stack: local.Stack) -> dict[str, str]:
    """By name: ready, dead, or why a process is not ready."""
    return {name: _state(stack, name) for name in (*stack.containers, *stack.running)}


def _state(stack: local.Stack, name: str) -> str:
    if name in stack.containers:
        return "dead" if name in local.dead(stack) else "ready"
    if not stack.running[name].alive():
        return "dead"
    if name not in stack.http:
        return "ready"
    reasons = local.unready(stack, name)
    return "; ".join(reasons) if reasons else "ready"


def _facts(stack: local.Stack, states: Mapping[str, str]) -> dict[str, object]:
    processes: dict[str, dict[str, object]] = {
        name: {"container": container, "state": states[name]} for name, container in stack.containers.items()
    }
    for name, running in stack.running.items():
        processes[name] = {
            "pid": running.pid,
            "http": stack.url(name) if name in stack.http else None,
            "memory_mb": round(local.memory_mb(running), 1),
            "state": states[name],
        }
    return {
        "kafka": stack.kafka,
        "postgres": _masked(stack.postgres),
        "partitions": stack.partitions,
        "bank_sftp": f"127.0.0.1:{stack.bank_sftp_port}",
        "providers": stack.providers,
        "processes": processes,
    }


def _masked(url: str) -> str:
    return re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", url)


def _print(stack: local.Stack, states: Mapping[str, str], lags: Mapping[str, int]) -> None:
    title = f"{stack.folder}: Kafka {stack.kafka}, {_masked(stack.postgres)}"
    CONSOLE.print(title, highlight=False, markup=False)
    CONSOLE.print(_table(stack, states, lags))
    for name, state in states.items():
        if state not in ("ready", "dead"):
            CONSOLE.print(f"{name}: {state}", style="red", highlight=False, markup=False)


def _table(stack: local.Stack, states: Mapping[str, str], lags: Mapping[str, int]) -> Table:
    made = table("process", "pid", "HTTP", "MB", "lag", "state", right=["pid", "MB", "lag"])
    rows = [(name, container[:12], "", "") for name, container in stack.containers.items()]
    rows += [
        (
            name,
            str(running.pid),
            stack.url(name).removeprefix("http://") if name in stack.http else "",
            f"{local.memory_mb(running):.0f}",
        )
        for name, running in stack.running.items()
    ]
    for row in rows:
        state = states[row[0]] if states[row[0]] in ("ready", "dead") else "not ready"
        colour = "green" if state == "ready" else "red"
        lag = f"{lags[row[0]]:,}" if row[0] in lags else ""
        made.add_row(*row, lag, f"[{colour}]{state}[/]")
    return made
