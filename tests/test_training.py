"""The corpus is what its data card says; texts made by rule keep their labels; the fitting finds what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from include.newswatch.scoring import ENCODERS
from include.newswatch.scoring.encoded import THRESHOLD
from include.newswatch.scoring.encoder import EVENT_TYPES, THEMES, TRAITS, WAYS
from include.newswatch.scoring.sentences import split_sentences
from training.calibrate import fit_model
from training.combine import fit_set, set_f1
from training.compose import Mixture, compose
from training.corpus import Item, load_corpus
from training.events import read_event_sentences


@pytest.fixture(scope="module")
def corpus() -> tuple[Item, ...]:
    return load_corpus()


def test_every_item_is_labelled_by_the_rules(corpus: tuple[Item, ...]) -> None:
    wrong = [item.id for item in corpus if not _is_legal(item)]

    assert wrong == []


def _is_legal(item: Item) -> bool:
    n_sentences = len(split_sentences(item.text))
    return (
        item.relevance in (0, 1, 2)
        and (item.direction is None) == (item.relevance == 0)
        and (item.relevance > 0 or not (item.events or item.themes or item.evidence))
        and all(0 <= no < n_sentences for no in item.evidence)
        and item.capability in TRAITS
        and set(item.themes) <= set(THEMES)
        and {act.type for act in item.events} <= set(EVENT_TYPES)
        and bool(item.title or item.text)
    )


def test_ids_and_texts_are_unique(corpus: tuple[Item, ...]) -> None:
    assert len({item.id for item in corpus}) == len(corpus)
    assert len({(item.title, item.text) for item in corpus}) == len(corpus)


def test_no_story_stands_on_both_sides_of_the_split(corpus: tuple[Item, ...]) -> None:
    tested = {item.story for item in corpus if item.part == "test"}

    assert not tested & {item.story for item in corpus if item.part != "test"}


def test_the_same_seed_composes_the_same_texts(corpus: tuple[Item, ...]) -> None:
    some = [item for item in corpus if item.part == "train"][:600]

    assert compose(some, Mixture(), 1) == compose(some, Mixture(), 1) != compose(some, Mixture(), 2)


def test_a_composed_text_still_holds_its_evidence(corpus: tuple[Item, ...]) -> None:
    some = [item for item in corpus if item.part == "train" and item.lang == "ru"]
    by_id = {item.id: item for item in some}

    for made in compose(some, replace(Mixture(), digests=0, headlines=0), 1):
        was = [split_sentences(by_id[made.id].text)[no].text for no in by_id[made.id].evidence]
        assert [split_sentences(made.text)[no].text for no in made.evidence] == was


def test_the_model_finds_the_input_that_decides() -> None:
    rows = [({"right": float(i % 2), "noise": float(i % 3)}, i % 2 == 1, 1.0) for i in range(60)]
    weights = fit_model(rows)

    assert weights["right"] > 5 * abs(weights["noise"])


def test_the_threshold_is_that_of_the_best_sets() -> None:
    texts = [({"a": {"said": 2.0}, "b": {"said": -2.0}, "c": {"said": 1.0}}, frozenset({"a", "c"})) for _ in range(20)]
    model = fit_set(texts, 3, 0)

    assert model["said"] > 0
    assert 0 < model[THRESHOLD] < 1
    assert set_f1(frozenset(), frozenset()) == 1
    assert set_f1(frozenset({1, 2}), frozenset({2})) == pytest.approx(2 / 3)


def test_a_sentence_with_an_act_teaches_its_type_and_way_alone(tmp_path: Path) -> None:
    examples = pytest.importorskip("training.examples", reason="PyTorch is a dependency of training alone")
    line = {"id": "1", "text": "Police of Arland detained two Borland sailors.", "plover": "COERCE"}
    line |= {"source_actor": "Police of Arland", "target_actor": "two Borland sailors"}
    (tmp_path / "acts.jsonl").write_text(json.dumps(line), encoding="utf-8")
    sentences = read_event_sentences(tmp_path / "acts.jsonl")
    tokenizer = Tokenizer.from_file(str(ENCODERS / "china_russia" / "tokenizer.json"))
    plain, swapped = (examples.make_event_examples(sentences, tokenizer, are_swapped=swap)[0] for swap in (False, True))

    assert sentences[0].text == "[A] Police of Arland detained [B] two Borland sailors."
    assert divmod(plain.events[0], len(WAYS)) == (EVENT_TYPES.index("COERCE"), WAYS.index("A>B"))
    assert divmod(swapped.events[0], len(WAYS)) == (EVENT_TYPES.index("COERCE"), WAYS.index("B>A"))
    assert {plain.relevance, plain.direction, plain.trait, *plain.stances} == {examples.UNKNOWN}
