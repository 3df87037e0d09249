"""Why a whole file cannot be read; what is wrong with one row travels with the row instead."""

from enum import StrEnum


class TableErrorCode(StrEnum):
    EMPTY_FILE = "EMPTY_FILE"
    UNSUPPORTED_FILE = "UNSUPPORTED_FILE"
    FILE_TOO_LARGE = "FILE_TOO_LARGE"
    ENCRYPTED_FILE = "ENCRYPTED_FILE"
    TOO_MANY_COLUMNS = "TOO_MANY_COLUMNS"
    MALFORMED_FILE = "MALFORMED_FILE"


class TableError(Exception):
    """A file that cannot be read as a table, with a stable code and a message that says what to do."""

    def __init__(self, code: TableErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
