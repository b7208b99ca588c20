"""What documents say of the contract, of the calls and of what they cost. scripts/generate writes it into them."""

from collections.abc import Iterable
from typing import Any


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def share(part: float, whole: float) -> str:
    percent = 100 * part / whole
    return f"{percent:.1f} %" if 0 < percent < 99.95 else f"{percent:.0f} %"
