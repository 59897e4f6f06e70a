"""Plans of replays for a person's eye: what was asked for, what a rehearsal foresees, what came of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import RenderableType
from rich.markup import escape
from rich.table import Table

from goodfunds.cli.figures import amount, counted, instant, signed
from goodfunds.cli.root import table

Plan = Mapping[str, Any]
ENDED_BADLY: Final = ("failed", "drifted", "aborted")
_SAMPLES: Final = 3
"""Rows of a table that are shown; --json holds all that the rehearsal has kept."""
_LISTED: Final = 10
_COUNTED: Final = {
    "records": "records",
    "unchanged": "of them in slices that change nothing",
    "skipped": "beside them skipped",
}
_NOT_EXACT: Final = (
    "[yellow]not exact:[/] it was rehearsed in pieces, so that later records did not see what earlier ones "
    "wrote; the run may do less than this, and never more"
)
_NEXT: Final = {
    "rehearsed": "somebody else: goodfunds replay approve {id}",
    "approved": "goodfunds replay run {id}",
    "running": "goodfunds replay status {id} --follow",
    "paused": "goodfunds replay resume {id}",
}


def is_over(plan: Plan) -> bool:
    """Whether nothing comes of it by itself any more."""
    return plan["given_up"] or plan["state"] not in ("rehearsing", "running")


def has_failed(plan: Plan) -> bool:
    """Whether it did not do what it was for."""
    return bool(plan["given_up"]) or plan["state"] in ENDED_BADLY


def faults_foreseen(plan: Plan) -> int:
    """How many records would fault, as far as a rehearsal has said."""
    return int(((plan["forecast"] or {}).get("faults") or {}).get("count", 0))


def next_step(plan: Plan) -> str | None:
    """What to type next; None where nothing is to be done."""
    if plan["expired"]:
        return "plan again: what was rehearsed says less every minute"
    if plan["kind"] == "release" and plan["state"] == "failed":
        return "mend the cause, which `goodfunds parked list --poison` shows, and release again"
    if plan["given_up"] or plan["state"] in ("failed", "drifted"):
        return "find out why; then plan again: what was done changes nothing the second time"
    told = _NEXT.get(plan["state"])
    return None if told is None else told.format(id=plan["plan_id"])


def plan_lines(plan: Plan) -> Iterator[RenderableType]:
    """All of a plan, piece by piece."""
    yield _facts(plan)
    if plan["forecast"] is not None:
        yield from effects(plan["forecast"], "what it would do" if plan["outcome"] is None else "foreseen")
        if plan["outcome"] is None:
            yield from _samples(plan["forecast"].get("samples", {}))
        if plan["exact"] is False:
            yield _NOT_EXACT
    if plan["outcome"] is not None:
        yield _outcome(plan)
    yield _lanes(plan["lanes"])


def _facts(plan: Plan) -> Table:
    made = table("", "", show_header=False, title_justify="left", title_style="bold",
                 title=f"{plan['kind']} {plan['plan_id']} of {plan['service']}")  # fmt: skip
    made.add_row("state", _state(plan))
    if plan["fault"]:
        made.add_row("why", f"[red]{escape(plan['fault'])}[/]")
    made.add_row("asked for", escape(_told(plan["selection"])))
    if plan["reason"]:
        made.add_row("reason", escape(plan["reason"]))
    made.add_row("planned", f"{instant(plan['planned_at'])} by {escape(plan['planned_by'])}")
    if plan["approved_by"]:
        made.add_row("approved", f"{instant(plan['approved_at'])} by {escape(plan['approved_by'])}")
    if plan["finished_at"]:
        made.add_row("finished", instant(plan["finished_at"]))
    elif not is_over(plan) or plan["state"] in ("rehearsed", "approved"):
        good = instant(plan["expires_at"])
        made.add_row("good until", f"[red]{good}: expired[/]" if plan["expired"] else good)
    made.add_row("done", f"{plan['done']:,} of {counted(plan['total'], 'record')}")
    return made


def _state(plan: Plan) -> str:
    if plan["given_up"]:
        return "[red]given up: the rehearsal ended with its process[/]"
    colour = {"done": "green", "failed": "red", "drifted": "red", "aborted": "yellow"}.get(plan["state"])
    return f"[{colour}]{plan['state']}[/]" if colour else str(plan["state"])


def _told(selection: Mapping[str, Any]) -> str:
    flat: dict[str, Any] = {}
    for name, value in selection.items():
        if isinstance(value, dict):
            flat |= {f"parked {k}": v for k, v in value.items()} or {"parked": "all"}
        else:
            flat[name] = value
    return ", ".join(f"{name} {_plain(value)}" for name, value in flat.items()) or "all"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        more = f" and {len(value) - _LISTED} more" if len(value) > _LISTED else ""
        return " ".join(map(_plain, value[:_LISTED])) + more
    if isinstance(value, dict):
        return f"{value.get('topic')}/{value.get('partition')}@{value.get('offset')}"
    return str(value)


def effects(told: Mapping[str, Any], title: str) -> Iterator[RenderableType]:
    """A forecast or an outcome: counts first, then rows before → after, money, what stands in the way."""
    made = table("what", "of", "how many", right=["how many"], title=title, title_justify="left",
                 title_style="bold", show_header=False)  # fmt: skip
    for name, text in _COUNTED.items():
        if told.get(name) or name == "records":
            made.add_row(text, "", f"{told.get(name, 0):,}")
    for currency, parked in told.get("parked", {}).items():
        minor = amount(parked["amount_minor"], currency or None)
        made.add_row("given up", counted(parked["events"], "event"), minor)
    for each in told.get("first", ()):
        place = f"{each['topic']}/{each['partition']}@{each['offset']}"
        minor = "" if each["amount_minor"] is None else amount(each["amount_minor"], each["currency"])
        made.add_row("", escape(place), minor)
    for name, found in told.get("rows", {}).items():
        for operation, count in found.items():
            made.add_row("rows", escape(f"{name}: {operation}"), f"{count:,}")
    for topic, found in told.get("events", {}).items():
        for event_type, count in found.items():
            made.add_row("events", escape(f"{topic}: {event_type}"), f"{count:,}")
    for code, count in told.get("refusals", {}).items():
        made.add_row("refused", escape(code), f"{count:,}")
    for currency, accounts in told.get("money", {}).items():
        for account, minor in sorted(accounts.items(), key=lambda each: -abs(each[1]))[:_LISTED]:
            made.add_row("money", escape(account), signed(minor, currency))
        if len(accounts) > _LISTED:
            made.add_row("money", f"and {counted(len(accounts) - _LISTED, 'account')} more", "--json")
    if not any(told.get(name) for name in ("rows", "events", "refusals", "money", "parked")):
        made.add_row("[green]nothing changes[/]", "", "")
    yield made
    yield from _faults(told.get("faults", {}))


def _outcome(plan: Plan) -> Table:
    made = table("what", "how many", right=["how many"], title="what it did", title_justify="left",
                 title_style="bold", show_header=False)  # fmt: skip
    for name, count in plan["outcome"].items():
        made.add_row(escape(name.replace("_", " ")), f"{count:,}" if isinstance(count, int) else str(count))
    if plan["forecast_digest"] is not None and plan["state"] == "done":
        as_rehearsed = plan["forecast_digest"] == plan["outcome_digest"]
        made.add_row("as rehearsed", "to the row" if as_rehearsed else "not all of it was left to do")
    return made


def _samples(samples: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[RenderableType]:
    for name, found in samples.items():
        more = f", {_SAMPLES} of the {len(found)} in --json" if len(found) > _SAMPLES else ""
        yield f"[bold]{escape(name)}[/]{more}"
        for each in found[:_SAMPLES]:
            yield escape(sample_line(each))


def sample_line(change: Mapping[str, Any]) -> str:
    """A row that would change: its key, and what it would hold; of an update what differs, before → after."""
    key, before, after = change["key"], change["before"] or {}, change["after"] or {}
    currency = {**key, **before, **after}.get("currency")
    named = ", ".join(f"{column} {value}" for column, value in key.items())
    if change["before"] is None or change["after"] is None:
        row = after or before
        held = [column for column in row if column not in key and row[column] not in (None, "")]
        told = " ".join(f"{column}={_value(row, column, currency)}" for column in held)
    else:
        told = "\n    ".join(
            f"{column}: {_value(before, column, currency)} → {_value(after, column, currency)}"
            for column in {**before, **after}
        )
    return f"  {change['operation']} {named}\n    {told}"


def _value(row: Mapping[str, Any], column: str, currency: str | None) -> str:
    value = row.get(column, "")
    if isinstance(value, str):
        return value
    if column.endswith("_minor") and isinstance(value, int) and currency is not None:
        return amount(value, currency)
    return json.dumps(value, ensure_ascii=False)


def _faults(faults: Mapping[str, Any]) -> Iterator[RenderableType]:
    first = faults.get("first", ())[:_LISTED]
    for each in first:
        place = f"{each['topic']}/{each['partition']}@{each['offset']}"
        yield f"[red]would fault[/] {escape(place)}: {escape(each['fault'])}"
    if faults.get("count", 0) > len(first):
        yield f"[red]and {counted(faults['count'] - len(first), 'further record')} would fault[/]"


def _lanes(lanes: Sequence[Mapping[str, Any]]) -> Table:
    made = table("lane", "range", "done", "rows", "events", "state", right=["lane", "done", "rows", "events"])
    for each in lanes:
        ranges = "\n".join(map(_range, each["ranges"]))
        state = escape(f"{each['state']}: {each['fault']}" if each["fault"] else each["state"])
        made.add_row(
            str(each["lane"]), escape(ranges), f"{each['handled'] + each['skipped']:,} of {each['total']:,}",
            f"{each['rows_changed']:,}", f"{each['events_emitted']:,}", state,
        )  # fmt: skip
    return made


def _range(part: Mapping[str, Any]) -> str:
    return f"{part['topic'] or 'outbox'} {part['first']} to {part['end']}"


def listed(plan: Plan) -> str:
    """A plan of a list in two lines, the first of which begins with its id."""
    approved = f", approved by {plan['approved_by']}" if plan["approved_by"] else ""
    state = "given up" if plan["given_up"] else "expired" if plan["expired"] else plan["state"]
    done = f"{plan['done']:,} of {plan['total']:,}"
    return (
        f"{plan['plan_id']}  {plan['kind']} of {plan['service']}, {state}, {done}\n"
        f"{'':38}{instant(plan['planned_at'])} by {plan['planned_by']}{approved}: {plan['reason']}"
    )
