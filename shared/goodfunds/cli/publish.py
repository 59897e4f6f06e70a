"""`goodfunds publish`: a payment file in, through HTTP as any client would."""

import json
import sys
from pathlib import Path

import click
import httpx

from goodfunds.cli.root import CONSOLE, ERRORS
from goodfunds.local.stack import Stack, find

_SECONDS = 120.0


def post_file(stack: Stack, content: bytes, client: str) -> httpx.Response:
    """POST /v1/payment-files. Raises httpx.HTTPError where ingestion does not answer."""
    return httpx.post(
        f"{stack.url('ingestion')}/v1/payment-files",
        content=content,
        headers={"X-Client": client, "Content-Type": "application/xml"},
        timeout=_SECONDS,
    )


def refusal_lines(answer: httpx.Response) -> list[str]:
    """Why a file was refused, a line an error."""
    told = answer.json()
    lines = [f"{told.get('detail', answer.reason_phrase)}"]
    for error in told.get("errors", []):
        where = f"line {error.get('line')}" + (f", {error['path']}" if error.get("path") else "")
        lines.append(f"  {where}: {error.get('message')} [{error.get('code')}]")
    return lines


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--client", default="local", show_default=True, help="Whose file it is.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def publish(folder: Path, file: Path, client: str, as_json: bool) -> None:
    """Take the payments of FILE (pain.001) in: all of them or none.

    Exit code 1 where the file is refused, with the line and element of each error.
    """
    stack = find(folder)
    try:
        answer = post_file(stack, file.read_bytes(), client)
    except httpx.HTTPError as fault:
        raise RuntimeError(f"ingestion does not answer: {fault}") from fault
    if as_json:
        click.echo(json.dumps(answer.json()))
    elif answer.status_code >= 400:
        ERRORS.print("\n".join(refusal_lines(answer)), highlight=False, markup=False)
    else:
        told = answer.json()
        again = " (it was taken in before; nothing is done twice)" if answer.status_code == 200 else ""
        payments = "1 payment" if told["items"] == 1 else f"{told['items']:,} payments"
        CONSOLE.print(f"{told['message_id']}: {payments} taken in{again}", highlight=False, markup=False)
        CONSOLE.print(f"{stack.url('ingestion')}{answer.headers['Location']}")
    sys.exit(0 if answer.status_code < 400 else 1)
