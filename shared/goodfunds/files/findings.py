"""What is found wrong with a file while it is read: refused at once, or collected for an inspection."""

from typing import Final

from goodfunds.files.records import FileError, InvalidFile

MOST_FINDINGS: Final = 100
"""How many errors, and how many warnings, are told of one file."""


class Findings:
    """Errors and warnings of one reading, each at most 100.

    A reader of records refuses at the first fault (`refuse` raises InvalidFile). With `collect` it goes on,
    so that an inspection tells all of them; `refused` then says that a reader would not have.
    """

    def __init__(self, *, collect: bool = False) -> None:
        self.errors: list[FileError] = []
        self.warnings: list[FileError] = []
        self.refused = False
        self._collect = collect
        self._fresh: list[FileError] = []

    def refuse(self, code: str, line: int, path: str, message: str) -> None:
        """What makes the facts unsure. Raises InvalidFile, unless it is to be collected."""
        error = FileError(code, line, path, message)
        if not self._collect:
            raise InvalidFile([error])
        self.refused = True
        _keep(self.errors, error)

    def stop(self, fault: InvalidFile) -> None:
        """What ended the reading: nothing after it could be read."""
        self.refused = True
        for error in fault.errors:
            _keep(self.errors, error)

    def wrong(self, code: str, line: int, path: str, message: str) -> None:
        """What breaks the format's letter and leaves its facts sure: a reader is told of it by a warning."""
        error = FileError(code, line, path, message)
        _keep(self.errors, error)
        _keep(self._fresh, error)

    def warn(self, code: str, line: int, path: str, message: str) -> None:
        """What is odd, or usual among banks, though not what the standard has in mind."""
        error = FileError(code, line, path, message)
        _keep(self.warnings, error)
        _keep(self._fresh, error)

    def fresh(self) -> tuple[FileError, ...]:
        """What was told by `wrong` and `warn` since the last call."""
        told = tuple(self._fresh)
        self._fresh.clear()
        return told


def _keep(told: list[FileError], error: FileError) -> None:
    if len(told) < MOST_FINDINGS:
        told.append(error)
