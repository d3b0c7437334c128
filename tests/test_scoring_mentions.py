"""Who is named where: both scripts, inflection, traps, and text that hides its names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.newswatch.scoring import CODEBOOKS, Scorer
from include.newswatch.scoring.codebook import Name, read_codebook


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(read_codebook(CODEBOOKS, "china_russia"))


def found(scorer: Scorer, text: str) -> list[tuple[str, str]]:
    """(surface, side or role) of every mention."""
    return [
        (text[m.start : m.end], m.owner.side if isinstance(m.owner, Name) else m.owner.role)
        for m in scorer.gate._finder.find(text)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("China sold it to Russia.", [("China", "CN"), ("Russia", "RU")]),
        ("Пекин ответил Москве.", [("Пекин", "CN"), ("Москве", "RU")]),
        ("Си Цзиньпину позвонили из Кремля.", [("Си Цзиньпину", "CN"), ("Кремля", "RU")]),
        ("習近平會見普京", [("習近平", "CN"), ("普京", "RU")]),
        ("中俄合作", [("中俄", "pair")]),
        ("俄羅斯外長", [("俄羅斯", "RU")]),
        ("российско-китайские связи", [("российско-китайские", "pair")]),
        ("CHINA BACKS RUSSIA", [("CHINA", "CN"), ("RUSSIA", "RU")]),
    ],
)
def test_names_are_found_in_three_languages(scorer: Scorer, text: str, expected: list[tuple[str, str]]) -> None:
    assert found(scorer, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "He served tea on fine china from a china cabinet.",
        "A game of Russian roulette in Chinatown.",
        "Police in Moscow, Idaho, said so.",
        "白俄罗斯与俄亥俄州",
        "中亚和中东",
        "Русская рулетка в Китай-городе",
        "Prussia and Indochina",
    ],
)
def test_traps_bring_neither_side(scorer: Scorer, text: str) -> None:
    assert not {side for _, side in found(scorer, text)} & {"CN", "RU", "pair"}


def test_hidden_names_are_found_at_their_place_in_the_original(scorer: Scorer) -> None:
    assert found(scorer, "R\u200bus\u200bsia,  \u00adCнina, Ро\u0301ссии") == [
        ("R\u200bus\u200bsia", "RU"),
        ("Cнina", "CN"),
        ("Ро\u0301ссии", "RU"),
    ]


def test_a_word_of_the_language_is_no_name_without_its_capital(scorer: Scorer) -> None:
    assert found(scorer, "The mao and the xi are letters.") == []


@given(st.text(max_size=200))
def test_any_text_has_mentions_inside_its_bounds(scorer: Scorer, text: str) -> None:
    ends = 0
    for mention in scorer.gate._finder.find(text):
        assert ends <= mention.start < mention.end <= len(text)
        ends = mention.end
