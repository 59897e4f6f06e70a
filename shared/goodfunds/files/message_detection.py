"""Which message of ISO 20022 an XML file holds, also in an envelope: told from the beginning of its text."""

import re
from typing import Final

from goodfunds.files.type_dictionary import kind_of_root

# A comment that is not closed goes on to the end.
_COMMENT = re.compile(r"<!--(?:.*?-->|.*\Z)", re.DOTALL)
_NAME = re.compile(r"(?<![a-z])([a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2})(?![0-9])")
# Names and runs of space are bounded, and nothing is gone back into: a hostile head costs its length once.
_DOCUMENT = re.compile(
    r"""<(?:([^\s<>/:]{1,64}):)?Document\b((?:[^<>"']|"[^"<]*"|'[^'<]*')*+)>""",
)
_DECLARED = re.compile(
    r"""xmlns(?::([^\s=:]{1,64}))?\s{0,64}=\s{0,64}["']([^"'<>]*)["']""",
    re.IGNORECASE,
)
_TAG = re.compile(r"<(?:[^\s<>/:?!]{1,64}:)?([^\s<>/:?!]+)")
_IN_HEADER = re.compile(r"<(?:[^\s<>/:]{1,64}:)?MsgDefIdr>\s{0,64}([^<\s]{1,64})\s{0,64}<")
_HEADER: Final = "head."


def without_comments(text: str) -> str:
    """The text of an XML file without its comments."""
    return _COMMENT.sub("", text)


def message_in(text: str) -> str:
    """The message (`pain.001.001.09`), its kind alone (`camt.052`) where no namespace names it; else empty.

    `text` has no comments. The Document's own namespace counts; without a Document that of any element but
    the application header's, then what that header says it is of.
    """
    document = _DOCUMENT.search(text)
    if document is not None:
        found = _of_document(text, document)
        if found:
            return found
    else:
        for _, namespace in _DECLARED.findall(text):
            found = _message(namespace)
            if found and not found.startswith(_HEADER):
                return found
        header = _IN_HEADER.search(text)
        if header is not None:
            return _message(header[1])
    return ""


def _of_document(text: str, document: re.Match[str]) -> str:
    prefix = document[1] or ""
    # Its own declaration, else the last one before it of its prefix.
    for part in (document[2], text[: document.start()]):
        for declared, namespace in reversed(_DECLARED.findall(part)):
            if declared == prefix and _message(namespace):
                return _message(namespace)
    # A schemaLocation is no more than a hint, and all there is where the namespace names no message.
    hinted = _message(document[2])
    content = _TAG.search(text, document.end())
    return hinted or ("" if content is None else kind_of_root(content[1]))


def _message(namespace: str) -> str:
    found = _NAME.search(namespace)
    return "" if found is None else found[1]
