"""Whom HTTPS trusts: read once a process, since httpx would read its list of authorities for each client."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """httpx's own default, to be given to a client as `verify`; reading it takes some 40 ms."""
    return httpx.create_ssl_context()
