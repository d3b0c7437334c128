"""Title and text in, their language out: en, ru, zh or None. The script decides first, a trained detector the rest."""

from __future__ import annotations

import re
from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from include.newswatch.model import Language

SAMPLE_CHARS = 1500
DETECTOR_CHARS = 600
NOT_LATIN = re.compile("[^\x00-\u024f\u1e00-\u1eff]+")
NOT_CYRILLIC = re.compile("[^\x00-@\u0400-\u052f]+")
SHORT_LETTERS = 160  # a headline: the detector errs on one in twenty, so the feed's own word counts

SCRIPTS = {
    "han": re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "kana": re.compile("[\u3041-\u30ff\u31f0-\u31ff\uff66-\uff9f]"),
    "hangul": re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "cyrillic": re.compile("[\u0400-\u052f]"),
    "latin": re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "other": re.compile("[\u0370-\u03ff\u0530-\u10ff\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff]"),
}
HAN_WEIGHT = 3  # one character of Chinese says about as much as three letters
RUSSIAN_LETTERS = re.compile("[а-яёА-ЯЁ]")
ONLY_RUSSIAN = re.compile("[ыэёЫЭЁ]")  # missing in Bulgarian, Serbian, Macedonian and (but for loans) Ukrainian
FOREIGN_CYRILLIC_SHARE_MAX = 0.01
ONLY_RUSSIAN_SHARE_MIN = 0.008  # Russian prose has .025, Bulgarian 0
KANA_SHARE_MAX = 0.08  # Japanese prose has .4 to .7; Chinese quotes a brand name at times
HANGUL_SHARE_MAX = 0.3

# Fewer rivals than the detector's 97 make headlines safer: none of the others is read by mistake in these two scripts.
RIVALS = """
    en de fr es it pt nl sv no da fi pl cs sk hu ro hr sl lt lv et tr az id ms vi sq ca ga is af sw tl eo
    ru uk be bg sr mk kk ky mn
"""


def detect_language(title: str, text: str, hint: str = "") -> Language | None:
    """Name the language of an article or, with an empty text, of a headline.

    hint: what feeds.csv says of the feed; it settles short texts that the detector is not sure of.
    """
    sample = f"{title}\n{text[:SAMPLE_CHARS]}"
    counts = {script: len(pattern.findall(sample)) for script, pattern in SCRIPTS.items()}
    weights = {**counts, "han": counts["han"] * HAN_WEIGHT, "kana": counts["kana"] * 2, "hangul": counts["hangul"] * 2}
    script = max(weights, key=lambda name: weights[name])
    if not weights[script]:
        return None
    if script == "han":
        return _chinese(counts)
    if script == "cyrillic":
        return _russian(sample, counts["cyrillic"], hint)
    return _english(sample, counts["latin"], hint) if script == "latin" else None


def _chinese(counts: dict[str, int]) -> Language | None:
    is_japanese = counts["kana"] > KANA_SHARE_MAX * (counts["han"] + counts["kana"])
    is_korean = counts["hangul"] > HANGUL_SHARE_MAX * (counts["han"] + counts["hangul"])
    return None if is_japanese or is_korean else "zh"


def _russian(sample: str, n_cyrillic: int, hint: str) -> Language | None:
    if n_cyrillic - len(RUSSIAN_LETTERS.findall(sample)) > FOREIGN_CYRILLIC_SHARE_MAX * n_cyrillic:
        return None
    if len(ONLY_RUSSIAN.findall(sample)) >= ONLY_RUSSIAN_SHARE_MIN * n_cyrillic:
        return "ru"
    is_short = n_cyrillic < SHORT_LETTERS
    return "ru" if (is_short and hint == "ru") or _best(NOT_CYRILLIC.sub(" ", sample))[0] == "ru" else None


def _english(sample: str, n_latin: int, hint: str) -> Language | None:
    best, probability = _best(NOT_LATIN.sub(" ", sample))
    if best == "en":
        return "en"
    is_unsure = n_latin < SHORT_LETTERS and probability < 0.9
    return "en" if hint == "en" and is_unsure else None


def _best(sample: str) -> tuple[str, float]:
    language, probability = _detector().classify(sample[:DETECTOR_CHARS])
    return str(language), float(probability)


@lru_cache(maxsize=1)
def _detector() -> LanguageIdentifier:
    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages(RIVALS.split())
    return detector
