"""The Russian names of the codebook in, all their case forms out: `python -m training.inflect`.

Russian inflects names, and a pipeline that inflected them at load time would need a dictionary of its own. So the
forms are made once, here, with pymorphy3, and kept beside the names as `russian_forms.csv`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pymorphy3
from pymorphy3.analyzer import Parse

CODEBOOKS = Path(__file__).parents[1] / "include" / "codebook"
CASES = ("gent", "datv", "accs", "ablt", "loct")
PERSON_KINDS = ("person", "leader")
# Endings of foreign names that the dictionary does not know: masculine after a consonant, otherwise unchanged.
CONSONANT_ENDINGS = {"gent": "а", "datv": "у", "accs": "а", "ablt": "ом", "loct": "е"}
SOFT_ENDINGS = {"gent": "я", "datv": "ю", "accs": "я", "ablt": "ем", "loct": "е"}
_CYRILLIC = re.compile("[А-Яа-яЁё-]+")
_ABBREVIATION = re.compile("[А-ЯЁ]{2,}")


def main() -> None:
    morph = pymorphy3.MorphAnalyzer(lang="ru")
    for folder in sorted(path for path in CODEBOOKS.iterdir() if path.is_dir()):
        files = [*sorted((folder / "names").glob("*.csv")), *folder.glob("countries.csv")]
        forms = {lemma: forms for lemma, kind in lemmas(files) if (forms := inflect(morph, lemma, kind))}
        if forms:
            write(folder / "russian_forms.csv", forms)


def lemmas(files: Iterable[Path]) -> Iterator[tuple[str, str]]:
    """Every Russian surface that is a lemma (a trailing `*` marks those that are stems already), with its kind."""
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                for lemma in filter(None, row["ru"].split("|")):
                    if not lemma.endswith("*"):
                        yield lemma, row.get("kind", "state")


def inflect(morph: pymorphy3.MorphAnalyzer, lemma: str, kind: str) -> tuple[str, ...]:
    """The forms of a lemma other than itself, in the order of CASES, without repetition."""
    words = lemma.split(" ")
    found: list[str] = []
    for case in CASES:
        if kind in PERSON_KINDS:
            found.append(" ".join(name_form(morph, word, case) for word in words))
            # Chinese, Korean and Vietnamese names inflect their last word alone.
            found.append(" ".join([*words[:-1], name_form(morph, words[-1], case)]))
        else:
            found.append(" ".join(phrase_forms(morph, words, case)))
            if len(words) == 1 and lemma.endswith(("ь", "й")) and not morph.word_is_known(lemma):
                # The dictionary takes Chinese towns in -нь for feminine; most are masculine ("в Шэньчжэне").
                found.append(_foreign_form(lemma, case))
    if len(words) == 1 and lemma.islower():
        found += plural_forms(morph, lemma)
    return tuple(form for form in dict.fromkeys(found) if form != lemma)


def name_form(morph: pymorphy3.MorphAnalyzer, word: str, case: str) -> str:
    if not _CYRILLIC.fullmatch(word):
        return word
    known = [p for p in morph.parse(word) if {"nomn", "sing"} in p.tag and p.is_known and _is_personal(p)]
    inflected = known[0].inflect({case}) if known else None
    return _cased_like(word, inflected.word) if inflected else _foreign_form(word, case)


def _is_personal(parse: Parse) -> bool:
    return bool({"Name", "Surn", "Patr"} & set(parse.tag.grammemes))


def _foreign_form(word: str, case: str) -> str:
    if word.endswith(("ов", "ев", "ин", "ын")) and case == "ablt":
        return word + "ым"
    if word.endswith(("ский", "цкий")):
        return word[:-2] + {"gent": "ого", "datv": "ому", "accs": "ого", "ablt": "им", "loct": "ом"}[case]
    if word.endswith(("ова", "ева", "ина")):
        return word[:-1] + ("у" if case == "accs" else "ой")
    if word.endswith(("ь", "й")):
        return word[:-1] + SOFT_ENDINGS[case]
    if word[-1] not in "аеёиоуыэюя":
        return word + CONSONANT_ENDINGS[case]
    return word


def phrase_forms(morph: pymorphy3.MorphAnalyzer, words: list[str], case: str) -> Iterator[str]:
    """The words of a phrase in a case: adjectives and the first noun change, what depends on the noun does not."""
    is_open = True
    for word in words:
        parse = _nominative(morph, word) if is_open else None
        if parse is None:
            yield _abbreviation_form(word, case) if is_open and len(words) == 1 else word
            is_open = False
            continue
        inflected = parse.inflect({case})
        yield _cased_like(word, inflected.word) if inflected else word
        is_open = parse.tag.POS in ("ADJF", "PRTF")


def _nominative(morph: pymorphy3.MorphAnalyzer, word: str) -> Parse | None:
    if not _CYRILLIC.fullmatch(word) or _ABBREVIATION.match(word):
        return None
    parses = [p for p in morph.parse(word) if "nomn" in p.tag and p.tag.POS in ("NOUN", "ADJF", "PRTF")]
    return next((p for p in parses if "sing" in p.tag), parses[0] if parses else None)


def _abbreviation_form(word: str, case: str) -> str:
    if re.fullmatch("[А-ЯЁ]+[БВГДЖЗКЛМНПРСТФХЦЧШЩ]", word) and len(word) >= 3:
        return word + CONSONANT_ENDINGS[case].replace("а", "а" if case == "gent" else "")
    return word


def plural_forms(morph: pymorphy3.MorphAnalyzer, lemma: str) -> list[str]:
    parse = _nominative(morph, lemma)
    inflected = [parse.inflect({"plur", case}) for case in ("nomn", *CASES)] if parse else []
    return [form.word for form in inflected if form]


def _cased_like(word: str, form: str) -> str:
    """pymorphy answers in lower case: give every part of the form the capitals of the word."""
    parts = [
        part.capitalize() if old[:1].isupper() else part
        for old, part in zip(word.split("-"), form.split("-"), strict=False)
    ]
    return "-".join(parts) if len(parts) == len(form.split("-")) else form


def write(path: Path, forms: dict[str, tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("lemma", "forms"))
        writer.writerows((lemma, "|".join(found)) for lemma, found in sorted(forms.items()))


if __name__ == "__main__":
    main()
