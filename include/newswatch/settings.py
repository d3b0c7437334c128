"""An environment in, settings out: every knob of the pipeline with its default and its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from include.newswatch.model import SettingsError

PROJECT = Path(__file__).resolve().parents[2]
PREFIX = "NEWSWATCH_"
CODEBOOKS = PROJECT / "include" / "codebook"
HOME_DYAD = "china_russia"  # its files lie in the data folder itself, those of any other in a folder of its name


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may set, each as NEWSWATCH_<NAME> in upper case; lists are separated by commas.

    data_dir: warehouse, published file, reports. batch_dir: batch files of runs and archived pages, a folder or an
    object-storage URL (empty: data_dir). dyads: pairs of countries, folders of include/codebook; feeds and pages
    are asked for once, the first one's database says which are due. allow_networks, allow_ports: exceptions to the
    address guard, for trials on loopback only.
    """

    data_dir: Path = PROJECT / "data"
    batch_dir: str = ""
    feeds_csv: Path = PROJECT / "include" / "feeds.csv"
    alerts_csv: Path = PROJECT / "include" / "alerts.csv"
    dyads: tuple[str, ...] = (HOME_DYAD,)
    public_url: str = ""  # where data_dir/reports is served, with a slash at the end; for the links of the Atom feed
    contact: str = ""  # a URL or address that outlets can complain to; part of the User-Agent
    allow_networks: tuple[str, ...] = ()
    allow_ports: tuple[int, ...] = ()
    min_interval_s: float = 2.0  # between two requests to one host; the field's crawlers use 1 to 5
    request_timeout_s: float = 30.0
    parse_timeout_s: float = 20.0
    parse_memory_mb: int = 1024
    threads: int = 16  # hosts that one task talks to at a time
    max_batches: int = 8
    # Feeds or pages that are worth a task of their own. Starting the three tasks of a batch costs as much as 45 pages.
    batch_size: int = 150
    max_pages_per_run: int = 3000
    max_age_days: int = 30  # entries older than this when first seen are listed, not fetched
    max_attempts: int = 4  # at one page, hours apart
    run_days: int = 14  # batch files of runs are kept so long; a run is loaded within the hour
    archive_days: int = 730  # so long pages can be extracted again; 3,000 pages are about 60 MB

    @property
    def dyad(self) -> str:
        """The one that all files below belong to."""
        return self.dyads[0]

    def by_dyad(self) -> tuple[Settings, ...]:
        """The settings of each dyad alone."""
        return tuple(replace(self, dyads=(dyad,)) for dyad in self.dyads)

    @property
    def home(self) -> Path:
        return self.data_dir if self.dyad == HOME_DYAD else self.data_dir / self.dyad

    @property
    def warehouse(self) -> Path:
        """The file that only the tasks of the pool duckdb_writer open, and the commands that do their work."""
        return self.home / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """The file that everybody reads."""
        return self.home / "relations.duckdb"

    @property
    def runs_dir(self) -> str:
        return f"{self.batch_dir or self.data_dir}/runs"

    @property
    def archive_dir(self) -> str:
        return f"{self.batch_dir or self.data_dir}/archive"

    @property
    def reports_dir(self) -> Path:
        return self.home / "reports"

    @property
    def reports_url(self) -> str:
        """Where they are served: those of other dyads one folder below, as their files lie."""
        is_below = self.public_url and self.dyad != HOME_DYAD
        return f"{self.public_url}{self.dyad}/" if is_below else self.public_url

    @property
    def export_dir(self) -> Path:
        return self.home / "export"


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
    settings = Settings(**values)
    dyads, known_dyads = set(settings.dyads), list_dyads()
    if not dyads or len(dyads) < len(settings.dyads) or dyads - set(known_dyads):
        raise SettingsError(f"{PREFIX}DYADS: give one or more of {', '.join(known_dyads)}, each once")
    return settings


def list_dyads() -> list[str]:
    """The pairs of countries that have a codebook."""
    return sorted(path.parent.name for path in CODEBOOKS.glob("*/sides.csv"))


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
