"""Official schemas of ISO 20022 messages, said in the notation of `goodfunds.files.schema`."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

_XS = "{http://www.w3.org/2001/XMLSchema}"
_MESSAGE = re.compile(r"[a-z]{4}\.\d{3}\.\d{3}\.\d{2}")
_QUANTITIES = {("1", "1"): "", ("0", "1"): "?", ("0", "unbounded"): "*", ("1", "unbounded"): "+"}


class Unusual(ValueError):
    """A schema that says what no message of ISO 20022 has said so far."""


@dataclass(slots=True)
class Dictionary:
    """Messages (name → root element and its type) and the types of all of them, by name."""

    messages: dict[str, tuple[str, str]] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)

    def lines(self) -> Iterator[str]:
        """As it is committed."""
        for name, (element, kind) in sorted(self.messages.items()):
            yield f"message {name} {element} {kind}"
        for name, written in sorted(self.types.items()):
            yield f"{name} {written}"


def read(files: Iterable[Path]) -> Dictionary:
    """What the schemas say. Raises Unusual where two define a type of one name otherwise.

    Types of a dialect (`pain.001.003.03`), which bear the names of the ISO message's, get names of their own.
    """
    made = Dictionary()
    for file in sorted(files):
        if _MESSAGE.fullmatch(file.stem) is None:
            continue
        dialect = file.stem.split(".")[2] != "001"
        types, root = _types(file)
        if not root[0]:
            # An application header, which stands in no Document.
            continue
        own = {name: f"{name}_{file.stem.replace('.', '')}" if dialect else name for name in types}
        made.messages[file.stem] = root[0], own[root[1]]
        for name, written in types.items():
            said = _renamed(written, own)
            if made.types.setdefault(own[name], said) != said:
                raise Unusual(f"{file.name}: {name} is {said}, elsewhere {made.types[own[name]]}")
    return made


def _renamed(written: str, names: Mapping[str, str]) -> str:
    return re.sub(r":(\w+)", lambda found: f":{names[found[1]]}", written)


def _types(file: Path) -> tuple[dict[str, str], tuple[str, str]]:
    """Each type of a schema, and its root element with the type of that."""
    simple: dict[str, str] = {}
    found: dict[str, str] = {}
    root = ("", "")
    schema = etree.parse(file).getroot()
    for each in schema.iterfind(f"{_XS}simpleType"):
        simple[each.get("name", "")] = _simple(each)
    for each in schema.iterfind(f"{_XS}complexType"):
        name = each.get("name", "")
        content = next(part for part in each if part.tag != f"{_XS}annotation")
        if name == "Document":
            element = content.find(f"{_XS}element")
            assert element is not None
            root = element.get("name", ""), _local(element.get("type", ""))
        elif content.tag == f"{_XS}simpleContent":
            found[name] = _with_attribute(content[0], simple)
        else:
            found[name] = _complex(content)
    bases = {_local(each.get("base", "")) for each in schema.iter(f"{_XS}extension")}
    return {**found, **{name: said for name, said in simple.items() if name not in bases}}, root


def _simple(kind: etree._Element) -> str:
    restriction = kind.find(f"{_XS}restriction")
    assert restriction is not None
    facets: dict[str, list[str]] = defaultdict(list)
    for facet in restriction.iterchildren(tag=etree.Element):
        facets[_local(str(facet.tag).rpartition("}")[2])].append(facet.get("value", ""))
    base = _local(restriction.get("base", ""))
    if base == "decimal":
        least = facets.get("minInclusive", [""])[0]
        places = f"{facets['totalDigits'][0]} {facets['fractionDigits'][0]}"
        return f"= decimal {places} {least}".rstrip()
    if base != "string":
        return f"= {base}"
    if "enumeration" in facets:
        return f"= one {' '.join(sorted(facets['enumeration']))}"
    if "pattern" in facets:
        # Some schemas do not escape what need not be.
        return "= like " + facets["pattern"][0].replace("[+]", r"[\+]")
    return f"= text {facets.get('minLength', ['0'])[0]} {facets.get('maxLength', [''])[0]}".rstrip()


def _with_attribute(extension: etree._Element, simple: dict[str, str]) -> str:
    attribute = extension.find(f"{_XS}attribute")
    assert attribute is not None
    base, kind = _local(extension.get("base", "")), _local(attribute.get("type", ""))
    if attribute.get("use") != "required" or not simple[kind].startswith(("= like ", "= one ")):
        raise Unusual(f"the attribute {attribute.get('name')}: {simple[kind]}")
    allowed = simple[kind].removeprefix("= like ").removeprefix("= one ").replace(" ", "|")
    return f"{simple[base]} @{attribute.get('name')} {allowed}"


def _complex(content: etree._Element) -> str:
    if content.tag == f"{_XS}choice":
        return "| " + " ".join(_parts(content))
    parts = list(_parts(content))
    if parts == ["any"]:
        return "= anything"
    if len(parts) == 1 and parts[0].startswith("( "):
        return "| " + parts[0][2:-2].replace(" | ", " ")
    return " ".join(parts)


def _parts(content: etree._Element) -> Iterator[str]:
    for part in content.iterchildren(tag=etree.Element):
        kind = str(part.tag).removeprefix(_XS)
        bounds = part.get("minOccurs", "1"), part.get("maxOccurs", "1")
        least, most = bounds[0], bounds[1].replace("unbounded", "")
        quantity = _QUANTITIES.get(bounds, f"{{{least},{most}}}")
        if kind == "element":
            yield f"{part.get('name')}{quantity}:{_local(part.get('type', ''))}"
        elif kind == "choice":
            yield f"( {' | '.join(_parts(part))} ){quantity}"
        elif kind == "any":
            yield "any"
        elif kind != "annotation":
            raise Unusual(kind)


def _local(name: str) -> str:
    return name.rpartition(":")[2]
