"""OFX is called by its name, whichever version it is of, and not read."""

import io

import pytest

from goodfunds.files import ofx


@pytest.mark.parametrize(
    "head",
    [
        b"OFXHEADER:100\r\nDATA:OFXSGML\r\n",
        b"\r\n\r\nOFXHEADER:100\n",
        b'<?xml version="1.0"?>\n<?OFX OFXHEADER="200" VERSION="211"?>',
        b"\xef\xbb\xbfOFXHEADER: 100\n",
        b"<OFX><SIGNONMSGSRSV1>",
    ],
)
def test_ofx_is_recognised_and_said_not_to_be_read(head: bytes) -> None:
    found = ofx.inspect(io.BytesIO(head))
    assert (found.format, found.valid, found.readable) == ("ofx", False, False)


@pytest.mark.parametrize("head", [b"", b"OFX", b"<?xml version='1.0'?><Document/>", b"Date,OFXHEADER:100"])
def test_what_is_no_ofx_is_not(head: bytes) -> None:
    assert ofx.inspect(io.BytesIO(head)).format == "unknown"
