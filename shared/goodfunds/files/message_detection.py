"""Which message of ISO 20022 an XML file holds, also in an envelope: told from the beginning of its text."""

import re
from typing import Final

from goodfunds.files.type_dictionary import kind_of_root

_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NAME = re.compile(r"(?<![a-z])([a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2})(?![0-9])")
_DOCUMENT = re.compile(r"<(?:([^\s<>/:]+):)?Document\b([^<>]*)>")
_DECLARED = re.compile(r"xmlns(?::([^\s=]+))?\s*=\s*[\"']([^\"'<>]*)[\"']", re.IGNORECASE)
_TAG = re.compile(r"<(?:[^\s<>/:?!]+:)?([^\s<>/:?!]+)")
_IN_HEADER = re.compile(r"<(?:[^\s<>/:]+:)?MsgDefIdr>\s*([^<\s]+)\s*<")
_HEADER: Final = "head."


def message_in(text: str) -> str:
    """The message (`pain.001.001.09`), its kind alone (`camt.052`) where no namespace names it; else empty.

    The Document's own namespace counts; without a Document that of any element but the application header's,
    then what that header says it is of.
    """
    text = _COMMENT.sub("", text)
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
