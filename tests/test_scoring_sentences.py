"""The reference splitter: evidence numbers depend on every one of these cases."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.newswatch.scoring.sentences import split_sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Talks began. They ended.", ["Talks began.", "They ended."]),
        ("Prices rose 3.5 percent. 12 ships sailed.", ["Prices rose 3.5 percent.", "12 ships sailed."]),
        ("Really?! Yes.", ["Really?!", "Yes."]),
        ("He said no… and left.", ["He said no… and left."]),
        ("It is over.” The minister left.", ["It is over.”", "The minister left."]),
        ('They met. "We agreed," he said.', ["They met.", '"We agreed," he said.']),
        ("«Не дадим. Никогда», — сказал мэр. Совет молчал.", ["«Не дадим. Никогда», — сказал мэр.", "Совет молчал."]),
        ("Ушли! — и пришли. Все.", ["Ушли! — и пришли.", "Все."]),
        ("双方会谈。会后签字！结束", ["双方会谈。", "会后签字！", "结束"]),
        ("他说：“好。”随后离开。", ["他说：“好。”", "随后离开。"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_end_where_the_rules_say(text: str, expected: list[str]) -> None:
    assert [sentence.text for sentence in split_sentences(text)] == expected


def test_a_guillemet_left_open_does_not_swallow_the_article() -> None:
    assert len(split_sentences("«Начало. " + "Ещё одно предложение. " * 100)) > 90


@given(st.text(alphabet="Ab «».!?…。！？”\"'\n—1", max_size=60))
def test_sentences_are_numbered_and_cover_all_but_white_space(text: str) -> None:
    sentences = split_sentences(text)
    assert [sentence.no for sentence in sentences] == list(range(len(sentences)))
    assert all(text[sentence.start : sentence.end] == sentence.text for sentence in sentences)
    assert (
        "".join(sentence.text for sentence in sentences).split()
        == "".join(text[a.start : a.end] for a in sentences).split()
    )
    assert sum(not char.isspace() for sentence in sentences for char in sentence.text) == sum(
        not char.isspace() for char in text
    )
