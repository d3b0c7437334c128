"""An article in, its score out: about the two sides or not, how it leaves them, and the sentences that show it.

    codebook ─► mentions ─► gate ─► sentence judge (word lists or a trained encoder) ─► article judge ─► Score

The knowledge is loaded once and handed in; scoring itself touches no file, clock or network.
"""

from __future__ import annotations

from datetime import date as Date
from pathlib import Path

from include.newswatch.model import Actor, Event, Evidence, Score
from include.newswatch.scoring.codebook import Codebook, Phrase, read_codebook
from include.newswatch.scoring.gate import TITLE_NO, Gate
from include.newswatch.scoring.judge import SentenceJudge, Verdict, judge_article
from include.newswatch.scoring.lexicon import LexiconJudge
from include.newswatch.scoring.mentions import MentionFinder, Normalizer

CODEBOOKS = Path(__file__).parents[2] / "codebook"
NO_TIE = 0.01  # probability of a tie where the gate stays shut: its measured miss rate, rounded up
NAMED_ROLES = ("trap", "pair", "reference")
__all__ = ["Scorer", "load_scorer"]


class Scorer:
    """Scores articles by one codebook and one judge of sentences. Same bytes, same score."""

    def __init__(self, codebook: Codebook, judge: SentenceJudge | None = None) -> None:
        normalizer = Normalizer(codebook.han_variants)
        named = [s for s in codebook.phrases if isinstance(s.owner, Phrase) and s.owner.role in NAMED_ROLES]
        self.codebook = codebook
        self.gate = Gate(MentionFinder([*named, *codebook.names], normalizer), codebook.sides, codebook.home)
        self.judge: SentenceJudge = judge or LexiconJudge(codebook, normalizer)
        self.version = f"{self.judge.version}+{codebook.dyad}-{codebook.version}"

    def score(self, title: str, text: str, language: str | None = None, date: Date | None = None) -> Score:
        """Score one article; any text ends in a score.

        language: of the article, en, ru or zh; guessed by its script when None. date: of its publication, if known.
        """
        reading = self.gate.read(title, text, language)
        actors = tuple(Actor(name.id, name.name, name.side) for name in reading.names if name.listed)
        if not reading.is_open:
            return Score(NO_TIE, 0, None, None, (), (), actors, (), self.version)
        judgements = self.judge.judge(reading)
        verdict = judge_article(reading, judgements, self.codebook.weights)
        if not verdict.relevance_class:
            return Score(round(verdict.relevance, 4), 0, None, None, (), (), actors, (), self.version)
        return Score(
            relevance=round(verdict.relevance, 4),
            relevance_class=verdict.relevance_class,
            direction=verdict.direction,
            direction_class=verdict.direction_class,
            events=_events(verdict),
            themes=verdict.themes,
            actors=actors,
            evidence=tuple(Evidence(no, reading.sentences[no].text) for no in verdict.evidence),
            scorer_version=self.version,
        )


def _events(verdict: Verdict) -> tuple[Event, ...]:
    unique: dict[tuple[str, str, str], Event] = {}
    for guess, no in verdict.events:
        event = Event(
            guess.type, guess.quad, guess.goldstein, guess.source, guess.target, None if no == TITLE_NO else no
        )
        unique.setdefault((guess.type, guess.source, guess.target), event)
    return tuple(unique.values())


def load_scorer(dyad: str = "china_russia", codebooks: Path = CODEBOOKS) -> Scorer:
    """The scorer of one dyad, ready to use.

    Raises:
        SettingsError: the codebook is missing or wrong; the message says where.
    """
    return Scorer(read_codebook(codebooks, dyad))
