"""Elements that recur: what the parser has read twice in one outline, one pattern reads from then on.

A parser hands over each tag, and each costs Python time; of the thousands of entries of a bank's file only
the text differs. An outline counts only where its pattern makes of the very element that it was learnt from
what the parser made of it. Where there are many outlines, elements in plain markup are read tag by tag from
the text. Whatever is unusual is left to the parser.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from goodfunds.files.leaves import TextLeaves
from goodfunds.files.outline import Kind, Outline, outline, tags_of
from goodfunds.files.plain import LONGEST, Plain

MOST: Final = 8
"""The most outlines of one element in one message; where there are more, recurring is not what they do."""

MOST_MISSES: Final = 64
"""Elements in a row that are not plain: those that follow are hardly so."""

_MOST_BREAKS: Final = 1 << 16

SPACE: Final = " \t\r\n"
_SPACE = re.compile(r"[ \t\r\n]*+")

Make = Callable[[Sequence[TextLeaves]], object]
"""Makes an element's record from its leaves and those of its parts. Raises ValueError where it cannot."""


class Made(NamedTuple):
    """What was made of an element `name` that a pattern read."""

    name: str
    record: object


class Recurring:
    """What is known of one kind of element in one message."""

    def __init__(self, kind: Kind, make: Make) -> None:
        self.kind = kind
        self._make = make
        self._outlines: list[Outline] = []
        self._seen: dict[str, int] = {}
        self._plain = Plain(kind)
        self._misses = 0

    @property
    def worthwhile(self) -> bool:
        """False where the elements have many outlines and are not plain: none is looked for any more."""
        return bool(self._outlines) or len(self._seen) < MOST or self._misses < MOST_MISSES

    def read(self, text: str, at: int, line: int) -> tuple[object, int] | None:
        """(record, end) of the element that begins at `at`, space before it included; None where unknown."""
        begin = _SPACE.match(text, at).end()  # type: ignore[union-attr] # it matches nothing, too
        for number, known in enumerate(self._outlines):
            found = known.pattern.match(text, begin)
            if found is not None:
                if number:
                    self._outlines.insert(0, self._outlines.pop(number))
                made = self._made(known.leaves(found, line + text.count("\n", at, begin)))
                return None if made is None else (made, found.end())
        if len(self._seen) < MOST or self._misses >= MOST_MISSES:
            return None
        return self._read_plain(text, begin, line + text.count("\n", at, begin))

    def _read_plain(self, text: str, begin: int, line: int) -> tuple[object, int] | None:
        read = self._plain.read(text, begin, line)
        made = None if read is None else self._made(read[0])
        if read is None or made is None:
            self._misses += 1
            return None
        self._misses = 0
        return made, read[1]

    def learn(self, text: str, made: object) -> None:
        """Note the outline of an element's text that the parser has read and that became this record."""
        text = text.lstrip(SPACE)
        if not self._plain.ready:
            self._plain.learn(text)
        tags = tags_of(text) if 0 < len(text) <= LONGEST else ""
        if not tags or (tags not in self._seen and len(self._seen) == MOST):
            return
        self._seen[tags] = self._seen.get(tags, 0) + 1
        if self._seen[tags] != 2:
            return
        learnt = outline(tags, self.kind)
        found = None if learnt is None else learnt.pattern.fullmatch(text)
        if learnt is not None and found is not None and self._made(learnt.leaves(found, 0)) == made:
            self._outlines.insert(0, learnt)

    def _made(self, leaves: Sequence[TextLeaves]) -> object | None:
        try:
            return self._make(leaves)
        except ValueError:
            return None


class Cutting:
    """A message's text, cut after each element that may recur: for the parser, or what its pattern made.

    `ended` is to be called when the parser has told the end of one, `learn` when its record is known: both
    before the next piece is asked for. `line`: that of the end of what was handed out.
    """

    def __init__(self, texts: Iterable[str], recurring: Sequence[Recurring]) -> None:
        self.line = 1
        self._texts = texts
        self._recurring = {each.kind.name: each for each in recurring}
        names = "|".join(map(re.escape, self._recurring))
        self._closing = re.compile(rf"</(?:[^\s<>/:]+:)?({names})\s*>") if names else None
        self._closed = ""
        self._after: Recurring | None = None
        self._since: dict[str, str | None] = dict.fromkeys(self._recurring)

    def ended(self, name: str) -> None:
        """The parser told the end of this part, having been given the last piece."""
        if name == self._closed and self._closing is not None:
            self._after = self._recurring[name]
            for part, _ in self._after.kind.parts:
                if part in self._since:
                    self._since[part] = None

    def stop(self) -> None:
        """Leave all that follows to the parser: the same tags may mean something else from here on."""
        self._closing, self._closed, self._after = None, "", None

    def learn(self, name: str, made: object) -> None:
        """The element of this name whose end was told last became this record."""
        text = self._since[name]
        if name == self._closed and text is not None:
            self._recurring[name].learn(text, made)
            if not any(each.worthwhile for each in self._recurring.values()):
                self._closing = None

    def __iter__(self) -> Iterator[str | Made]:
        text, at, breaks = "", 0, 0
        for more in self._texts:
            text, at = text[at:] + more, 0
            while at < len(text):
                after = self._after
                read = None if after is None else after.read(text, at, self.line)
                if after is not None and read is not None:
                    made, end = read
                    found = text.count("\n", at, end)
                    self.line, breaks, at = self.line + found, breaks + found, end
                    self._since = dict.fromkeys(self._recurring)
                    self._since[after.kind.name] = ""
                    if breaks > _MOST_BREAKS:
                        # The parser takes no longer run of space; of a comment it counts the lines as well.
                        yield f"<!--{chr(10) * breaks}-->"
                        breaks = 0
                    yield Made(after.kind.name, made)
                    continue
                closing = None if self._closing is None else self._closing.search(text, at)
                if closing is None and after is not None and len(text) - at < LONGEST:
                    # Its like may go on in the text that follows.
                    break
                # Line breaks alone stand for what a pattern read, so that the parser counts its lines.
                lead, breaks = "\n" * breaks, 0
                if closing is None:
                    yield lead + self._hand_out(text[at:], "")
                    at = len(text)
                else:
                    # The ">" alone: what the parser then tells the end of is what this tag closes, and no
                    # other of that name that ended before it, or that ends in a comment.
                    yield lead + self._hand_out(text[at : closing.end() - 1], "")
                    yield self._hand_out(">", closing[1])
                    at = closing.end()
        if at < len(text) or breaks:
            yield "\n" * breaks + self._hand_out(text[at:], "")

    def _hand_out(self, piece: str, closed: str) -> str:
        self.line += piece.count("\n")
        if self._closed:
            # A closing tag that the parser told no end of stood in a comment.
            self._since[self._closed] = "" if self._after is not None else None
        self._closed, self._after = closed, None
        for name, since in self._since.items():
            if since is not None:
                self._since[name] = since + piece if len(since) + len(piece) <= LONGEST else None
        return piece
