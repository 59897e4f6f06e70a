"""`goodfunds registry`: serves the schemas as a Confluent-compatible registry, for programs that want one."""

import asyncio
import contextlib
from ipaddress import ip_address
from pathlib import Path

import click

from goodfunds.cli.root import CONSOLE, json_option, print_json
from goodfunds.registry import find_schemas, read_catalogue

schemas_option = click.option(
    "--schemas",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="A folder with registry.lock.json and history; by default the one that goes with goodfunds.",
)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="IP address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65_535), default=8081, show_default=True, help="0: a free one."
)
@schemas_option
@json_option
def registry(host: str, port: int, folder: Path | None, as_json: bool) -> None:
    """Serve the events' schemas under their ids, read-only, as Confluent's registry would; Ctrl-C ends it.

    Deserializers and Kafka UIs that are told its address decode the topics. A subject is a record's full name
    (RecordNameStrategy), such as goodfunds.events.PaymentSettled. It asks nobody for a token.

    \b
    goodfunds registry
    goodfunds registry --port 0 --json
    curl http://127.0.0.1:8081/schemas/ids/11
    """
    # What HTTP takes to import no other command should wait for.
    from goodfunds.observability.http import listen, serve
    from goodfunds.registry.http import registry_app

    catalogue = read_catalogue(folder or find_schemas())
    listening = listen(_address(host), port)
    address, bound = listening.getsockname()[:2]
    url = f"http://[{address}]:{bound}" if ":" in address else f"http://{address}:{bound}"
    facts = {"url": url, "subjects": len(catalogue.by_subject), "schemas": len(catalogue.versions)}
    if as_json:
        print_json(facts)
    else:
        CONSOLE.print(
            f"{url}: {facts['subjects']} subjects, {facts['schemas']} schemas, read-only", highlight=False
        )
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(registry_app(catalogue), host, port, listening=listening))


def _address(host: str) -> str:
    try:
        return str(ip_address("127.0.0.1" if host == "localhost" else host))
    except ValueError:
        raise click.BadParameter(f"{host[:80]!r} is no IP address", param_hint="--host") from None
