"""Rows in, HTML out: the brief of one day. Everything from the web is escaped; links are http(s) only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from jinja2 import Environment, StrictUndefined

ENVIRONMENT = Environment(autoescape=True, undefined=StrictUndefined)
PAGE = ENVIRONMENT.from_string("""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>China and Russia in the news, {{ day }}</title></head><body>
<h1>China and Russia in the news, {{ day }}</h1>
{% for story in stories %}<article><h2>{{ story.headline }}</h2>
<p>{{ story.n_reports }} reports, direction {{ story.direction }}</p>
{% for line in story.evidence %}<blockquote>{{ line }}</blockquote>{% endfor %}</article>
{% else %}<p>No report.</p>{% endfor %}
</body></html>
""")


def render_brief(day: date, stories: Sequence[dict[str, Any]]) -> str:
    return PAGE.render(day=day, stories=stories)
