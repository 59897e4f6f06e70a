"""`goodfunds client`: what the client library needs of whoever uses it."""

import click

from goodfunds.client import schema as schema_of_the_client


@click.group()
def client() -> None:
    """For teams that build on the client library."""


@client.command()
def schema() -> None:
    """Print the SQL of the library's two tables in your database; it may be run again.

    \b
    goodfunds client schema | psql "$DATABASE_URL"
    """
    click.echo(schema_of_the_client(), nl=False)
