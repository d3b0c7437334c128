"""Which sentences bring the sides together."""

from __future__ import annotations

import time

import pytest

from include.newswatch.scoring import CODEBOOKS, Scorer
from include.newswatch.scoring.codebook import read_codebook
from include.newswatch.scoring.gate import MAX_FOCUSES, TITLE_NO


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(read_codebook(CODEBOOKS, "china_russia"))


def bonds(scorer: Scorer, title: str, text: str) -> dict[int, str]:
    return {focus.no: focus.bond for focus in scorer.gate.read(title, text).focuses}


@pytest.mark.parametrize(
    ("title", "text", "expected"),
    [
        ("", "Rain fell. China and Russia signed.", {1: "sentence"}),
        ("", "Wang Yi arrived. Lavrov met him at the door.", {1: "neighbour"}),
        ("China courts Russia", "Beijing sent wheat.", {TITLE_NO: "sentence", 0: "title"}),
        ("", "Beijing and Moscow talked. Snow fell. The two countries will talk again.", {0: "sentence", 2: "carried"}),
        ("", "俄方昨天退回了这批货物。", {0: "home"}),
        ("", "Китай закрыл рынок для нашей рыбы.", {0: "home"}),
        ("", "Heihe was quiet. Nothing crossed.", {0: "distant"}),
        ("", "France and Germany signed.", {}),
        ("", "China grew. Rain fell.", {0: "distant"}),
        ("", "China grew. " + "Rain fell. " * 50, {}),
    ],
)
def test_bonds(scorer: Scorer, title: str, text: str, expected: dict[int, str]) -> None:
    assert bonds(scorer, title, text) == expected


def test_the_language_may_be_told(scorer: Scorer) -> None:
    text = "Moscow is cold. " + "Snow fell. " * 50
    assert not scorer.gate.read("", text, language="en").is_open
    assert scorer.gate.read("", text, language="zh").is_open


def test_long_articles_are_judged_by_their_strongest_bonds(scorer: Scorer) -> None:
    text = "China slept. Russia slept. " * 200 + "China signed with Russia."
    focuses = scorer.gate.read("", text).focuses
    assert len(focuses) == MAX_FOCUSES
    assert focuses[-1].bond == "sentence"


def test_a_thousand_plain_texts_pass_in_a_second(scorer: Scorer) -> None:
    text = "The mayor of Lyon opened a library on Monday, and the town band played until dark. " * 15
    started = time.process_time()
    for _ in range(1000):
        scorer.gate.read("A library opens", text)
    assert time.process_time() - started < 1.5
