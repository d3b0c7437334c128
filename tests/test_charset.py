"""Bytes become the text that their writer meant, whatever encoding they claim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.newswatch.charset import decode

RUSSIAN = "Россия и Китай подписали соглашение о поставках зерна. Переговоры прошли в Пекине."
CHINESE = "中俄两国签署粮食供应协议，双方表示将继续深化合作。会谈在北京举行。"
TRADITIONAL = "中俄兩國簽署糧食供應協議，雙方表示將繼續深化合作。會談在北京舉行。"
FRENCH = "Les négociations ont été achevées à Pékin, a déclaré le président. Un accord a été signé hier soir."
UKRAINIAN = "Росія і Китай підписали угоду про постачання зерна"


def page(text: str, declared: str = "") -> str:
    return f'<html><head><meta charset="{declared}"></head><body><p>{text}</p></body></html>'


@pytest.mark.parametrize(
    ("text", "encoding", "header", "declared"),
    [
        (RUSSIAN, "cp1251", "text/html; charset=windows-1251", ""),
        (RUSSIAN, "cp1251", "text/html", "windows-1251"),
        (RUSSIAN, "cp1251", "text/html; charset=utf-8", "utf-8"),
        (RUSSIAN, "cp1251", "text/html; charset=ISO-8859-1", ""),
        (RUSSIAN, "cp1251", "", ""),
        (RUSSIAN, "koi8-r", "text/html; charset=koi8-r", ""),
        (RUSSIAN, "koi8-r", "", ""),
        (RUSSIAN, "cp866", "", ""),
        (RUSSIAN, "utf-8", "text/html; charset=windows-1251", "windows-1251"),
        (UKRAINIAN, "cp1251", "text/html; charset=windows-1251", ""),
        (CHINESE, "gb18030", "text/html; charset=gb2312", ""),
        (CHINESE, "gb18030", "text/html", "gbk"),
        (CHINESE, "gb18030", "text/html; charset=utf-8", "utf-8"),
        (CHINESE, "gb18030", "text/html; charset=ISO-8859-1", ""),
        (CHINESE, "gb18030", "", ""),
        (CHINESE, "utf-8", "text/html; charset=gb2312", "gb2312"),
        (TRADITIONAL, "big5", "text/html; charset=big5", ""),
        (TRADITIONAL, "big5", "", "big5"),
        (TRADITIONAL, "big5", "", ""),
        (FRENCH, "cp1252", "text/html; charset=iso-8859-1", ""),
        (FRENCH, "cp1252", "", ""),
        (FRENCH, "cp1252", "text/html; charset=utf-8", "utf-8"),
        (CHINESE, "utf-16", "", ""),
        (RUSSIAN, "utf-8-sig", "text/html; charset=windows-1251", ""),
        (RUSSIAN, "utf-16-le", "", ""),
        (RUSSIAN, "utf-8", "text/html; charset=no-such-thing", "x"),
    ],
)
def test_a_page_is_read_as_it_was_written(text, encoding, header, declared):
    assert text in decode(page(text, declared).encode(encoding), header)


def test_a_cut_letter_and_a_stray_byte_do_not_make_utf_8_something_else():
    body = (RUSSIAN * 20).encode() + b"\xff" + RUSSIAN.encode()[:-1]

    assert decode(body, "").startswith(RUSSIAN)


@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_utf_8_is_always_read_as_such(text):
    body = text.encode()
    if not body.startswith((b"\xef\xbb\xbf", b"<\0", b"\0<")):
        assert decode(body, "text/html; charset=utf-8") == text


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "text/html; charset=gb2312", "charset=utf-16", "charset=zlib", "charset=idna"]),
)
def test_no_bytes_break_it(body, content_type):
    decode(body, content_type)
