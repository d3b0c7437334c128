"""A folder of CSV files in, the knowledge of one dyad out. Nothing about any country stands in this code.

A codebook is what an area specialist edits: names and whom they stand for, phrases that deceive, words for the pair,
themes, event words. `common/` holds what every dyad shares; the folder of the dyad holds its two sides.

Surfaces are separated by `|`. A trailing `*` lets a word go on (`подпис*`); ` + ` joins parts that must stand near
each other (`sign* + agreement*`). A surface with capitals is matched only where the text has a capital too.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from include.newswatch.model import SettingsError

LANGUAGES = ("en", "ru", "zh")
THIRD = "third"
BOTH = "BOTH"


@dataclass(frozen=True, slots=True)
class Name:
    """Something that stands for a side (or for a third party).

    kind: state, nationality, capital, metonym, leader, person, institution, ministry, force, firm, bank, university,
    media, region, city, river, or crossing: a place of the common border, which brings both sides to mind by itself.
    listed: a named actor of the output, not a mere stand-in for the state. themes: what its mention is mostly about.
    valid_from, valid_to: years of office.
    """

    id: str
    side: str
    kind: str
    listed: bool
    name: str
    themes: tuple[str, ...] = ()
    valid_from: int | None = None
    valid_to: int | None = None


@dataclass(frozen=True, slots=True)
class Surface:
    """One spelling of a name or phrase. text: as in the codebook, without the `*` that `is_prefix` stands for."""

    text: str
    language: str
    is_prefix: bool
    owner: Name | Phrase


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase that means something by itself. role: trap, pair, reference, theme, event or marker."""

    id: str
    role: str
    label: str


@dataclass(frozen=True, slots=True)
class EventWord:
    """What an event phrase says. step: -2..2, what the act alone would make of the direction. goldstein: -10..10."""

    type: str
    quad: str
    goldstein: float
    step: int


@dataclass(frozen=True, slots=True)
class Codebook:
    """Everything that is known of one dyad.

    sides: the two ids, in the order of sides.csv. home: the side whose own press writes in a language.
    version: hash of the files.
    """

    dyad: str
    sides: tuple[str, str]
    home: dict[str, str]
    names: tuple[Surface, ...]
    phrases: tuple[Surface, ...]
    event_words: dict[str, EventWord]
    event_types: dict[str, EventWord]
    han_variants: dict[int, str]
    weights: dict[str, dict[str, float]]
    version: str


def read_codebook(root: Path, dyad: str) -> Codebook:
    """Read `root/common` and `root/dyad`.

    Raises:
        SettingsError: a file is missing or a row is wrong; the message names file and line.
    """
    common, folder = root / "common", root / dyad
    side_rows = read_sides(root, dyad)
    sides = tuple(row["side"] for row in side_rows)
    forms = _read_forms((common / "russian_forms.csv", folder / "russian_forms.csv"))
    event_types = dict(_read_event_types(common / "event_types.csv"))
    files = sorted([*common.rglob("*.csv"), *folder.rglob("*.csv")])
    event_words: dict[str, EventWord] = {}
    phrases = [
        *_read_phrases(folder / "traps.csv", "trap"),
        *_read_phrases(folder / "pairs.csv", "pair"),
        *_read_phrases(common / "references.csv", "reference"),
        *_read_phrases(folder / "frontier.csv", "reference"),
        *_read_phrases(common / "themes.csv", "theme"),
        *_read_phrases(common / "markers.csv", "marker"),
        *_read_events(common / "events.csv", event_types, event_words),
    ]
    return Codebook(
        dyad=dyad,
        sides=(sides[0], sides[1]),
        home={row["language"]: row["side"] for row in side_rows if row["language"]},
        names=tuple(_read_names(sorted((folder / "names").glob("*.csv")), common / "countries.csv", sides, forms)),
        phrases=tuple(phrases),
        event_words=event_words,
        event_types=event_types,
        han_variants={ord(row["from"]): row["to"] for row in _rows(common / "han_variants.csv", ("from", "to"))},
        weights=_read_weights(folder / "weights.csv"),
        version=_hash(files, root),
    )


def read_sides(root: Path, dyad: str) -> list[dict[str, str]]:
    """The two lines of the dyad's sides.csv: side, name, language.

    Raises:
        SettingsError: the file is missing, or has not two lines.
    """
    path = root / dyad / "sides.csv"
    rows = list(_rows(path, ("side", "name", "language")))
    if len(rows) != 2:
        raise SettingsError(f"{path}: a dyad has two sides, not {len(rows)}")
    return rows


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    if not path.is_file():
        raise SettingsError(f"{path}: missing")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = set(columns) - set(reader.fieldnames or ())
        if missing:
            raise SettingsError(f"{path}: no column {', '.join(sorted(missing))}")
        for row in reader:
            if None in row or None in row.values():
                raise SettingsError(f"{path}: line {reader.line_num}: not {len(reader.fieldnames or ())} fields")
            yield row


def _surfaces(cell: str, language: str, owner: Name | Phrase) -> Iterator[Surface]:
    for text in filter(None, (part.strip() for part in cell.split("|"))):
        yield Surface(text.removesuffix("*"), language, text.endswith("*"), owner)


def _read_names(
    paths: Iterable[Path], countries: Path, sides: tuple[str, ...], forms: dict[str, tuple[str, ...]]
) -> Iterator[Surface]:
    columns = ("id", "side", "kind", "listed", "name", "themes", *LANGUAGES, "valid_from", "valid_to")
    for path in paths:
        for row in _rows(path, columns):
            if row["side"] not in (*sides, THIRD):
                raise SettingsError(f"{path}: {row['id']}: side {row['side']!r} is none of {', '.join(sides)}, {THIRD}")
            yield from _name_surfaces(row, _name(row, row["side"]), forms)
    for row in _rows(countries, ("id", "name", *LANGUAGES)):
        if row["id"] not in sides:
            yield from _name_surfaces(row, Name(f"third-{row['id']}", THIRD, "state", False, row["name"]), forms)


def _name(row: dict[str, str], side: str) -> Name:
    return Name(
        id=row["id"],
        side=side,
        kind=row["kind"],
        listed=row["listed"] == "yes",
        name=row["name"],
        themes=tuple(filter(None, row["themes"].split("|"))),
        valid_from=int(row["valid_from"]) if row["valid_from"] else None,
        valid_to=int(row["valid_to"]) if row["valid_to"] else None,
    )


def _name_surfaces(row: dict[str, str], name: Name, forms: dict[str, tuple[str, ...]]) -> Iterator[Surface]:
    for language in LANGUAGES:
        for surface in _surfaces(row[language], language, name):
            yield surface
            if language == "ru":
                yield from (Surface(form, "ru", False, name) for form in forms.get(surface.text, ()))


def _read_phrases(path: Path, role: str) -> Iterator[Surface]:
    for row in _rows(path, ("id", "label", "language", "phrases")):
        yield from _surfaces_of_phrase(path, row, Phrase(row["id"], role, row["label"]))


def _surfaces_of_phrase(path: Path, row: dict[str, str], phrase: Phrase) -> Iterator[Surface]:
    if row["language"] not in LANGUAGES:
        raise SettingsError(f"{path}: {row['id']}: language {row['language']!r} is none of {', '.join(LANGUAGES)}")
    if phrase.role in ("trap", "pair", "reference"):
        yield from _surfaces(row["phrases"], row["language"], phrase)
        return
    # The other phrases may have several parts, each with its own `*`: their finder reads them.
    for text in filter(None, (part.strip() for part in row["phrases"].split("|"))):
        yield Surface(text, row["language"], False, phrase)


def _read_events(path: Path, types: dict[str, EventWord], words: dict[str, EventWord]) -> Iterator[Surface]:
    for row in _rows(path, ("id", "type", "step", "goldstein", "language", "phrases")):
        if row["type"] not in types:
            raise SettingsError(f"{path}: {row['id']}: type {row['type']!r} is not in event_types.csv")
        base = types[row["type"]]
        goldstein = float(row["goldstein"]) if row["goldstein"] else base.goldstein
        words[row["id"]] = EventWord(row["type"], base.quad, goldstein, int(row["step"] or base.step))
        yield from _surfaces_of_phrase(path, row, Phrase(row["id"], "event", row["type"]))


def _read_event_types(path: Path) -> Iterator[tuple[str, EventWord]]:
    for row in _rows(path, ("type", "quad", "goldstein", "step", "plover", "meaning")):
        yield row["type"], EventWord(row["type"], row["quad"], float(row["goldstein"]), int(row["step"]))


def _read_forms(paths: Iterable[Path]) -> dict[str, tuple[str, ...]]:
    return {
        row["lemma"]: tuple(row["forms"].split("|"))
        for path in paths
        if path.is_file()
        for row in _rows(path, ("lemma", "forms"))
    }


def _read_weights(path: Path) -> dict[str, dict[str, float]]:
    weights: dict[str, dict[str, float]] = {}
    for row in _rows(path, ("model", "input", "weight")):
        weights.setdefault(row["model"], {})[row["input"]] = float(row["weight"])
    return weights


def _hash(files: Iterable[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
