"""Marked articles and the trained encoder that judges them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from include.newswatch.model import SettingsError
from include.newswatch.scoring import ENCODERS, Scorer, load_scorer
from include.newswatch.scoring.encoder import MAX_TOKENS, Encoder, Judgement, fit_window
from include.newswatch.scoring.marking import MarkedText, mark_reading, swap_sides

DYAD = "china_russia"


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return load_scorer(DYAD)


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(ENCODERS / DYAD)


def marked(scorer: Scorer, title: str, text: str) -> MarkedText:
    return mark_reading(scorer.gate.read(title, text), scorer.codebook.sides)


def judge(scorer: Scorer, encoder: Encoder, title: str, text: str) -> Judgement:
    return encoder.judge([marked(scorer, title, text)])[0]


def positive(judgement: Judgement) -> float:
    return judgement.direction[3] + judgement.direction[4]


def test_the_encoder_sees_sides_and_not_their_names(scorer: Scorer) -> None:
    article = "Xi Jinping met Vladimir Putin in Moscow and Gazprom sold China more gas."
    text = marked(scorer, "", article).sentences[0].text

    assert text == "[A:person] met [B:person] in [B] and [B:body] sold [A] more gas."


def test_third_parties_keep_their_names(scorer: Scorer) -> None:
    text = marked(scorer, "", "Beijing and Moscow criticised Japan over the islands.").sentences[0].text

    assert text == "[A] and [B] criticised Japan over the islands."


def test_swapping_sides_twice_changes_nothing() -> None:
    text = "[A:person] told [B] that [A:body] and [B:body] would sign."

    assert swap_sides(text) == "[B:person] told [A] that [B:body] and [A:body] would sign."
    assert swap_sides(swap_sides(text)) == text


def test_a_long_article_keeps_title_focus_and_conclusion(scorer: Scorer, encoder: Encoder) -> None:
    filler = "The weather in the hills stayed dry for most of the long and quiet autumn of that year. " * 60
    text = f"{filler}China and Russia signed a border treaty. {filler}In the end the two neighbours trusted each other."
    reading = marked(scorer, "Autumn notes", text)
    window = fit_window(encoder.tokenizer, reading)

    numbers = {sentence.no for sentence in reading.sentences if "[A]" in sentence.text}
    assert len(window.ids) <= MAX_TOKENS
    assert {-1, *numbers, 121} <= set(window.nos)


def test_the_same_article_gets_the_same_judgement_in_any_company(scorer: Scorer, encoder: Encoder) -> None:
    first = marked(scorer, "", "China and Russia agreed on a gas price.")
    second = marked(scorer, "", "Россия и Китай отменили совместные учения.")

    assert encoder.judge([first, second])[0] == encoder.judge([first])[0] == encoder.judge([second, first])[1]


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        (
            "China and Russia signed an agreement on joint research.",
            "China accused Russia of spying and expelled two Russian diplomats.",
        ),
        (
            "Россия и Китай подписали соглашение о совместных исследованиях.",
            "Китай обвинил Россию в шпионаже и выслал двух российских дипломатов.",
        ),
        ("中国与俄罗斯签署联合研究协议。", "中国指责俄罗斯从事间谍活动，并驱逐两名俄罗斯外交官。"),
    ],
)
def test_a_deal_is_better_for_the_two_than_an_expulsion(scorer: Scorer, encoder: Encoder, good: str, bad: str) -> None:
    friendly, hostile = (judge(scorer, encoder, "", text) for text in (good, bad))

    assert friendly.relevance[0] < 0.5 and hostile.relevance[0] < 0.5
    assert positive(friendly) > 0.5 > positive(hostile)


def test_probabilities_are_probabilities(scorer: Scorer, encoder: Encoder) -> None:
    judgement = judge(scorer, encoder, "Talks", "China and Russia held talks. Oil rose. Nobody else spoke.")

    assert sum(judgement.relevance) == pytest.approx(1, abs=1e-5)
    assert sum(judgement.direction) == pytest.approx(1, abs=1e-5)
    assert [sentence.no for sentence in judgement.sentences] == [-1, 0, 1, 2]
    assert all(0 <= sentence.evidence <= 1 and len(sentence.events) == 15 for sentence in judgement.sentences)


@pytest.mark.parametrize(
    "text",
    [
        "China and Russia " + "on and on " * 100_000,
        "中俄" * 200_000,
        "Китай Россия\x00\u200b\ufeff " * 40_000,
        "",
        "🙂 China 🙂 Russia 🙂",
    ],
    ids=["one sentence of 1 MB", "no full stop", "control characters", "empty", "signs without a piece"],
)
def test_hostile_texts_are_judged_in_bounded_time(scorer: Scorer, text: str) -> None:
    start = time.perf_counter()
    score = scorer.score("", text)

    assert 0 <= score.relevance <= 1
    assert time.perf_counter() - start < 60  # a minute on a busy machine; unbounded work takes hours


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"encoder\.onnx: missing"):
        Encoder.load(tmp_path)


def test_the_score_names_the_weights_it_rests_on(scorer: Scorer, encoder: Encoder) -> None:
    assert encoder.version in scorer.score("", "China and Russia signed a deal.").scorer_version


def test_evidence_and_direction_come_together(scorer: Scorer) -> None:
    tied = scorer.score("", "Rain fell. China and Russia signed a treaty of friendship in Moscow. Markets slept.")
    listed = scorer.score("", "Wheat rose in Canada. Prices also rose in China and Russia, the bank said.")

    assert tied.direction_class is not None and tied.direction_class > 0
    assert 1 in [evidence.sentence_no for evidence in tied.evidence]
    assert listed.relevance_class == 0
    assert (listed.direction_class, listed.evidence, listed.events) == (None, (), ())


def test_a_shut_gate_costs_no_encoder(scorer: Scorer) -> None:
    start = time.perf_counter()
    for _ in range(100):
        assert scorer.score("", "Local elections in Ohio were quiet.").relevance_class == 0
    assert time.perf_counter() - start < 0.5
