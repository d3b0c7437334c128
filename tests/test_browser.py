"""Chromium opens the brief and the page News with an attack in every text of the web: no script of theirs runs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from include.newswatch.page import VIEWS, render_view
from tests.test_page import HOSTILE, ROWS, asked
from tests.test_report import brief, story

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium")]
RUN = "document.documentElement.dataset.ran=1"
ATTACKS = (
    f"<script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f"\"><svg onload='{RUN}'>",
    f"' autofocus onfocus='{RUN}' x='",
    f"</style></title></textarea></code></pre><script>{RUN}</script>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"{{{{ 7*7 }}}}<details open ontoggle={RUN}>",
)
ATTACK = " ".join(ATTACKS)


def ran(html: str, folder: Path) -> bool:
    """Whether a script of the attack ran when Chromium had opened the page."""
    path = folder / "page.html"
    path.write_text(html, encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
        "--disable-background-networking", "--disable-component-update", f"--user-data-dir={folder / 'chromium'}",
        "--virtual-time-budget=3000", "--dump-dom", path.as_uri(),
    ]  # fmt: skip
    dump = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    assert "</html>" in dump
    return "data-ran" in dump.split(">", 2)[1] + dump.split(">", 2)[0]


def poisoned(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace(HOSTILE, ATTACK)
    if isinstance(value, dict):
        return {key: poisoned(inner) for key, inner in value.items()}
    return [poisoned(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if not attack.startswith(("'", "&"))])
def test_an_attack_runs_where_nothing_is_escaped(attack: str, tmp_path: Path) -> None:
    assert ran(f'<!doctype html><html><body><p title="{attack}">{attack}</p></body></html>', tmp_path)


def test_no_script_of_the_web_runs_in_the_brief(tmp_path: Path) -> None:
    evidence = [
        {"sentence": ATTACK, "outlet": ATTACK, "language": "en", "url": f"https://a.example/{ATTACK}"},
        {"sentence": ATTACK, "outlet": ATTACK, "language": "zh", "url": f"javascript:{RUN}"},
    ]
    poisoned_story = story(headline=ATTACK, outlets=[ATTACK], first_outlet=ATTACK, themes=[ATTACK], evidence=evidence)
    assert not ran(brief(stories=[poisoned_story]), tmp_path)


@pytest.mark.parametrize("view", VIEWS)
def test_no_script_of_the_web_runs_in_the_page_news(view: str, tmp_path: Path) -> None:
    assert not ran(render_view(asked(view), poisoned(ROWS)), tmp_path)
