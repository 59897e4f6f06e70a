"""Makes `types.py` from the schemas: a dataclass an event, with an encoder and a decoder in plain Python."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from goodfunds.events.schemas import EventSchema
from goodfunds.events.wire import long

_HEAD = '''\
"""The events, made from schemas/events by `goodfunds schemas generate`: change those, not this file.

Ids are 16 bytes, amounts minor units, times microseconds since 1970 in UTC; an empty string means absent.
Plain Python on purpose: no dictionary an event, and the fixed fields are read in one step.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from struct import Struct
from typing import ClassVar

from goodfunds.errors import Unreadable
from goodfunds.events.wire import (
    BROKEN,
    LENGTHS,
    long,
    read_boolean,
    read_date,
    read_length,
    read_long,
    read_strings,
    schema_id,
    strings,
    write_date,
)
from goodfunds.frozen import made_fast
'''

_PYTHON = {"string": "str", "int": "int", "long": "int", "boolean": "bool"}


def kind(schema: Any) -> str:
    """What a field is: id, amount, time, date, strings, a primitive's name, or the name of a record."""
    if isinstance(schema, str):
        return {"Id": "id", "MinorUnits": "amount"}.get(schema, schema)
    logical = schema.get("logicalType")
    known = {"uuid": "id", "decimal": "amount", "timestamp-micros": "time", "date": "date"}
    if logical in known:
        return known[logical]
    if schema["type"] == "array" and schema["items"] == "string":
        return "strings"
    if schema["type"] == "record":
        return str(schema["name"])
    raise ValueError(f"the generator does not know the type {schema!r}")


def python_type(field_kind: str) -> str:
    """The Python type of a kind of field."""
    known = {"id": "bytes", "amount": "int", "time": "int", "date": "date", "strings": "tuple[str, ...]"}
    return known.get(field_kind) or _PYTHON.get(field_kind, field_kind)


def snake(name: str) -> str:
    """PaymentAccepted → payment_accepted."""
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).lstrip("_")


def generate(
    schemas: Mapping[str, EventSchema], ids: Mapping[str, int], earlier: Mapping[int, tuple[str, int]]
) -> str:
    """The source of `types.py`, events in the order of their ids; `earlier`: id → (name, fields then)."""
    parts = [_HEAD]
    for name in sorted(schemas, key=lambda each: ids[each]):
        written = schemas[name].schema["fields"]
        fields = [(each["name"], kind(each["type"])) for each in written]
        defaults = {each["name"]: _default(each) for each in written if "default" in each}
        parts.append("\n".join(_event(name, str(schemas[name].schema["doc"]), ids[name], fields, defaults)))
    names = sorted(schemas, key=lambda each: ids[each])
    parts.append("Event = (\n    " + "\n    | ".join(names) + "\n)\n")
    parts.append(
        "_DECODERS: dict[int, Callable[[bytes], Event]] = {\n"
        + "".join(f"    {ids[n]}: decode_{snake(n)},\n" for n in names)
        + "}\n"
    )
    grown = [f"    {old}: ({ids[n]}, {_grown(schemas[n], then)!r}),\n" for old, (n, then) in earlier.items()]
    parts.append("_EARLIER: dict[int, tuple[int, bytes]] = {\n" + "".join(grown) + "}\n")
    parts.append(
        "BY_NAME: dict[str, type[Event]] = {\n" + "".join(f'    "{n}": {n},\n' for n in names) + "}\n"
    )
    parts.append(_TAIL)
    return "\n\n".join(parts)


def _default(field: Any) -> bytes | str | int | bool:
    """What an added field holds where its writer did not know it; bytes of a fixed type."""
    given = field["default"]
    if kind(field["type"]) in ("id", "amount"):
        return str(given).encode("latin-1")
    if isinstance(given, str | int):
        return given
    raise ValueError(f"the generator does not know the default {given!r}")


def _grown(event: EventSchema, then: int) -> bytes:
    """The Avro bytes of the fields that came after the first `then` ones."""
    encoded = b""
    for field in event.schema["fields"][then:]:
        default = _default(field)
        if isinstance(default, str):
            encoded += long(len(default.encode())) + default.encode()
        elif isinstance(default, bool):
            encoded += b"\x01" if default else b"\x00"
        else:
            encoded += default if isinstance(default, bytes) else long(default)
    return encoded


def _declared(field: str, field_kind: str, defaults: Mapping[str, bytes | str | int | bool]) -> str:
    declared = f"    {field}: {python_type(field_kind)}"
    if field not in defaults:
        return declared
    default = defaults[field]
    if field_kind == "amount" and isinstance(default, bytes):
        default = int.from_bytes(default, "big", signed=True)
    if field_kind == "date" and isinstance(default, int):
        day = date.fromordinal(date(1970, 1, 1).toordinal() + default)
        return f"{declared} = date({day.year}, {day.month}, {day.day})"
    return f"{declared} = {default!r}"


def _event(
    name: str,
    doc: str,
    number: int,
    fields: list[tuple[str, str]],
    defaults: Mapping[str, bytes | str | int | bool],
) -> Iterator[str]:
    fixed = []
    for field, field_kind in fields:
        if field_kind not in ("id", "amount"):
            break
        fixed.append((field, field_kind))
    rest = fields[len(fixed) :]
    layout = "".join("16s" if each == "id" else "q" for _, each in fixed)
    if fixed:
        yield f'_{name} = Struct(">{layout}")\n\n'
    yield "@made_fast"
    yield "@dataclass(frozen=True, slots=True)"
    yield f"class {name}:"
    yield f'    """{doc}"""\n'
    yield f"    SCHEMA_ID: ClassVar[int] = {number}\n"
    yield from (_declared(field, each, defaults) for field, each in fields)
    yield "\n    def encode(self) -> bytes:"
    yield '        """The event as a topic carries it."""'
    yield f"        return {number.to_bytes(5, 'big')!r} + self.body()\n"
    yield "    def body(self) -> bytes:"
    yield '        """The Avro body alone."""'
    yield from (f"        {field} = self.{field}.encode()" for field, each in rest if each == "string")
    yield "        return b''.join((".replace("''", '""')
    if fixed:
        yield f"            _{name}.pack({', '.join('self.' + field for field, _ in fixed)}),"
    yield from (f"            {_written(field, each)}," for field, each in rest)
    yield "        ))\n\n"
    yield f"def read_{snake(name)}(data: bytes, at: int) -> tuple[{name}, int]:"
    yield f'    """A {name}\'s Avro body at a place, and the place after it. Raises what is BROKEN."""'
    if fixed:
        names = ", ".join(field for field, _ in fixed)
        yield f"    ({names},) = _{name}.unpack_from(data, at)"
        yield f"    at += {fixed_size(layout)}"
    for field, each in rest:
        yield from _read(field, each)
    yield "    if at > len(data):"
    yield '        raise ValueError("the event goes past the end")'
    yield f"    return {name}({', '.join(field for field, _ in fields)}), at\n\n"
    yield f"def decode_{snake(name)}(data: bytes) -> {name}:"
    yield f'    """A {name} from its wire bytes. Raises Unreadable."""'
    yield "    try:"
    yield f"        event, at = read_{snake(name)}(data, 5)"
    yield "    except BROKEN as fault:"
    yield f'        raise Unreadable(f"no {name}: {{fault}}") from fault'
    yield "    if at != len(data):"
    yield f'        raise Unreadable(f"no {name}: {{len(data) - at}} bytes too many")'
    yield "    return event\n"


def fixed_size(layout: str) -> int:
    """Bytes of the fixed fields."""
    return 16 * layout.count("16s") + 8 * layout.count("q")


def _written(field: str, field_kind: str) -> str:
    if field_kind == "string":
        return f"LENGTHS[len({field})], {field}"
    known = {
        "id": "self.{0}",
        "amount": 'self.{0}.to_bytes(8, "big", signed=True)',
        "time": "long(self.{0})",
        "int": "long(self.{0})",
        "long": "long(self.{0})",
        "date": "write_date(self.{0})",
        "strings": "strings(self.{0})",
        "boolean": 'b"\\x01" if self.{0} else b"\\x00"',
    }
    return known.get(field_kind, "self.{0}.body()").format(field)


def _read(field: str, field_kind: str) -> Iterator[str]:
    if field_kind == "string":
        yield "    size = data[at]"
        yield "    if size & 0x81:"
        yield "        size, at = read_length(data, at)"
        yield "    else:"
        yield "        size >>= 1"
        yield "        at += 1"
        yield f"    {field} = data[at : at + size].decode()"
        yield "    at += size"
    elif field_kind == "id":
        yield f"    {field} = data[at : at + 16]"
        yield "    at += 16"
    elif field_kind == "amount":
        yield f'    {field} = int.from_bytes(data[at : at + 8], "big", signed=True)'
        yield "    at += 8"
    elif field_kind in ("time", "int", "long"):
        yield f"    {field}, at = read_long(data, at)"
    elif field_kind == "date":
        yield "    days, at = read_long(data, at)"
        yield f"    {field} = read_date(days)"
    elif field_kind == "strings":
        yield f"    {field}, at = read_strings(data, at)"
    elif field_kind == "boolean":
        yield f"    {field}, at = read_boolean(data, at)"
    else:
        yield f"    {field}, at = read_{snake(field_kind)}(data, at)"


_TAIL = '''
def decode(data: bytes | None) -> Event:
    """An event from its wire bytes, by its schema id. Raises Unreadable.

    Fields are added at the end alone: what an earlier schema wrote is read with the defaults behind it.
    """
    number = schema_id(data)
    number, defaults = _EARLIER.get(number, (number, b""))
    decoder = _DECODERS.get(number)
    if decoder is None or data is None:
        raise Unreadable(f"no event: schema id {number} is not known")
    return decoder(data + defaults if defaults else data)
'''
