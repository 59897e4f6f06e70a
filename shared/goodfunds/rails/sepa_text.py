"""Text in SEPA messages: the characters every bank takes, and how others are written in them.

EPC217-08, SEPA Requirements for an Extended Character Set, best practices: the basic Latin set; letters
lose their accents, Greek and Cyrillic are transcribed, a character without a counterpart becomes a full
stop. Typographic signs, which it leaves open, become their plain forms. EPC230-15 on slashes.
"""

import re
from functools import lru_cache
from typing import Final
from unicodedata import category, normalize

_SET: Final = r"A-Za-z0-9/\-?:().,'+ "
_ALLOWED: Final = re.compile(f"[{_SET}]*")
_IDENTIFIER: Final = re.compile(f"(?![/ ])(?!.*//)[{_SET}]{{1,35}}(?<![/ ])")
_SPACES: Final = re.compile(" {2,}")
_NO_COUNTERPART: Final = "."


def _pairs(characters: str, counterparts: str) -> dict[str, str]:
    return dict(zip(characters.split(), counterparts.split(), strict=True))


_COUNTERPARTS: Final = {
    # signs
    **_pairs("& * ; @ [ \\ ] _ ` { | } ~ ¡ ¿", "+ . , . ( / ) - ' ( / ) - . ?"),
    **_pairs(
        '– — ‐ ‑ ‒ − ‘ ’ ‚ ‛ “ ” „ ″ ′ « » ‹ › " … • € £ № ×',
        "- - - - - - ' ' ' ' ' ' ' ' ' ' ' ' ' ' ... - E L No x",
    ),
    # Latin letters that are no letter with an accent
    **_pairs(
        "ß ẞ Æ æ Œ œ Ø ø Ł ł Đ đ Ð ð Þ þ Ħ ħ ı ĸ Ŋ ŋ Ŧ ŧ Ə ə",
        "s S A a O o O o L l D d D d T t H h i k N n T t A a",
    ),
    # Greek (ISO 843)
    **_pairs(
        "Α Β Γ Δ Ε Ζ Η Θ Ι Κ Λ Μ Ν Ξ Ο Π Ρ Σ Τ Υ Φ Χ Ψ Ω",
        "A V G D E Z I TH I K L M N X O P R S T Y F CH PS O",
    ),
    **_pairs(
        "α β γ δ ε ζ η θ ι κ λ μ ν ξ ο π ρ σ ς τ υ φ χ ψ ω",
        "a v g d e z i th i k l m n x o p r s s t y f ch ps o",
    ),
    # Cyrillic: Bulgarian, and the further letters of Serbian, Macedonian and Ukrainian
    **_pairs(
        "А Б В Г Д Е Ж З И Й К Л М Н О П Р С Т У Ф Х Ц Ч Ш Щ Ъ Ы Ь Э Ю Я",
        "A B V G D E ZH Z I Y K L M N O P R S T U F H TS CH SH SHT A Y Y E YU YA",
    ),
    **_pairs(
        "а б в г д е ж з и й к л м н о п р с т у ф х ц ч ш щ ъ ы ь э ю я",
        "a b v g d e zh z i y k l m n o p r s t u f h ts ch sh sht a y y e yu ya",
    ),
    **_pairs("Ђ Ѓ Є Ѕ І Ї Ј Љ Њ Ћ Ќ Џ Ґ", "DJ GJ YE DZ I YI J LJ NJ C KJ DZ G"),
    **_pairs("ђ ѓ є ѕ і ї ј љ њ ћ ќ џ ґ", "dj gj ye dz i yi j lj nj c kj dz g"),
}


def is_basic(text: str) -> bool:
    """True where every character is of the basic Latin set."""
    return _ALLOWED.fullmatch(text) is not None


def is_identifier(text: str) -> bool:
    """True for a reference that banks pass on unchanged.

    1 to 35 characters of the basic set, no slash or space at either end, no two slashes together.
    """
    return _IDENTIFIER.fullmatch(text) is not None


def transliterate(text: str, limit: int) -> str:
    """`text` in the basic set, of at most `limit` characters; may be empty.

    Runs of spaces become one; slashes and spaces at the ends are dropped, for some banks' systems read a
    leading slash as a code.
    """
    if not text:
        return text
    if _ALLOWED.fullmatch(text) is None:
        text = "".join(map(_counterpart, normalize("NFC", text)))
    return _SPACES.sub(" ", text).strip("/ ")[:limit].rstrip("/ ")


@lru_cache(maxsize=4096)
def _counterpart(character: str) -> str:
    known = _COUNTERPARTS.get(character)
    if known is not None:
        return known
    if _ALLOWED.fullmatch(character) is not None:
        return character
    if category(character) in ("Cc", "Zs", "Zl", "Zp"):
        return " "
    if category(character) in ("Mn", "Mc", "Me", "Cf"):
        return ""
    parts = normalize("NFKD", character)
    if parts == character:
        return _NO_COUNTERPART
    return "".join(map(_counterpart, parts))
