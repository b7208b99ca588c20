"""The generated parts of documents: the contract, the calls, their costs. scripts/generate writes
them."""

import textwrap
from collections.abc import Iterable
from typing import Any


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "| " + " | ".join("---" for _ in head) + " |"]
    return "\n".join(lines + ["| " + " | ".join(str(cell) for cell in row) + " |" for row in rows])


def filled(text: str) -> str:
    """A paragraph of a document, at most 100 columns wide."""
    return textwrap.fill(text, width=100, break_long_words=False, break_on_hyphens=False)


def share(part: float, whole: float) -> str:
    percent = 100 * part / whole
    return f"{percent:.1f} %" if 0 < percent < 99.95 else f"{percent:.0f} %"
