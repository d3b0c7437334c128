"""The road with batch files and archive on object storage, over a server that speaks S3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from upath import UPath

from include.newswatch import archive, upkeep
from include.newswatch.settings import Settings
from tests.newsroom.serve import free_port, load_articles, newsroom_settings, open_newsroom
from tests.test_pipeline import walk

NOW = datetime.now(UTC).replace(microsecond=0)
BATCH_DIR = "s3://newswatch/batches"

pytestmark = pytest.mark.slow


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    from moto.server import ThreadedMotoServer

    port = free_port()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, server_port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{server_port}",
        "AWS_ACCESS_KEY_ID": "trial",
        "AWS_SECRET_ACCESS_KEY": "trial",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    UPath("s3://newswatch").mkdir()
    with open_newsroom(port, NOW):
        yield replace(newsroom_settings(tmp_path, port), batch_dir=BATCH_DIR)
    server.stop()


def test_batch_files_and_archive_may_lie_on_object_storage(settings: Settings) -> None:
    walk(replace(settings, dyads=("china_russia", "india_china")), "one", NOW)
    with duckdb.connect(str(settings.published), read_only=True) as published:
        scored = published.sql("select count(*) from current_scores").fetchone()
        warcs = published.sql("select distinct warc_file from fetches where warc_file is not null").fetchall()
    assert scored == (len(load_articles()),)
    assert all(file.startswith(f"{BATCH_DIR}/archive/") and UPath(file).exists() for (file,) in warcs)
    assert not (settings.data_dir / "runs").exists() and not (settings.data_dir / "archive").exists()
    assert upkeep.check_integrity(settings, NOW) == []

    name = archive.list_files(f"{BATCH_DIR}/runs/one/pages", "*.india_china.scores.parquet")[0]
    UPath(name).write_bytes(UPath(name).read_bytes()[:100])
    with pytest.raises(archive.BatchError, match=name):
        archive.read_rows(name, upkeep.ArchivedPage)

    assert upkeep.tidy(settings, NOW + timedelta(days=15))["n_runs"] == 1
    assert archive.list_folders(f"{BATCH_DIR}/runs") == []
