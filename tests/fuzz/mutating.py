"""Mutations of bytes: flips, cuts, repeats, numbers and markup put where they do not belong. Seeded."""

from random import Random

_TOKENS = (
    b"<", b">", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;", b"&#x0;", b"<!DOCTYPE a [",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"-1", b"NaN", b"1E3", b"1_000", b"99999999999999999999", b'"',
    b"{", b"}", b"[", b"null", b"\xf0\x9f\x92\xb6", b"\xed\xa0\x80", b"\x80" * 9 + b"\x01", b"|",
)  # fmt: skip
_LONGEST = 200_000


def mutated(content: bytes, random: Random) -> bytes:
    """The content after one to six mutations."""
    for _ in range(random.randint(1, 6)):
        content = _once(content, random)[:_LONGEST]
    return content


def _once(content: bytes, random: Random) -> bytes:
    at, length = random.randrange(len(content) + 1), random.choice((1, 1, 2, 8, 40))
    part = content[at : at + length]
    way = random.randrange(7)
    if way == 0 and part:
        return content[:at] + bytes([part[0] ^ (1 << random.randrange(8))]) + content[at + 1 :]
    if way == 1:
        return content[:at] + content[at + length :]
    if way == 2:
        return content[:at] + part * random.choice((2, 3, 50)) + content[at + length :]
    if way == 3:
        return content[:at] + random.choice(_TOKENS) + content[at:]
    if way == 4:
        return content[:at]
    if way == 5:
        other = random.randrange(len(content) + 1)
        return content[:at] + content[other : other + length] + content[at:]
    return content[:at] + random.randbytes(length) + content[at + length :]
