"""Mutations of bytes: flips, cuts, repeats, numbers and markup put where they do not belong. Seeded.

Half of the inputs are mutated element by element, or word by word, so that what reads bytes lets them in and
what reads fields gets to see them.
"""

import re
from random import Random

_TOKENS = (
    b"<", b">", b"</", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"&amp;", b"&#x0;", b"<!DOCTYPE a [",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"-1", b"NaN", b"1E3", b"1_000", b"99999999999999999999", b'"',
    b"{", b"}", b"[", b"null", b"\xf0\x9f\x92\xb6", b"\xed\xa0\x80", b"\x80" * 9 + b"\x01", b"|",
)  # fmt: skip
_LONGEST = 200_000
_LEAF = re.compile(rb"<([\w:.-]+)[^<>]*>[^<>]*</\1>")
_WORD = re.compile(rb"[0-9A-Za-z.,+-]+")
_WORDS = (
    b"", b"0", b"-1", b"1", b"NaN", b"1E3", b"1_000", b"0.001", b"99999999999999999999", b"2026-02-30",
    b"EUR", b"JPY", b"XAU", b"x" * 200, b"\xc3\xa9", b"\xff", b" ", b"\n", b"&amp;", b"true",
)  # fmt: skip


def mutated(content: bytes, random: Random) -> bytes:
    """The content after one to six mutations."""
    once = random.choice((_once, _within))
    for _ in range(random.choice((1, 1, 2, 3, 6))):
        content = once(content, random)[:_LONGEST]
    return content


def _within(content: bytes, random: Random) -> bytes:
    """An element without others in it, or a word, is dropped, doubled, moved, or says something else."""
    places = [found.span() for found in _LEAF.finditer(content)]
    places = places or [found.span() for found in _WORD.finditer(content)]
    if not places:
        return content
    begin, end = random.choice(places)
    part, (other, _) = content[begin:end], random.choice(places)
    way = random.randrange(5)
    if way == 0:
        return content[:begin] + content[end:]
    if way == 1:
        return content[:other] + part + content[other:]
    word = random.choice(list(_WORD.finditer(content, begin, end)))
    return content[: word.start()] + random.choice(_WORDS) + content[word.end() :]


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
