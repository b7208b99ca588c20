"""A finding of the doctor, and its severity."""

import dataclasses
import enum


class Severity(enum.Enum):
    ERROR = "error"
    """Undoes the design: somebody can get in, get past a limit, or lose people's data."""
    WARNING = "warning"
    """Weakens it, or will hurt one day."""
    NOTE = "note"
    """To be known."""
    UNREAD = "unread"
    """The doctor could not look."""


@dataclasses.dataclass(frozen=True)
class Finding:
    code: str
    """Stable, for filters."""
    severity: Severity
    subject: str
    sentence: str
    remedy: str


# The repair of most findings: Terraform makes all of it, and no person changes it by hand.
APPLY = "apply Terraform again, which sets it back"


def error(code: str, subject: str, sentence: str, remedy: str = APPLY) -> Finding:
    return Finding(code, Severity.ERROR, subject, sentence, remedy)


def warning(code: str, subject: str, sentence: str, remedy: str = APPLY) -> Finding:
    return Finding(code, Severity.WARNING, subject, sentence, remedy)


def note(code: str, subject: str, sentence: str, remedy: str = "nothing, if it is meant so") -> Finding:
    return Finding(code, Severity.NOTE, subject, sentence, remedy)
