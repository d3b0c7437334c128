"""The codebook is data that people edit: these tests say what they broke, and where."""

from __future__ import annotations

import ast
import csv
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from include.newswatch.model import SettingsError
from include.newswatch.scoring import CODEBOOKS
from include.newswatch.scoring.codebook import Name, read_codebook
from tests.conftest import ROOT

DYADS = sorted(path.name for path in CODEBOOKS.iterdir() if path.is_dir() and path.name != "common")
KINDS = {
    *("state", "nationality", "capital", "metonym", "leader", "person", "institution", "ministry", "force", "firm"),
    *("bank", "university", "media", "region", "city", "river", "crossing"),
}
THEMES = {row["label"] for row in csv.DictReader((CODEBOOKS / "common" / "themes.csv").open(encoding="utf-8"))}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def name_rows(dyad: str) -> Iterator[dict[str, str]]:
    for path in sorted((CODEBOOKS / dyad / "names").glob("*.csv")):
        yield from rows(path)


@pytest.mark.parametrize("dyad", DYADS)
def test_every_codebook_loads(dyad: str) -> None:
    codebook = read_codebook(CODEBOOKS, dyad)
    assert len(codebook.sides) == 2
    assert {surface.owner.side for surface in codebook.names if isinstance(surface.owner, Name)} == {
        *codebook.sides,
        "third",
    }


@pytest.mark.parametrize("path", sorted(CODEBOOKS.rglob("*.csv")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_ids_are_unique_in_their_file(path: Path) -> None:
    counted = Counter(row["id"] for row in rows(path) if "id" in row)
    assert [row_id for row_id, n in counted.items() if n > 1] == []


@pytest.mark.parametrize("dyad", DYADS)
def test_ids_of_names_are_unique_across_files(dyad: str) -> None:
    counted = Counter(row["id"] for row in name_rows(dyad))
    assert [row_id for row_id, n in counted.items() if n > 1] == []


@pytest.mark.parametrize("dyad", DYADS)
def test_names_use_the_known_words(dyad: str) -> None:
    for row in name_rows(dyad):
        assert row["kind"] in KINDS, row
        assert row["listed"] in ("yes", "no"), row
        assert set(filter(None, row["themes"].split("|"))) <= THEMES, row
        assert row["name"] and row["en"], row
        assert all(not year or 1600 <= int(year) <= 2100 for year in (row["valid_from"], row["valid_to"])), row


@pytest.mark.parametrize("dyad", DYADS)
def test_no_spelling_stands_for_both_sides(dyad: str) -> None:
    sides: dict[tuple[str, str], set[str]] = {}
    for row in name_rows(dyad):
        for language in ("en", "ru", "zh"):
            for surface in filter(None, row[language].split("|")):
                sides.setdefault((language, surface), set()).add(row["side"])
    assert {spelling: found for spelling, found in sides.items() if len(found) > 1} == {}


@pytest.mark.parametrize("dyad", DYADS)
def test_russian_forms_belong_to_names_that_exist(dyad: str) -> None:
    lemmas = {surface for row in name_rows(dyad) for surface in row["ru"].split("|")}
    forms = rows(CODEBOOKS / dyad / "russian_forms.csv")
    assert {row["lemma"] for row in forms} <= lemmas, "run: python -m training.inflect"


def test_goldstein_values_agree_with_their_quad() -> None:
    types = {row["type"]: row for row in rows(CODEBOOKS / "common" / "event_types.csv")}
    for row in rows(CODEBOOKS / "common" / "events.csv"):
        is_cooperation = types[row["type"]]["quad"].endswith("coop")
        assert (float(row["goldstein"]) > 0) == is_cooperation or float(row["goldstein"]) == 0, row


def test_a_wrong_side_is_reported_with_its_row(tmp_path: Path) -> None:
    shutil.copytree(CODEBOOKS, tmp_path, dirs_exist_ok=True)
    people = tmp_path / "china_russia" / "names" / "people.csv"
    people.write_text(people.read_text(encoding="utf-8").replace(",CN,", ",XX,", 1), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"people\.csv.*side 'XX'"):
        read_codebook(tmp_path, "china_russia")


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"sides\.csv: missing"):
        read_codebook(tmp_path, "nowhere")


def test_the_version_follows_the_data(tmp_path: Path) -> None:
    shutil.copytree(CODEBOOKS, tmp_path, dirs_exist_ok=True)
    before = read_codebook(tmp_path, "china_russia").version
    traps = tmp_path / "china_russia" / "traps.csv"
    traps.write_text(traps.read_text(encoding="utf-8") + "trap-en-99,trap,en,China Grove Lane\n", encoding="utf-8")
    assert before != read_codebook(tmp_path, "china_russia").version


def test_no_country_stands_in_the_code() -> None:
    words = ("china", "chinese", "russia", "beijing", "moscow", "sino-")
    allowed = ("china_russia", "russian_forms.csv")  # the default dyad; forms of the Russian language
    for path in (ROOT / "include" / "newswatch" / "scoring").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in allowed:
                is_prose = " " in node.value and "\n" in node.value
                assert is_prose or not any(word in node.value.lower() for word in words), (path.name, node.value)
