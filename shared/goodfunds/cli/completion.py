"""`goodfunds completion`: what a shell needs to complete commands and options."""

import click
from click.shell_completion import get_completion_class

_SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the script that completes goodfunds' commands, options and choices in SHELL.

    \b
    goodfunds completion bash > ~/.local/share/bash-completion/completions/goodfunds
    goodfunds completion zsh > "${fpath[1]}/_goodfunds"
    goodfunds completion fish > ~/.config/fish/completions/goodfunds.fish
    eval "$(goodfunds completion bash)"         in this shell alone
    """
    made = get_completion_class(shell)
    # click brings these three itself.
    assert made is not None
    click.echo(made(context.find_root().command, {}, "goodfunds", "_GOODFUNDS_COMPLETE").source())
