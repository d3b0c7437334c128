"""English, Russian and Chinese are told from each other and from their neighbours."""

import pytest

from include.newswatch.languages import detect_language

ENGLISH = "The two presidents met in Beijing on Thursday and signed a joint statement on trade and energy."
RUSSIAN = "Президенты двух стран встретились в Пекине и подписали совместное заявление о торговле и энергетике."
CHINESE = "两国元首星期四在北京举行会谈，并签署关于贸易和能源的联合声明。"

NEIGHBOURS = {
    "uk": "Президенти двох країн зустрілися в Пекіні та підписали спільну заяву про торгівлю і енергетику.",
    "be": "Прэзідэнты дзвюх краін сустрэліся ў Пекіне і падпісалі сумесную заяву аб гандлі і энергетыцы.",
    "bg": "Президентите на двете страни се срещнаха в Пекин и подписаха съвместна декларация за търговията.",
    "sr": "Председници две земље састали су се у Пекингу и потписали заједничку изјаву о трговини и енергетици.",
    "mk": "Претседателите на двете земји се сретнаа во Пекинг и потпишаа заедничка изјава за трговијата.",
    "kk": "Екі елдің президенттері Бейжіңде кездесіп, сауда және энергетика туралы бірлескен мәлімдемеге қол қойды.",
    "mn": "Хоёр улсын ерөнхийлөгч Бээжинд уулзаж, худалдаа, эрчим хүчний тухай хамтарсан мэдэгдэлд гарын үсэг зурлаа.",
    "ja": "両国の大統領は木曜日に北京で会談し、貿易とエネルギーに関する共同声明に署名した。",
    "ko": "양국 정상은 목요일 베이징에서 만나 무역과 에너지에 관한 공동 성명에 서명했다.",
    "de": "Die beiden Präsidenten trafen sich am Donnerstag in Peking und unterzeichneten eine gemeinsame Erklärung.",
    "fr": "Les deux présidents se sont rencontrés jeudi à Pékin et ont signé une déclaration commune sur le commerce.",
    "es": "Los dos presidentes se reunieron el jueves en Pekín y firmaron una declaración conjunta sobre comercio.",
    "pl": "Prezydenci obu krajów spotkali się w czwartek w Pekinie i podpisali wspólne oświadczenie o handlu.",
    "vi": "Hai tổng thống đã gặp nhau tại Bắc Kinh hôm thứ Năm và ký tuyên bố chung về thương mại.",
    "tr": "İki ülkenin cumhurbaşkanları perşembe günü Pekin'de bir araya gelerek ortak bildiri imzaladı.",
    "el": "Οι δύο πρόεδροι συναντήθηκαν την Πέμπτη στο Πεκίνο και υπέγραψαν κοινή δήλωση για το εμπόριο.",
    "ar": "التقى الرئيسان يوم الخميس في بكين ووقعا بيانا مشتركا بشأن التجارة والطاقة.",
    "hi": "दोनों राष्ट्रपतियों ने गुरुवार को बीजिंग में मुलाकात की और व्यापार पर संयुक्त बयान पर हस्ताक्षर किए।",
    "ka": "ორი ქვეყნის პრეზიდენტები ხუთშაბათს პეკინში შეხვდნენ და ხელი მოაწერეს ერთობლივ განცხადებას.",
}


@pytest.mark.parametrize(("language", "text"), [("en", ENGLISH), ("ru", RUSSIAN), ("zh", CHINESE)])
@pytest.mark.parametrize("hint", ["", "en", "ru", "zh"])
def test_our_languages_are_known_as_text_and_as_headline_whatever_the_feed_says(language, text, hint):
    assert detect_language("", text * 5, hint) == language
    assert detect_language(text, "", hint) == language


@pytest.mark.parametrize(("name", "text"), NEIGHBOURS.items())
def test_other_languages_are_none(name, text):
    assert detect_language(text, text * 5, "") is None
    assert detect_language("", text * 5, "en") is None
    assert detect_language("", text * 5, "ru") is None


@pytest.mark.parametrize(
    ("title", "hint", "language"),
    [
        ("Putin arrives in Beijing", "en", "en"),
        ("Xi, Putin hail ties", "en", "en"),
        ("TASS: Moscow-Beijing trade up 26%", "en", "en"),
        ("Путин прибыл в Пекин", "ru", "ru"),
        ("Лавров встретился с Ван И", "ru", "ru"),
        ("МИД КНР: диалог идет", "ru", "ru"),
        ("普京抵达北京", "zh", "zh"),
        ("習近平同普京會談", "zh", "zh"),
        ("华为Mate 60 Pro在俄罗斯开售", "zh", "zh"),
        ("中国外长王毅会见俄罗斯外长拉夫罗夫 Lavrov", "", "zh"),
    ],
)
def test_short_headlines(title, hint, language):
    assert detect_language(title, "", hint) == language


def test_a_quotation_does_not_change_the_language_of_a_text():
    assert detect_language("", f"{RUSSIAN * 4} «{CHINESE}»", "ru") == "ru"
    assert detect_language("", f"{CHINESE * 4}（Sino-Russian relations）の", "zh") == "zh"
    assert detect_language("", f"{ENGLISH * 4} «{RUSSIAN}»", "en") == "en"


@pytest.mark.parametrize("nothing", ["", "12:30", "— … !", "\u200b"])
def test_what_has_no_letters_has_no_language(nothing):
    assert detect_language(nothing, nothing, "en") is None
