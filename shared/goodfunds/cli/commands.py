"""Which commands there are: the one list, and the program that has them."""

from goodfunds.cli.accounts import accounts
from goodfunds.cli.audit import audit
from goodfunds.cli.bank_files import bank_files
from goodfunds.cli.client import client
from goodfunds.cli.completion import completion
from goodfunds.cli.cutoff import cutoff
from goodfunds.cli.database import db
from goodfunds.cli.demo import demo
from goodfunds.cli.files import files
from goodfunds.cli.lanes import lanes
from goodfunds.cli.outbox import outbox
from goodfunds.cli.parked import parked
from goodfunds.cli.payment import payment
from goodfunds.cli.prove import prove
from goodfunds.cli.publish import publish
from goodfunds.cli.rebuild import rebuild
from goodfunds.cli.registry import registry
from goodfunds.cli.replay import replay
from goodfunds.cli.root import root
from goodfunds.cli.schemas import schemas
from goodfunds.cli.stack import down, status, up
from goodfunds.cli.tokens import tokens
from goodfunds.cli.topics import topics
from goodfunds.cli.watch import watch

COMMANDS = (
    demo, up, status, down, publish, cutoff, bank_files, watch, payment, accounts, files, prove, lanes,
    parked, outbox, replay, rebuild, audit, db, topics, schemas, registry, tokens, client, completion,
)  # fmt: skip


def run() -> None:
    """Run the command line."""
    for command in COMMANDS:
        root.add_command(command)
    root()
