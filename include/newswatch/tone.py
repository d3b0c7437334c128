"""A direction on Goldstein's scale in, the words and the colour for it out; the same in brief and page."""

from __future__ import annotations

FLAT = 0.5  # below this a direction reads as balanced
STRONG = 5.0  # Goldstein value of a formal agreement or a broken relation


def direction_in_words(value: float) -> str:
    if abs(value) < FLAT:
        return "balanced"
    degree = "strongly " if abs(value) >= STRONG else ""
    return f"{degree}{'cooperative' if value > 0 else 'conflictual'}"


def tone(value: float) -> str:
    """The class of a direction in the style sheet."""
    return "zero" if abs(value) < FLAT else "plus" if value > 0 else "minus"
