"""Rows in, SVG out: the charts of the brief. Colours hold on light and on dark paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import altair as alt
import vl_convert

Rows = Sequence[Mapping[str, Any]]
PLUS, MINUS, NEUTRAL, LOUD = "#2f9e68", "#d9534a", "#8a909b", "#d98a1f"
WIDTH = 600  # with labels of 13 px still read when a phone shrinks it by half
TEXT = {
    "labelColor": NEUTRAL,
    "titleColor": NEUTRAL,
    "labelFontSize": 13,
    "titleFontSize": 13,
    "titleFontWeight": "normal",
}


def index_chart(days: Rows) -> str:
    """The index day by day with its 95 % interval and usual band, above the number of stories.

    Args:
        days: rows of the query brief_index.
    """
    first, last = days[0]["report_date"] - timedelta(days=1), days[-1]["report_date"] + timedelta(days=1)
    data = {"values": [dict(row) | {"report_date": f"{row['report_date']}T00:00:00Z"} for row in days]}
    day = alt.X(
        "report_date:T",
        title=None,
        scale=alt.Scale(type="utc", domain=[f"{first}T00:00:00Z", f"{last}T00:00:00Z"]),
        axis=alt.Axis(format="%-d %b", grid=False, tickCount=6),
    )
    scale = alt.Scale(domain=[-10, 10])
    base = alt.Chart(data).encode(x=day)
    band = base.mark_area(color=NEUTRAL, opacity=0.22).encode(
        y=alt.Y("baseline_low:Q", scale=scale), y2="baseline_high:Q"
    )
    interval = (
        base.transform_filter("datum.is_claimed")
        .mark_rule(color=NEUTRAL, opacity=0.6)
        .encode(y="direction_low:Q", y2="direction_high:Q")
    )
    zero = alt.Chart({"values": [{"zero": 0}]}).mark_rule(color=NEUTRAL, strokeDash=[3, 3]).encode(y="zero:Q")
    points = base.mark_point(filled=True).encode(
        y=alt.Y(
            "direction_index:Q", title="index of direction", scale=scale, axis=alt.Axis(values=[-10, -5, 0, 5, 10])
        ),
        color=alt.condition("datum.direction_index < 0", alt.value(MINUS), alt.value(PLUS)),
        opacity=alt.condition("datum.is_claimed", alt.value(1), alt.value(0.35)),
        shape=alt.condition("datum.is_shift", alt.value("diamond"), alt.value("circle")),
        size=alt.condition("datum.is_shift", alt.value(170), alt.value(45)),
    )
    stories = base.mark_bar(width=0.6 * WIDTH / (last - first).days).encode(
        y=alt.Y("n_stories:Q", title="stories", axis=alt.Axis(tickCount=3)),
        color=alt.condition("datum.is_burst", alt.value(LOUD), alt.value(NEUTRAL)),
    )
    upper = alt.layer(band, interval, zero, points).properties(width=WIDTH, height=190)
    return _svg(alt.vconcat(upper, stories.properties(width=WIDTH, height=70)).resolve_scale(x="shared"))


def sides_chart(sides: Rows) -> str:
    """The mean direction of each side's media.

    Args:
        sides: rows of the query brief_sides.
    """
    data = {"values": [{"side": row["side"].replace("_", " "), "direction": row["direction"]} for row in sides]}
    bars = (
        alt.Chart(data)
        .mark_bar(height=14)
        .encode(
            y=alt.Y("side:N", title=None, axis=alt.Axis(labelLimit=200)),
            x=alt.X("direction:Q", title="mean direction", scale=alt.Scale(domain=[-10, 10])),
            color=alt.condition("datum.direction < 0", alt.value(MINUS), alt.value(PLUS)),
        )
    )
    return _svg(bars.properties(width=WIDTH - 140, height=alt.Step(26)))


def _svg(chart: alt.TopLevelMixin) -> str:
    axis = TEXT | {"gridColor": NEUTRAL, "gridOpacity": 0.2, "domainColor": NEUTRAL, "tickColor": NEUTRAL}
    config = {"axis": axis, "view": {"stroke": None}}
    spec = chart.to_dict() | {"background": "transparent", "config": config}
    return str(vl_convert.vegalite_to_svg(spec))
