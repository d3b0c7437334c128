"""How far the two readers of the corpus agree: `python -m training.agreement`.

readers.csv holds what each said of every text before the disagreements were settled; the corpus holds the settlement.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from sklearn.metrics import cohen_kappa_score

READERS = Path(__file__).with_name("readers.csv")
Labels = tuple[int, int | None]  # relevance, and direction where it is above 0


def main() -> None:
    with READERS.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    for language in ("en", "ru", "zh", ""):
        found = [row for row in rows if row["id"].startswith(language)]
        print_agreement(language or "all", [(_labels(row, 1), _labels(row, 2)) for row in found])


def print_agreement(name: str, pairs: Sequence[tuple[Labels, Labels]]) -> None:
    related = [(one[1], two[1]) for one, two in pairs if one[1] is not None and two[1] is not None]
    measures = {
        "relevance in three classes": [(one[0], two[0]) for one, two in pairs],
        "relevant or not": [(one[0] > 0, two[0] > 0) for one, two in pairs],
        "direction in five steps": related,
        "sign of direction": [(_sign(one), _sign(two)) for one, two in related],
    }
    for measure, labels in measures.items():
        ones, twos = zip(*labels, strict=True)
        share, kappa = sum(one == two for one, two in labels) / len(labels), cohen_kappa_score(ones, twos)
        print(f"{name:<4}{measure:<28}{len(labels):>6} texts   agree {share:.3f}   kappa {kappa:.3f}")


def _labels(row: dict[str, str], reader: int) -> Labels:
    direction = row[f"direction_{reader}"]
    return int(row[f"relevance_{reader}"]), int(direction) if direction else None


def _sign(direction: int) -> int:
    return (direction > 0) - (direction < 0)


if __name__ == "__main__":
    main()
