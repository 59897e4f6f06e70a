"""`goodfunds publish`: a payment file in, through HTTP as any client would."""

import asyncio
import sys
from collections.abc import AsyncIterable, AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO

import click
import httpx
from rich import progress

from goodfunds.access.tokens import CLIENT
from goodfunds.cli.passing import passing_token
from goodfunds.cli.root import CONSOLE, ERRORS, NO, json_option, print_json
from goodfunds.errors import Unavailable
from goodfunds.https import trusted
from goodfunds.local.stack import Stack, find

_SECONDS = 120.0
_CHUNK = 1 << 16


async def post_file(stack: Stack, content: bytes | AsyncIterable[bytes], client: str) -> httpx.Response:
    """POST /v1/payment-files as `client`. Raises httpx.HTTPError where ingestion does not answer."""
    url = f"{stack.url('ingestion')}/v1/payment-files"
    async with (
        passing_token(stack, "ingestion", client, ["payments:write"]) as token,
        httpx.AsyncClient(verify=trusted(), timeout=_SECONDS) as http,
    ):
        return await http.post(
            url,
            content=content,
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/xml"},
        )


def refusal_lines(answer: httpx.Response) -> list[str]:
    """Why a file was refused, a line an error."""
    told = _object(answer)
    lines = [f"{told.get('detail', answer.reason_phrase)}"]
    for error in told.get("errors", []):
        where = f"line {error.get('line')}" + (f", {error['path']}" if error.get("path") else "")
        lines.append(f"  {where}: {error.get('message')} [{error.get('code')}]")
    return lines


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--client", default="local", show_default=True, help="Whose file it is.")
@json_option
@click.pass_obj
def publish(folder: Path, file: Path, client: str, as_json: bool) -> None:
    """Take the payments of FILE (pain.001) in: all of them or none.

    Exit code 1 where the file is refused, with the line and element of each error.

    \b
    goodfunds publish payments.xml
    goodfunds publish payments.xml --client acme --json
    """
    stack = find(folder)
    if CLIENT.fullmatch(client) is None:
        named = "1 to 100 letters, digits, dots, dashes or underscores"
        raise click.BadParameter(named, param_hint="--client")
    with progress.open(
        file, "rb", description=file.name, console=ERRORS, transient=True, disable=not ERRORS.is_terminal
    ) as content:
        try:
            answer = asyncio.run(post_file(stack, _chunks(content), client))
        except httpx.HTTPError as fault:
            raise Unavailable(f"ingestion does not answer: {fault}") from fault
    if answer.status_code >= 500:
        raise Unavailable(f"ingestion cannot take it now: {refusal_lines(answer)[0]}")
    if as_json:
        print_json(_object(answer))
    elif answer.status_code >= 400:
        ERRORS.print("\n".join(refusal_lines(answer)), highlight=False, markup=False)
    else:
        told = _object(answer)
        again = " (it was taken in before; nothing is done twice)" if answer.status_code == 200 else ""
        payments = "1 payment" if told["items"] == 1 else f"{told['items']:,} payments"
        CONSOLE.print(f"{told['message_id']}: {payments} taken in{again}", highlight=False, markup=False)
        CONSOLE.print(f"{stack.url('ingestion')}{answer.headers['Location']}")
    sys.exit(0 if answer.status_code < 400 else NO)


async def _chunks(content: BinaryIO) -> AsyncIterator[bytes]:
    """A file piece by piece: what is no regular file has no size that could be told before."""
    while piece := content.read(_CHUNK):
        yield piece


def _object(answer: httpx.Response) -> dict[str, Any]:
    """What ingestion told. Raises Unavailable where something else has answered in its place."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Unavailable(f"ingestion does not answer: HTTP {answer.status_code} {answer.reason_phrase}")
    return told
