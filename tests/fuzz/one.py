"""`python -m tests.fuzz.one READER SECONDS SEED [FOLDER]`: a reader in a process of its own; JSON on stdout.

So that what one takes of memory is in no other's figure, and one that crashes the interpreter takes none with
it. Inputs that went wrong are put into FOLDER.
"""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

from tests.fuzz.fuzzing import fuzz
from tests.fuzz.targets import TARGETS

_MOST_BYTES = 2 << 30


def main(name: str, seconds: str, seed: str, folder: str = "") -> None:
    # What asks for more memory gets a MemoryError, which no reader may raise.
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    found = fuzz(name, TARGETS[name], float(seconds), int(seed))
    if folder:
        for number, each in enumerate(found.wrong):
            Path(folder, f"{name.replace(' ', '-')}-{number}").write_bytes(each.content)
    told = asdict(found)
    told["wrong"] = [f"{each.what[:200]}: {each.content[:120]!r}" for each in found.wrong]
    print(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
