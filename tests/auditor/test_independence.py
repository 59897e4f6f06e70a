"""The auditor is worth something only as long as it shares no code with what it audits."""

import ast
from pathlib import Path

FOLDER = Path(__file__).parent


def test_the_auditor_imports_neither_the_library_nor_a_service() -> None:
    guilty = []
    for path in sorted(FOLDER.glob("*.py")):
        if path.name.startswith("test_"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            guilty += [
                f"{path.name} imports {each}" for each in names
                if each.split(".")[0] in ("goodfunds", "services")
                or (each.startswith("tests.") and not each.startswith("tests.auditor"))
            ]  # fmt: skip
    assert guilty == []
