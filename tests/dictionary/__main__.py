"""Makes `iso20022_types.txt` from a folder of schemas: `python -m tests.dictionary FOLDER`."""

import sys
from pathlib import Path

from goodfunds.files.type_dictionary import FILE
from tests.dictionary.schemas import read

_HEAD = """\
# Messages of ISO 20022 and the types of their elements, as the standard's message definitions say, in the
# notation of goodfunds.files.schema. Made by `python -m tests.dictionary FOLDER`; not to be edited by hand.
"""

if __name__ == "__main__":
    found = read(Path(sys.argv[1]).glob("*.xsd"))
    FILE.write_text(_HEAD + "".join(f"{line}\n" for line in found.lines()), encoding="utf-8")
    print(f"{len(found.messages)} messages, {len(found.types)} types")
