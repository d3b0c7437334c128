"""An environment in, settings out: every knob of the pipeline with its default and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from include.newswatch.model import SettingsError

PROJECT = Path(__file__).resolve().parents[2]
PREFIX = "NEWSWATCH_"


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set, each as NEWSWATCH_<NAME> in upper case; lists are separated by commas.

    data_dir: warehouse, published file, reports, archive. batch_dir: batch files of runs, a folder or an
    object-storage URL (empty: data_dir/runs). allow_networks, allow_ports: exceptions to the address guard, for trials
    on loopback only.
    """

    data_dir: Path = PROJECT / "data"
    batch_dir: str = ""
    feeds_csv: Path = PROJECT / "include" / "feeds.csv"
    alerts_csv: Path = PROJECT / "include" / "alerts.csv"
    dyad: str = "china_russia"
    public_url: str = ""  # where the reports folder is served, with a slash at the end; for the links of the Atom feed
    contact: str = ""  # a URL or address that outlets can complain to; part of the User-Agent
    allow_networks: tuple[str, ...] = ()
    allow_ports: tuple[int, ...] = ()
    min_interval_s: float = 2.0  # between two requests to one host; the field's crawlers use 1 to 5
    request_timeout_s: float = 30.0
    parse_timeout_s: float = 20.0
    parse_memory_mb: int = 1024
    threads: int = 16  # hosts that one task talks to at a time
    max_batches: int = 8
    batch_size: int = 60  # feeds or pages that are worth a task of their own
    max_pages_per_run: int = 3000
    max_age_days: int = 30  # entries older than this when first seen are listed, not fetched
    max_attempts: int = 4  # at one page, hours apart
    run_days: int = 14  # batch files of runs are kept so long; a run is loaded within the hour
    archive_days: int = 730  # so long pages can be extracted again; 3,000 pages are about 60 MB

    @property
    def warehouse(self) -> Path:
        """The file that only the load step opens."""
        return self.data_dir / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The file that everybody reads."""
        return self.data_dir / "relations.duckdb"

    @property
    def runs_dir(self) -> str:
        return self.batch_dir or str(self.data_dir / "runs")

    @property
    def archive_dir(self) -> str:
        return f"{self.batch_dir}/archive" if self.batch_dir else str(self.data_dir / "archive")

    @property
    def reports_dir(self) -> Path:
        return self.data_dir / "reports"

    @property
    def export_dir(self) -> Path:
        return self.data_dir / "export"


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings of an environment such as os.environ.

    Raises:
        SettingsError: a NEWSWATCH_ name that does not exist, or a value that does not fit.
    """
    known = {field.name: field for field in fields(Settings)}
    values: dict[str, Any] = {}
    for key, text in environment.items():
        if not key.startswith(PREFIX) or text == "":
            continue
        name = key.removeprefix(PREFIX).lower()
        if name not in known:
            raise SettingsError(
                f"{key} is not a setting; known are {', '.join(PREFIX + n.upper() for n in sorted(known))}"
            )
        values[name] = _convert(key, text, known[name].default)
    return Settings(**values)


def _convert(key: str, text: str, default: object) -> object:
    """The text as the type of the default; bounds that would stop the pipeline are refused here."""
    try:
        if isinstance(default, tuple):
            items = tuple(part.strip() for part in text.split(",") if part.strip())
            return tuple(map(int, items)) if key.endswith("PORTS") else items
        if isinstance(default, Path):
            return Path(text).resolve()
        if isinstance(default, int | float):
            number = type(default)(text)
            if number < 0 or (number == 0 and not key.endswith("INTERVAL_S")):
                raise ValueError("must be above 0")
            return number
    except ValueError as error:
        raise SettingsError(f"{key}={text!r} does not fit: {error}") from None
    return text
