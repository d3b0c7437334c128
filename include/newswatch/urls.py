"""A URL in, its canonical spelling and its parts out. One article has one URL, however it was linked to."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urljoin, urlsplit, urlunsplit

from tldextract import TLDExtract
from w3lib.url import canonicalize_url, safe_url_string

from include.newswatch.model import NewsError

MAX_URL_CHARS = 4096
DEFAULT_PORTS = {"http": 80, "https": 443}

# The snapshot that the package carries: the list is never fetched.
_suffixes = TLDExtract(suffix_list_urls=(), cache_dir=None)

# Query keys that say how a reader came, never what the reader reads. From courlan's and miniflux's lists and from the
# feeds of outlets; broad words (id, page, p) are left alone, because for some outlets they name the article.
_TRACKER_KEYS = frozenset(
    """
    __s __twitter_impression _ga _gl _hsenc _hsmi _openstat _ym_uid _ym_visorc at_bbc_team amp_gsa amp_js_v
    campaign_id cmpid cmp cn-reloaded dclid efg ef_id emci emdi epik fb_action_ids fb_action_types fb_ref fb_source
    fbclid fbc_id fref ftag gaa_at gaa_n gaa_sig gaa_ts gad_source gbraid gclid gclsrc gs_lcp guccounter guce_referrer
    guce_referrer_sig hsctatracking icid iid igsh igshid inf_contact_key ito is_from_rss isappinstalled li_fat_id
    lid_src
    maca mc_cid mc_eid mibextid mkt_tok mkwid msclkid ncid ndclid nr_email_referer ns_campaign ns_linkname
    ns_mchannel ns_source oborigurl ocid oly_anon_id oly_enc_id origref pcrid pf_rd_m pf_rd_p pf_rd_r rb_clickid
    rcmd_alg recruiter s_cid scm share_from share_source share_token sharefrom sharesource smid smtyp sourcecode
    sr_share spm spm_id_from sref srnd srsltid taid traffic_source trk trkcampaign tt_content tt_medium twclid
    usqp vero_conv vero_id wbraid wickedid wprov wt_mc wt.mc_id wt_zmc wxshare_count xtor yclid ymclid ysclid zanpid
    """.split()  # noqa: SIM905  a table to read
)
_TRACKER_PREFIXES = (
    "utm_", "utm-", "at_", "mtm_", "pk_", "piwik_", "matomo_", "hsa_", "itm_", "vero_", "oly_", "stm_", "wt_mc",
)  # fmt: skip
# Keys that track only with one of the usual channels as their value: ?from=rss, but not ?from=2024-01-01.
_CHANNEL_KEYS = frozenset({"from", "ref", "source", "src", "via", "referrer", "referer", "cid", "share", "partner"})
_CHANNELS = re.compile(
    r"(rss|feed|rss[-_]?feed|atom|twitter|x|facebook|fb|linkedin|telegram|tg|vk|ok|whatsapp|viber|weibo|wechat|weixin"
    r"|timeline|groupmessage|singlemessage|qq|qzone|social|share|newsletter|email|e?mail|push|app|mobile|amp|home|homepage"
    r"|main|top|google(news)?|yandex|rambler|yxnews|smi2|dzen|zen|hp|nav|footer|header)",
    re.IGNORECASE,
)
_SESSION_KEYS = re.compile(r"(php|j|asp)?sess(ion)?_?id|aspsessionid\w*|cfid|cftoken|osid|zenid", re.IGNORECASE)
_SESSION_VALUE = re.compile(r"[0-9a-f]{32,64}", re.IGNORECASE)  # of ?s= and ?sid=, which are often something else
_SESSION_IN_PATH = re.compile(r";(jsessionid|phpsessid|sid)=[^/;]*", re.IGNORECASE)
_AMP_QUERY = {("outputtype", "amp"), ("output", "amp"), ("amp", "1"), ("amp", ""), ("amp", "true"), ("view", "amp"),
              ("mode", "amp"), ("type", "amp"), ("format", "amp")}  # fmt: skip

# Hosts that hold the same paths as their desktop twin. A rule "m.X is www.X" would be wrong for every third outlet.
_TWIN_HOSTS = {
    "amp.bbc.com": "www.bbc.com",
    "m.bbc.com": "www.bbc.com",
    "m.bbc.co.uk": "www.bbc.co.uk",
    "amp.cnn.com": "edition.cnn.com",
    "amp.dw.com": "www.dw.com",
    "m.dw.com": "www.dw.com",
    "amp.ft.com": "www.ft.com",
    "amp.scmp.com": "www.scmp.com",
    "m.scmp.com": "www.scmp.com",
    "amp.theguardian.com": "www.theguardian.com",
    "m.theguardian.com": "www.theguardian.com",
    "mobile.reuters.com": "www.reuters.com",
    "mobile.nytimes.com": "www.nytimes.com",
    "amp.rbc.ru": "www.rbc.ru",
    "m.rbc.ru": "www.rbc.ru",
    "m.gazeta.ru": "www.gazeta.ru",
    "m.kommersant.ru": "www.kommersant.ru",
    "m.lenta.ru": "lenta.ru",
    "m.guancha.cn": "www.guancha.cn",
    "m.thepaper.cn": "www.thepaper.cn",
    "m.caixin.com": "www.caixin.com",
}
_AMP_CACHES = (
    re.compile(r"https?://(?:www\.)?google\.[a-z.]{2,6}/amp/(?P<secure>s/)?(?P<rest>[^/]+\.[^/]+(?:/.*)?)"),
    re.compile(r"https?://[a-z0-9-]+\.cdn\.ampproject\.org/[acv]/(?P<secure>s/)?(?P<rest>[^/]+\.[^/]+(?:/.*)?)"),
)
_AMP_SEGMENTS = frozenset({"amp", "amp.html", "amphtml"})

_SECRET_VALUE = re.compile(r"(?i)\b(pass(?:word|wd)?|pwd|secret|(access_)?token|api_?key|auth|sig(?:nature)?)=[^&#\s]*")
_USERINFO = re.compile(r"(?<=//)[^/?#\\]*@")
_CONTROL = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ufeff]+")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


def is_http_url(url: str) -> bool:
    """Whether this is an absolute http or https URL with a host. Never raises."""
    try:
        parts = urlsplit(url.strip())
        return parts.scheme in DEFAULT_PORTS and bool(parts.hostname)
    except ValueError:
        return False


def canonical_url(url: str, base: str | None = None) -> str:
    """The one spelling under which an article is known; it can be fetched. Canonical URLs stay as they are.

    Goes: fragment, credentials, default port, dot segments, trackers, session ids, AMP and known mobile twins; the
    query is sorted. Stays: the scheme (some outlets have no https), www, a trailing slash: servers may tell them apart.

    Args:
        base: the page that the link stood on, for relative links.

    Raises:
        NewsError: parse_error, when it is no http URL that could be fetched.
    """
    text = url.strip().strip("\ufeff\u200b\u2060")
    if len(text) > 4 * MAX_URL_CHARS:  # no tracker is that long, and a URL of megabytes takes seconds to clean
        raise NewsError("parse_error", f"URL of {len(text)} characters: {redact_url(text)}")
    try:
        joined = urljoin(base, text) if base else text
        # Twins unwrap to twins, a tracker may hide behind another; two rounds are the usual depth.
        for _ in range(8):
            cleaned = _clean(_unwrap_amp_cache(joined))
            if cleaned == joined:
                break
            joined = cleaned
        else:
            raise ValueError("does not settle")
    except (ValueError, UnicodeError) as error:
        raise NewsError("parse_error", f"not a URL: {redact_url(text)} ({type(error).__name__})") from None
    if len(joined) > MAX_URL_CHARS:
        raise NewsError("parse_error", f"URL of {len(joined)} characters: {redact_url(joined)}")
    return joined


def host_of(url: str) -> str:
    """The host of an address as it is written, in lower case; empty where there is none."""
    return urlsplit(url).hostname or ""


def registrable_domain(url: str) -> str:
    """The domain that its owner registered (bbc.co.uk of news.bbc.co.uk); the host itself for numbers and local names.

    Raises:
        NewsError: parse_error, when there is no host.
    """
    try:
        host = (urlsplit(url.strip()).hostname or "").rstrip(".")
    except ValueError:
        host = ""
    if not host:
        raise NewsError("parse_error", f"no host: {redact_url(url)}")
    return _suffixes(host).top_domain_under_public_suffix or host


def redact_url(url: str, max_chars: int = 500) -> str:
    """The URL fit for logs and messages: one line, no credentials, no secrets, not endless. Never raises."""
    text = _CONTROL.sub(" ", url[: 4 * MAX_URL_CHARS].strip()).encode(errors="replace").decode()  # lone surrogates
    text = _SECRET_VALUE.sub(r"\1=***", _USERINFO.sub("", text))
    return text if len(text) <= max_chars else text[:max_chars] + "…"


def _clean(url: str) -> str:
    """One round: safe spelling, then without what does not name the article."""
    safe = safe_url_string(url)
    parts, query = urlsplit(canonicalize_url(safe)), urlsplit(safe).query
    if parts.scheme not in DEFAULT_PORTS:
        raise ValueError("scheme")
    host = _canonical_host(parts)
    path = _SESSION_IN_PATH.sub("", parts.path) or "/"
    return urlunsplit((parts.scheme, host, _without_amp(path), _clean_query(query), ""))


def _canonical_host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:
        host = f"[{ip_address(host)}]"
    elif len(host) > 253 or not _HOST.fullmatch(host):
        raise ValueError("host")
    host = _TWIN_HOSTS.get(host, host)
    port = parts.port
    return host if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{host}:{port}"


def _clean_query(query: str) -> str:
    """Kept piece by piece as the server spelled it: a parser would turn ?news/12 into ?news%2F12=."""
    pieces = {piece for piece in query.split("&") if piece and not _is_noise(piece)}
    return "&".join(sorted(pieces))


def _is_noise(piece: str) -> bool:
    key, _, value = unquote(piece).partition("=")
    key = key.lower().removeprefix("amp;")  # "&amp;" that was escaped once too often
    return (
        key in _TRACKER_KEYS
        or key.startswith(_TRACKER_PREFIXES)
        or (key in _CHANNEL_KEYS and _CHANNELS.fullmatch(value) is not None)
        or _SESSION_KEYS.fullmatch(key) is not None
        or (key in {"s", "sid"} and _SESSION_VALUE.fullmatch(value) is not None)
        or (key, value.lower()) in _AMP_QUERY
    )


def _without_amp(path: str) -> str:
    """/2024/05/story/amp → /2024/05/story, /amp/news/story-1 → /news/story-1. A section called amp keeps its name."""
    segments = [segment for segment in path.split("/") if segment]
    if len(segments) < 2:
        return path
    names_an_article = re.compile(r"[-_\d%]")
    if segments[-1].lower() in _AMP_SEGMENTS and names_an_article.search(segments[-2]):
        return "/" + "/".join(segments[:-1]) + ("/" if path.endswith("/") else "")
    if segments[0].lower() == "amp" and names_an_article.search(segments[-1]):
        return "/" + "/".join(segments[1:]) + ("/" if path.endswith("/") else "")
    return path


def _unwrap_amp_cache(url: str) -> str:
    for pattern in _AMP_CACHES:
        if match := pattern.fullmatch(url):
            return f"http{'s' if match['secure'] else ''}://{match['rest']}"
    return url
