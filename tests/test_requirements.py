"""The pins stand for what the .in files ask for."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT


def names(path: str) -> dict[str, str]:
    found = {}
    for line in (ROOT / path).read_text().splitlines():
        match = re.match(r"([A-Za-z][A-Za-z0-9._-]*)(\[[^]]*])?\s*([^;# ]*)", line)
        if match:
            found[re.sub(r"[-_.]+", "-", match[1]).lower()] = match[3]
    return found


@pytest.mark.parametrize("stem", ["requirements", "requirements-dev"])
def test_every_requirement_is_pinned_exactly_and_as_asked(stem: str) -> None:
    wanted, pinned = names(f"{stem}.in"), names(f"{stem}.txt")
    assert all(version.startswith("==") for version in pinned.values())
    for name, version in wanted.items():
        assert name in pinned, f"{name}: run make lock"
        if version.startswith("=="):
            assert pinned[name] == version, f"{name}: run make lock"
