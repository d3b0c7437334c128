"""What word lists make of sentences and articles, and how a score explains itself."""

from __future__ import annotations

import time

import pytest

from include.newswatch.scoring import CODEBOOKS, Scorer, load_scorer
from include.newswatch.scoring.codebook import read_codebook
from include.newswatch.scoring.explain import explain, render
from include.newswatch.scoring.judge import SentenceJudgement


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    return Scorer(read_codebook(CODEBOOKS, "china_russia"))


def judgement(scorer: Scorer, text: str) -> SentenceJudgement:
    return scorer.judge.judge(scorer.gate.read("", text))[0]


def acts(scorer: Scorer, text: str) -> set[tuple[str, str, str]]:
    return {(event.type, event.source, event.target) for event in judgement(scorer, text).events}


@pytest.mark.parametrize(
    ("text", "act"),
    [
        ("China signed a contract with Russia.", ("AGREE", "CN", "RU")),
        ("Россия приостановила поставки в Китай.", ("SANCTION", "RU", "CN")),
        ("中国海警扣押俄罗斯渔船。", ("COERCE", "CN", "RU")),
        ("China and Russia hold a joint exercise.", ("COOPERATE", "BOTH", "BOTH")),
        ("Москва и Пекин сняли запрет на рыбу.", ("YIELD", "BOTH", "BOTH")),
    ],
)
def test_acts_have_their_parties(scorer: Scorer, text: str, act: tuple[str, str, str]) -> None:
    assert act in acts(scorer, text)


def test_de_escalation_and_war_games_are_no_assault(scorer: Scorer) -> None:
    assert acts(scorer, "China and Russia seek de-escalation in a price war.") == set()


@pytest.mark.parametrize(
    ("text", "modality"),
    [
        ("China denied that it sold shells to Russia.", "denied"),
        ("Если Китай и Россия подпишут договор, цены вырастут.", "hypothetical"),
        ("苏联与中国曾在珍宝岛交火。", "past"),
        ("China signed with Russia.", "asserted"),
    ],
)
def test_sentences_have_a_mode(scorer: Scorer, text: str, modality: str) -> None:
    assert judgement(scorer, text).modality == modality


def test_only_what_is_asserted_sets_a_direction(scorer: Scorer) -> None:
    assert judgement(scorer, "China signed a deal with Russia.").direction > 0
    assert judgement(scorer, "China denied it signed a deal with Russia.").direction == 0


def test_a_plain_deal_is_scored_with_its_evidence(scorer: Scorer) -> None:
    score = scorer.score(
        "Gazprom and CNPC sign gas contract",
        "It rained in Shanghai. Gazprom and CNPC of China signed a contract for Russian gas. Shares rose.",
    )
    assert score.relevance_class == 2
    assert score.direction_class is not None and score.direction_class > 0
    assert "AGREE" in {event.type for event in score.events}
    assert "energy" in score.themes
    assert [(actor.name, actor.side) for actor in score.actors] == [("Gazprom", "RU"), ("CNPC", "CN")]
    assert [evidence.sentence_no for evidence in score.evidence] == [1]


def test_an_article_about_neither_has_nothing_but_a_small_probability(scorer: Scorer) -> None:
    score = scorer.score("Library opens", "The mayor of Lyon opened a library.")
    assert (score.relevance_class, score.direction, score.events, score.themes, score.evidence) == (0, None, (), (), ())
    assert 0 < score.relevance < 0.05


def test_actors_are_listed_at_any_relevance(scorer: Scorer) -> None:
    assert [actor.name for actor in scorer.score("", "Huawei opened a shop in Lyon.").actors] == ["Huawei"]


def test_the_same_bytes_get_the_same_score() -> None:
    first, second = (Scorer(read_codebook(CODEBOOKS, "china_russia")) for _ in range(2))
    text = "Moscow and Beijing signed. The two countries will ban timber."
    assert first.score("", text) == second.score("", text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\u200b" * 50_000,
        "Китай и Россия подписали соглашение " * 3_000,
        "中俄两国签署协议" * 6_000,
        "«" * 50_000 + "Россия. Китай.",
        "Рutin Cнina Китай俄罗斯\u200d" * 3_000,
        ". A" * 50_000,
    ],
    ids=["empty", "controls", "one Russian sentence", "one Chinese sentence", "open quotes", "mixed scripts", "stops"],
)
def test_hostile_texts_end_in_a_score_soon(scorer: Scorer, text: str) -> None:
    started = time.process_time()
    scorer.score("", text)
    assert time.process_time() - started < 3


def test_an_explanation_shows_names_acts_and_weights(scorer: Scorer) -> None:
    shown = render(explain(scorer, "", "China signed a deal with Russia. The two countries were pleased."))
    for part in ("[China|CN]", "[Russia|RU]", "[The two countries|ref]", "AGREE", "tie", "touches", scorer.version):
        assert part in shown


def test_an_explanation_says_why_the_gate_stays_shut(scorer: Scorer) -> None:
    explanation = explain(scorer, "", "The mayor of Lyon opened a library.")
    assert not explanation.is_open
    assert "shut" in render(explanation)


def test_another_dyad_is_another_folder() -> None:
    scorer = load_scorer("india_china")
    score = scorer.score("", "India and China signed an agreement on trade in Delhi. Modi thanked Xi Jinping.")
    assert score.relevance_class == 2
    assert [(actor.name, actor.side) for actor in score.actors] == [("Narendra Modi", "IN"), ("Xi Jinping", "CN")]
    assert {event.type for event in score.events} >= {"AGREE"}
    assert scorer.score("", "Russia and China signed an agreement on trade.").relevance_class == 0
    call = "Xi Jinping and Vladimir Putin spoke by phone. The two countries will trade more, the two sides said."
    assert scorer.score("Xi and Putin hold telephone talks", call).relevance_class == 0
