"""Bytes of a page or feed in, text out. It never fails: what cannot be read becomes U+FFFD.

Servers and publishers name the wrong encoding often, mostly utf-8 for windows-1251 or GB18030. So the bytes have the
first word (utf-8 that decodes is utf-8), the declarations the second, and the letters that would come out the third.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter

# Longest first: the mark of UTF-32-LE begins with the mark of UTF-16-LE.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
DECLARATION = re.compile(rb"""(?:encoding|charset)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""", re.IGNORECASE)
HEADER_CHARSET = re.compile(r"""charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
DECLARED_WITHIN_BYTES = 2048
SAMPLE_BYTES = 200_000

# Of Python's codecs those that pages are written in; others (zlib, idna, unicode_escape) only a joker declares.
WEB_ENCODING = re.compile(
    r"utf-(8|16|16-le|16-be)|ascii|iso8859-\d+|cp\d+|koi8-[ru]|mac-cyrillic|gb\w+|big5\w*|euc_\w+|shift_\w+|tis-620"
    r"|hz|iso2022_\w+"
)
SEVEN_BIT = re.compile(r"hz|iso2022_\w+")  # Chinese and Japanese that look like ASCII

# Publishers say the subset and send the superset.
SUPERSETS = {"gb2312": "gb18030", "gbk": "gb18030", "iso8859-1": "cp1252", "ascii": "cp1252", "big5": "big5hkscs"}
# Every byte string decodes in these, so their success says nothing.
UNTESTABLE = {"cp1252", "iso8859-15", "cp1251", "koi8-r", "koi8-u", "cp866", "iso8859-5", "mac-cyrillic"}
CANDIDATES = ("gb18030", "big5hkscs", "cp1251", "koi8-r", "cp866", "cp1252")

# utf-8 with this share of broken sequences is still utf-8: a cut in the middle of a letter, a stray byte of an advert.
BROKEN_SHARE_MAX = 0.02
COMMON_RUSSIAN = frozenset("оеаинтсрвлкмдпуяыьгз")
COMMON_HAN = frozenset(
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经"
    "進國會這個時來們對發動過說產學經與將於報導關係長總統美俄中台灣政府部表示新聞社日月年今"
    "新华社俄罗斯总统表示关系合作记者报道北京电部长外交发展两国经济"
)


def decode(body: bytes, content_type: str = "") -> str:
    """Decode by byte order mark, then utf-8 if it fits, then what header and document declare, then by the letters."""
    for mark, encoding in BYTE_ORDER_MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, errors="replace")
    unmarked = _unmarked_utf16(body)
    if unmarked:
        return body.decode(unmarked, errors="replace")
    declared = _declared_encodings(body, content_type)
    if declared and SEVEN_BIT.fullmatch(declared[0]):
        return body.decode(declared[0], errors="replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode(_guess_encoding(body, declared), errors="replace")


def _unmarked_utf16(body: bytes) -> str | None:
    """Markup in UTF-16 has a zero beside its first `<`."""
    start = body[:2]
    return {b"<\0": "utf-16-le", b"\0<": "utf-16-be"}.get(start)


def _declared_encodings(body: bytes, content_type: str) -> list[str]:
    """Python's names of what the header and the first bytes declare, header first, unknown ones left out."""
    named = HEADER_CHARSET.findall(content_type)[:1]
    named += [name.decode("ascii") for name in DECLARATION.findall(body[:DECLARED_WITHIN_BYTES])[:2]]
    encodings = []
    for name in named:
        try:
            encoding = codecs.lookup(name).name
        except LookupError:
            continue
        if WEB_ENCODING.fullmatch(encoding):
            encodings.append(SUPERSETS.get(encoding, encoding))
    return encodings


def _guess_encoding(body: bytes, declared: list[str]) -> str:
    if _broken_utf8_share(body) <= BROKEN_SHARE_MAX:
        return "utf-8"
    for encoding in declared:
        if encoding not in UNTESTABLE and not encoding.startswith("utf") and _decodes(body, encoding):
            return encoding
    sample = body[:SAMPLE_BYTES]
    single_bytes = [encoding for encoding in declared if encoding in UNTESTABLE]
    ranked = {encoding: _plausibility(sample, encoding) for encoding in dict.fromkeys((*single_bytes, *CANDIDATES))}
    best = max(ranked, key=lambda encoding: ranked[encoding])
    # A declaration wins a draw: a page of few letters proves nothing.
    return next((e for e in single_bytes if ranked[e] >= 0.8 * ranked[best]), best)


def _broken_utf8_share(body: bytes) -> float:
    n_high = sum(1 for byte in body[:SAMPLE_BYTES] if byte >= 0x80)
    n_broken = body[:SAMPLE_BYTES].decode("utf-8", errors="replace").count("\N{REPLACEMENT CHARACTER}")
    return n_broken / n_high if n_high else 0.0


def _decodes(body: bytes, encoding: str) -> bool:
    text = body.decode(encoding, errors="replace")
    return text.count("\N{REPLACEMENT CHARACTER}") <= len(text) * 0.001


def _plausibility(sample: bytes, encoding: str) -> float:
    """How much like Russian, Chinese or western prose the text beyond ASCII looks, from about 0 to 1."""
    letters = Counter(char for char in sample.decode(encoding, errors="replace") if char >= "\x80")
    n = letters.total()
    if not n:
        return 0.0
    bad = sum(k for char, k in letters.items() if char == "\N{REPLACEMENT CHARACTER}" or not char.isprintable())
    if encoding in ("gb18030", "big5hkscs"):
        good = 2 * sum(k for char, k in letters.items() if char in COMMON_HAN)
        good += sum(k for char, k in letters.items() if char in ",。、“”：；！？《》（）")
    elif encoding == "cp1252":
        # Western prose is ASCII with some accents; rows of accented letters are another alphabet misread.
        accents = sum(k for char, k in letters.items() if char.isalpha())
        ascii_letters = sum(1 for byte in sample if 65 <= byte <= 90 or 97 <= byte <= 122)
        good = n if accents * 4 < ascii_letters else 0
        good //= 2
    else:
        good = sum(k for char, k in letters.items() if char in COMMON_RUSSIAN)
    return (min(good, n) - 5 * bad) / n
