"""`goodfunds publish`: whether a file was refused or could not be taken now is another exit code."""

import json
from collections.abc import AsyncIterable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from goodfunds.cli import publish as module
from goodfunds.cli.root import root
from goodfunds.local.state import Stack

TAKEN = {"file_id": "f", "message_id": "MSG-1", "items": 2}
REFUSED = {"detail": "the file is refused whole", "errors": [{"line": 3, "path": "GrpHdr", "message": "no",
                                                               "code": "FF01"}]}  # fmt: skip


def publish(answer: httpx.Response, folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> Result:
    stack = Stack(folder, "", "", 12, http={"ingestion": 1})
    monkeypatch.setattr(module, "find", lambda _folder: stack)

    async def post(_stack: Stack, content: AsyncIterable[bytes], _client: str) -> httpx.Response:
        assert b"".join([piece async for piece in content]) == b"<Document/>"
        return answer

    monkeypatch.setattr(module, "post_file", post)
    file = folder / "payments.xml"
    file.write_bytes(b"<Document/>")
    return CliRunner().invoke(root, ["publish", str(file), *more])


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (httpx.Response(202, json=TAKEN, headers={"Location": "/f"}), 0, "MSG-1: 2 payments taken in\n"),
        (httpx.Response(200, json=TAKEN, headers={"Location": "/f"}), 0, "it was taken in before"),
        (httpx.Response(422, json=REFUSED), 1, "line 3, GrpHdr: no [FF01]"),
        (httpx.Response(503, json={"detail": "try again"}), 2, "cannot take it now: try again"),
        (httpx.Response(502, content=b"<html>"), 2, "ingestion does not answer: HTTP 502"),
        (httpx.Response(200, content=b"<html>"), 2, "ingestion does not answer: HTTP 200"),
    ],
)
def test_the_exit_code_says_what_became_of_the_file(
    answer: httpx.Response, code: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = publish(answer, tmp_path, monkeypatch)
    assert told.exit_code == code
    assert words in told.output


def test_json_is_what_ingestion_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = publish(httpx.Response(202, json=TAKEN), tmp_path, monkeypatch, "--json")
    assert (taken.exit_code, json.loads(taken.stdout)) == (0, TAKEN)
    refused = publish(httpx.Response(422, json=REFUSED), tmp_path, monkeypatch, "--json")
    assert (refused.exit_code, json.loads(refused.stdout)) == (1, REFUSED)
