"""Reads queries of CloudWatch Metrics Insights, far enough to refuse AWS's refusals: names that
need quotes and lack them."""

import re

# The language's own words, in the order in which a query may have them.
QUERY = re.compile(
    r"""
    SELECT \s+ (AVG|COUNT|MAX|MIN|SUM) \( NAME \) \s+
    FROM \s+ (SCHEMA \( NAME (\s*,\s* NAME)* \) | NAME)
    (\s+ WHERE \s+ NAME \s* (=|!=) \s* TEXT (\s+ AND \s+ NAME \s* (=|!=) \s* TEXT)*)?
    (\s+ GROUP \s+ BY \s+ NAME (\s*,\s* NAME)*)?
    (\s+ ORDER \s+ BY \s+ (AVG|COUNT|MAX|MIN|SUM) \(\) (\s+ (ASC|DESC))?)?
    (\s+ LIMIT \s+ [0-9]+)?
    """.replace("NAME", r'"[^"]+"').replace("TEXT", r"'[^']*'"),
    re.VERBOSE | re.IGNORECASE,
)


def refuses(expression: str) -> bool:
    """Whether an expression is a query, and one that Metrics Insights would not take. It reserves a
    thousand words, so every name wants its quotes; which of them do without, AWS alone knows."""
    return bool(re.match(r"\s*SELECT\b", expression, re.IGNORECASE)) and not QUERY.fullmatch(expression.strip())


def overloads(body: dict[str, list[dict[str, object]]]) -> bool:
    """Whether a widget of a dashboard asks several queries: it would show an error, since
    CloudWatch takes one at a time."""
    asked = ([one for one in expressions(widget) if one.lstrip().upper().startswith("SELECT")] for widget in body["widgets"])
    return any(len(queries) > 1 for queries in asked)


def expressions(value: object) -> list[str]:
    """Every expression in a dashboard's body, or in whatever else has some."""
    if isinstance(value, dict):
        own = [value["expression"]] if isinstance(value.get("expression"), str) else []
        return own + [found for part in value.values() for found in expressions(part)]
    return [found for part in value for found in expressions(part)] if isinstance(value, list) else []
