"""An article in, its score out: about the two sides or not, how it leaves them, and the sentences that show it.

    codebook ─► mentions ─► gate ─► word lists ─► trained encoder, if the dyad has one ─► article judge ─► Score

The knowledge is loaded once and handed in; scoring itself touches no file, clock or network.
"""

from __future__ import annotations

from datetime import date as Date
from functools import lru_cache
from pathlib import Path

from include.newswatch.model import Actor, Event, Evidence, Score
from include.newswatch.scoring.codebook import THIRD, Codebook, Name, Phrase, read_codebook, read_sides
from include.newswatch.scoring.encoded import EncoderJudge, load_encoder_judge
from include.newswatch.scoring.gate import TITLE_NO, Gate, Reading
from include.newswatch.scoring.judge import SentenceJudge, SentenceJudgement, Verdict, Weights, judge_article
from include.newswatch.scoring.lexicon import LexiconJudge
from include.newswatch.scoring.mentions import MentionFinder, Normalizer

CODEBOOKS = Path(__file__).parents[2] / "codebook"
ENCODERS = Path(__file__).parent / "weights"
# Whose encoder serves a pair without one of its own: it has met no names, only marks of two sides, each way round.
LENDER = "china_russia"
NO_TIE = 0.01  # probability of a tie where the gate stays shut: its measured miss rate, rounded up
DECIMALS = 4  # of the stored probability: the same on every machine
PLACE_KINDS = ("capital", "city", "crossing", "region", "river")
OPENING_SENTENCES = 4  # beyond the title; what is named later is mostly background
NAMED_ROLES = ("trap", "pair", "reference")
__all__ = ["Scorer", "load_scorer", "relation_name"]


class Scorer:
    """Scores articles by one codebook and one judge of sentences. Same bytes, same score."""

    def __init__(
        self,
        codebook: Codebook,
        judge: SentenceJudge | None = None,
        encoder: EncoderJudge | None = None,
        *,
        takes_hints: bool = True,
    ) -> None:
        normalizer = Normalizer(codebook.han_variants)
        named = [s for s in codebook.phrases if isinstance(s.owner, Phrase) and s.owner.role in NAMED_ROLES]
        self.codebook = codebook
        finder = MentionFinder([*named, *codebook.names], normalizer)
        self.gate = Gate(finder, codebook.sides, codebook.home, takes_hints=takes_hints)
        self.judge: SentenceJudge = judge or LexiconJudge(codebook, normalizer)
        self.encoder = encoder
        self.weights: Weights = encoder.combination if encoder else codebook.weights
        versions = [self.judge.version, encoder.version if encoder else "", f"{codebook.dyad}-{codebook.version}"]
        self.version = "+".join(filter(None, versions))

    def score(self, title: str, text: str, language: str | None = None, date: Date | None = None) -> Score:
        """Score one article; any text ends in a score.

        language: of the article, en, ru or zh; guessed by its script when None. date: of its publication, if known.
        """
        reading, _, verdict = self.judge_reading(title, text, language)
        return self.score_of(reading, verdict)

    def score_of(self, reading: Reading, verdict: Verdict) -> Score:
        """The score that a verdict on a reading amounts to."""
        actors = tuple(Actor(name.id, name.name, name.side) for name in reading.names if name.listed)
        return Score(
            relevance=round(verdict.relevance, DECIMALS),
            relevance_class=verdict.relevance_class,
            direction=verdict.direction,
            direction_class=verdict.direction_class,
            events=_events(verdict),
            themes=verdict.themes,
            actors=actors,
            evidence=tuple(Evidence(no, reading.sentences[no].text) for no in verdict.evidence),
            scorer_version=self.version,
            places=_places(reading),
        )

    def judge_reading(
        self, title: str, text: str, language: str | None = None
    ) -> tuple[Reading, tuple[SentenceJudgement, ...], Verdict]:
        """What the gate saw, what the sentences say and what follows: a score with its reasons."""
        reading = self.gate.read(title, text, language)
        if not reading.is_open:
            return reading, (), Verdict(NO_TIE, 0)
        words = self.judge.judge(reading)
        if not self.encoder:
            return reading, words, judge_article(reading, words, self.codebook.weights)
        judgements, verdict = self.encoder.judge(reading, words)
        return reading, judgements, verdict


def _places(reading: Reading) -> tuple[str, ...]:
    opening = (reading.title, *reading.sentences[:OPENING_SENTENCES])
    names = [mention.owner for passage in opening for mention in passage.mentions]
    places = (n.id for n in names if isinstance(n, Name) and (n.kind in PLACE_KINDS or n.side == THIRD))
    return tuple(dict.fromkeys(places))


def _events(verdict: Verdict) -> tuple[Event, ...]:
    unique: dict[tuple[str, str, str], Event] = {}
    for guess, no in verdict.events:
        event = Event(
            guess.type, guess.quad, guess.goldstein, guess.source, guess.target, None if no == TITLE_NO else no
        )
        unique.setdefault((guess.type, guess.source, guess.target), event)
    return tuple(unique.values())


@lru_cache(maxsize=2)
def load_scorer(dyad: str = "china_russia", codebooks: Path = CODEBOOKS, encoders: Path = ENCODERS) -> Scorer:
    """The scorer of one dyad, ready to use. A dyad without a folder of weights borrows those of LENDER.

    Kept, since a process scores batch after batch and loading takes seconds.

    Raises:
        SettingsError: the codebook or the weights are incomplete or wrong; the message says where.
    """
    codebook = read_codebook(codebooks, dyad)
    is_own = (encoders / dyad).is_dir()
    encoder = load_encoder_judge(encoders / (dyad if is_own else LENDER), codebook)
    # A borrowed one has learned of other third parties: what one of the two does with those it would take for a tie.
    return Scorer(codebook, encoder=encoder, takes_hints=is_own)


def relation_name(dyad: str, codebooks: Path = CODEBOOKS) -> str:
    """The two sides in words, as for a title."""
    return " and ".join(row["name"] for row in read_sides(codebooks, dyad))
