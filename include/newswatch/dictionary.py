"""What the database says of itself in, the data dictionary as Markdown out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

Row = Mapping[str, Any]
HEAD = """# Data dictionary

Made from the comments of the database by `make dictionary`; the same texts stand in the file itself:
`select table_name, column_name, comment from duckdb_columns() where not internal`.

Start with the views, they hold what is current; [queries.md](queries.md) shows them at work. Times are UTC.
"key" marks the primary key of a table, → what a column refers to.
"""


def render_dictionary(columns: Sequence[Row], vocabularies: Sequence[Row]) -> str:
    """The page of all views, tables, closed vocabularies and macros.

    Args:
        columns: rows of find_dictionary.sql. vocabularies: rows of find_vocabularies.sql.
    """
    parts = [HEAD]
    for kind, title in (("view", "Views"), ("table", "Tables")):
        parts.append(f"\n## {title}\n")
        of_kind = [row for row in columns if row["kind"] == kind]
        for name, rows in groupby(of_kind, key=lambda row: str(row["table_name"])):
            parts.append(_table(name, list(rows)))
    parts.append("\n## Closed vocabularies\n")
    parts += [_vocabulary(row) for row in vocabularies if row["kind"] == "type"]
    parts.append("\n## Macros\n")
    parts += [
        f"\n`{row['name']}({', '.join(row['members'])})`: {row['comment']}\n"
        for row in vocabularies
        if row["kind"] == "macro"
    ]
    return "".join(parts)


def _table(name: str, rows: Sequence[Row]) -> str:
    lines = "".join(
        f"| `{row['column_name']}` | {_cell(row['data_type'])} | {_key(row)} | {_cell(row['comment'])} |\n"
        for row in rows
    )
    return (
        f"\n### {name}\n\n{rows[0]['table_comment']}\n\n| column | type | key | meaning |\n|---|---|---|---|\n{lines}"
    )


def _key(row: Row) -> str:
    words = ["key"] if row["is_key"] else []
    if row["refers_to"]:
        words.append(f"→ {row['refers_to']}")
    return " ".join(words)


def _vocabulary(row: Row) -> str:
    """A type, whose comment is a sentence and then a line `word: meaning` for each member."""
    sentence, *meanings = str(row["comment"]).split("\n")
    lines = "".join(
        f"| `{word}` | {_cell(meaning)} |\n" for word, _, meaning in (line.partition(": ") for line in meanings)
    )
    return f"\n### {row['name']}\n\n{sentence}\n\n| word | meaning |\n|---|---|\n{lines}"


def _cell(text: str) -> str:
    return str(text).replace("|", "\\|").replace("\n", " ")
