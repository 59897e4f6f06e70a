"""The eight processes on the servers: what each is told, started in order, and when it is ready."""

import sys
from collections.abc import Mapping, Sequence
from time import monotonic, sleep

import httpx

from goodfunds.https import trusted
from goodfunds.local import processes
from goodfunds.local.state import Say, Stack

_READY_SECONDS = 60.0
NOSTRO = "DE98500105170099999999"
"""Our account at the sandbox bank; no example of a standard, which files of others pay to."""
NOSTRO_BIC = "COBADEFFXXX"
HOUSE = "goodfunds house"
_BANK_USER, _BANK_PASSWORD = "goodfunds", "sandbox"
_BANK_SILENCE = 2
_RESTORE_WAIT = 2
"""Seconds: the sandbox bank answers in less, and a demo does not wait longer for what it has lost."""

PROCESSES: Mapping[str, tuple[str, ...]] = {
    "sandbox-bank": ("services.sandbox_bank",),
    "ingestion": ("services.ingestion",),
    "ingestion-intake": ("services.ingestion", "intake"),
    "settlement": ("services.settlement",),
    "settlement-gateway": ("services.settlement", "gateway"),
    "reconciliation": ("services.reconciliation",),
    "reconciliation-statements": ("services.reconciliation", "statements"),
    "control-totals": ("services.reconciliation", "control-totals"),
}
"""The eight processes in the order they are started: name → module and its argument."""

ALLOCATOR = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""glibc's own first values, pinned: left alone it raises them for good after a large file.

It keeps that memory then. Measured in soaks: 84 MB of memory instead of 125 in ingestion,
86 instead of 147 in reconciliation.
"""


def start(
    stack: Stack,
    say: Say,
    extra: Mapping[str, Mapping[str, str]],
    wait_for_all: bool = True,
    only: Sequence[str] = (),
) -> None:
    """Start what does not run yet, each told `extra` by its name, and wait until it is ready.

    `only`: these alone. `wait_for_all`: for what ran already, too. Raises RuntimeError with the end of a log.
    """
    names = only or tuple(PROCESSES)
    missing = [name for name in names if not stack.alive(name)]
    for name in missing:
        if not processes.is_free(stack.http.get(name, 0)) or name not in stack.http:
            stack.http[name] = processes.free_port()
    if "sandbox-bank" in missing and not (stack.bank_sftp_port and processes.is_free(stack.bank_sftp_port)):
        stack.bank_sftp_port = processes.free_port()
    if missing:
        say(f"starting {len(missing)} processes…")
    for name in missing:
        command = [sys.executable, "-m", *PROCESSES[name]]
        told = {**environment(stack, name), **extra.get(name, {})}
        # In the stack's folder, where the control totals' library leaves its scratch files.
        stack.running[name] = processes.start(command, stack.log(name), told, folder=stack.folder)
        stack.save()
        if name == "sandbox-bank":
            _wait_until_ready(stack, [name], say)
    waited = list(names) if wait_for_all else missing
    _wait_until_ready(stack, [name for name in waited if name != "sandbox-bank"], say)


def stop(stack: Stack, say: Say) -> None:
    """Stop the processes, the last started first."""
    for name in reversed(list(PROCESSES)):
        running = stack.running.pop(name, None)
        if running is not None and running.alive():
            say(f"stopping {name}")
            processes.stop(running)
            stack.save()


def environment(stack: Stack, name: str) -> dict[str, str]:
    """What a process of the stack is told."""
    host_key = stack.folder / "sandbox-bank" / "ssh_host_key.pub"
    told = {
        **ALLOCATOR,
        "GOODFUNDS_KAFKA": stack.kafka,
        "GOODFUNDS_POSTGRES": stack.postgres,
        "GOODFUNDS_PARTITIONS": str(stack.partitions),
        "GOODFUNDS_REPLICATED": "false",
        "GOODFUNDS_HTTP_PORT": str(stack.http[name]),
        "GOODFUNDS_DATA": str(stack.folder),
        "GOODFUNDS_BANK_SFTP": f"127.0.0.1:{stack.bank_sftp_port}",
        "GOODFUNDS_BANK_SFTP_USER": _BANK_USER,
        "GOODFUNDS_BANK_SFTP_PASSWORD": _BANK_PASSWORD,
        "GOODFUNDS_BANK_HTTP": stack.url("sandbox-bank"),
        "GOODFUNDS_BANK_SILENCE": str(_BANK_SILENCE),
        "GOODFUNDS_RESTORE_WAIT": str(_RESTORE_WAIT),
        "GOODFUNDS_NOSTRO": NOSTRO,
        "GOODFUNDS_NOSTRO_BIC": NOSTRO_BIC,
        "GOODFUNDS_HOUSE_NAME": HOUSE,
    }
    if name != "sandbox-bank" and host_key.exists():
        told["GOODFUNDS_BANK_HOST_KEY"] = str(host_key)
    return told


def _wait_until_ready(stack: Stack, names: list[str], say: Say) -> None:
    deadline = monotonic() + _READY_SECONDS
    for name in names:
        while True:
            if not stack.alive(name):
                raise RuntimeError(f"{name} ended:\n{processes.tail(stack.log(name))}")
            reasons = unready(stack, name)
            if not reasons:
                say(f"  {name} is ready")
                break
            if monotonic() > deadline:
                last = processes.tail(stack.log(name))
                raise RuntimeError(f"{name} is not ready: {'; '.join(reasons)}\n{last}")
            sleep(0.05)


def unready(stack: Stack, name: str) -> list[str]:
    """Why a process says that it is not ready; empty when it is."""
    try:
        answer = httpx.get(f"{stack.url(name)}/readyz", verify=trusted(), timeout=2.0)
    except httpx.HTTPError as fault:
        return [f"{type(fault).__name__} at its HTTP port"]
    return [] if answer.status_code == 200 else list(answer.json().get("reasons", ["not ready"]))
