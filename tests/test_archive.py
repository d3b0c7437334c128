"""WARC files of ours and of others: what is whole is read, what is broken costs one record."""

from __future__ import annotations

import gzip
import io
import zlib
from datetime import UTC, datetime
from pathlib import Path

import brotli
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from include.newswatch.archive import (
    MAX_PAGE_BYTES,
    BatchError,
    BrokenRecord,
    WarcFile,
    read_pages,
    read_rows,
    relocated,
    to_table,
)
from include.newswatch.model import Entry, Page

AT = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


def record(url: str, body: bytes, headers: list[tuple[str, str]] | None = None, *, gzipped: bool = True, **warc: str
           ) -> bytes:  # fmt: skip
    """One response record as CC-NEWS writes it."""
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=gzipped)
    http = StatusAndHeaders("200 OK", headers or [("Content-Type", "text/html")], protocol="HTTP/1.1")
    writer.write_record(
        writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=http,
                                  warc_headers_dict={"WARC-Date": "2026-03-01T08:30:00Z", **warc})
    )  # fmt: skip
    return buffer.getvalue()


def read(path: Path, *records: bytes) -> list[Page | BrokenRecord]:
    path.write_bytes(b"".join(records))
    return list(read_pages(str(path)))


def shown(found: list[Page | BrokenRecord]) -> list[object]:
    return [item.body if isinstance(item, Page) else item.error.outcome for item in found]


@pytest.fixture
def warc(tmp_path: Path) -> Path:
    return tmp_path / "foreign.warc.gz"


def test_what_we_archive_comes_back_as_it_was(tmp_path: Path) -> None:
    page = Page("https://a.example/x", "https://a.example/y", 200, {"content-type": "text/html"}, b"<p>1</p>", AT)
    file = WarcFile(str(tmp_path / "ours.warc.gz"))
    assert file.add(page) == 0
    file.save()
    assert list(read_pages(file.location)) == [page]


def test_requests_metadata_and_non_http_records_are_passed_over(warc: Path) -> None:
    buffer = io.BytesIO()
    writer = WARCWriter(buffer, gzip=True)
    writer.write_record(writer.create_warcinfo_record("x", {"software": "somebody else's"}))
    writer.write_record(writer.create_warc_record("dns:a.example", "response", payload=io.BytesIO(b"10.0.0.1")))
    writer.write_record(writer.create_warc_record("https://a.example/", "metadata", payload=io.BytesIO(b"x: y")))
    assert shown(read(warc, buffer.getvalue(), record("https://a.example/", b"page"))) == [b"page"]


def test_an_uncompressed_file_and_one_compressed_as_a_whole_are_read_too(warc: Path) -> None:
    plain = record("https://a.example/1", b"one", gzipped=False) + record("https://a.example/2", b"two", gzipped=False)
    assert shown(read(warc, plain)) == [b"one", b"two"]
    assert shown(read(warc, gzip.compress(plain))) == [b"one", b"two"]


@pytest.mark.parametrize(
    ("coding", "packed"),
    [("gzip", gzip.compress(b"text")), ("br", brotli.compress(b"text")), ("deflate", zlib.compress(b"text")),
     ("gzip", b"text"), ("identity", b"text")],
    ids=["gzip", "br", "deflate", "no gzip", "identity"],  # the bytes hold the second they were packed in
)  # fmt: skip
def test_a_compressed_body_is_unpacked_and_one_that_only_says_so_is_left(
    warc: Path, coding: str, packed: bytes
) -> None:
    headers = [("Content-Encoding", coding)]
    assert shown(read(warc, record("https://a.example/", packed, headers))) == [b"text"]


@pytest.mark.parametrize("body", [b"4\r\ntext\r\n0\r\n\r\n", b"text", b"4;x=y\r\ntext\r\n"])
def test_chunks_are_joined_and_what_only_says_chunked_is_left(warc: Path, body: bytes) -> None:
    headers = [("Transfer-Encoding", "chunked")]
    assert shown(read(warc, record("https://a.example/", body, headers))) == [b"text"]


def test_bombs_and_huge_records_cost_one_record_each(warc: Path) -> None:
    bomb = brotli.compress(b"\0" * (MAX_PAGE_BYTES * 4), quality=1)
    found = read(
        warc,
        record("https://a.example/bomb", bomb, [("Content-Encoding", "br")]),
        record("https://a.example/long", b"x" * (MAX_PAGE_BYTES + 1)),
        record("https://a.example/huge", b"\0" * (MAX_PAGE_BYTES * 3)),
        record("https://a.example/good", b"page"),
    )
    assert shown(found) == ["too_large", "too_large", "too_large", b"page"]
    assert found[2].url == "https://a.example/huge"


def test_a_broken_member_costs_itself_and_the_next_is_read(warc: Path) -> None:
    first, second, third = (record(f"https://a.example/{n}", str(n).encode() * 3000) for n in (1, 2, 3))
    broken = second[:200] + bytes(byte ^ 0x55 for byte in second[200:260]) + second[260:]
    assert shown(read(warc, first, broken, third)) == [b"1" * 3000, "parse_error", b"3" * 3000]
    assert shown(read(warc, first, second[:100], third)) == [b"1" * 3000, "parse_error", b"3" * 3000]
    assert shown(read(warc, first, second[:100])) == [b"1" * 3000, "parse_error"]
    assert shown(read(warc, first, b"\0" * 512)) == [b"1" * 3000, "parse_error"]


def test_odd_headers_are_an_error_of_their_record(warc: Path) -> None:
    good = record("https://a.example/1", b"one")
    undated = record("https://a.example/2", b"two", **{"WARC-Date": "yesterday"})
    odd_status = gzip.compress(gzip.decompress(good).replace(b"200 OK", b"xyz OK"))
    no_uri = gzip.compress(gzip.decompress(good).replace(b"WARC-Target-URI:", b"X-Nothing:"))
    no_length = gzip.compress(gzip.decompress(good).replace(b"Content-Length: ", b"Content-Length: minus "))
    found = read(warc, undated, odd_status, no_uri, no_length, gzip.compress(b"GET me out\r\n\r\n"), good)
    assert [item for item in shown(found) if item != "parse_error"] == [b"one"]
    assert len(found) >= 4


def test_what_is_no_archive_at_all_is_an_error_and_a_missing_file_is_named(warc: Path) -> None:
    assert shown(read(warc, b"this is a text, not an archive\n" * 100)) == ["parse_error"]
    assert read(warc, b"") == []
    with pytest.raises(BatchError, match=r"nowhere\.warc"):
        list(read_pages(str(warc.with_name("nowhere.warc"))))


def test_an_archive_that_has_moved_is_found_again() -> None:
    assert relocated("/old/archive/2026/03/run-000.warc.gz", "s3://bucket/archive") == (
        "s3://bucket/archive/2026/03/run-000.warc.gz"
    )


def test_a_batch_file_with_a_column_of_an_earlier_version_is_read_and_one_that_lacks_a_column_is_refused(
    tmp_path: Path,
) -> None:
    entries = [Entry("https://a.example/feed", "https://a.example/1", "One", AT)]
    path, table = tmp_path / "000.entries.parquet", to_table(entries, Entry)
    pq.write_table(table.add_column(2, "permanent_url", pa.array([None], pa.string())), path)
    assert read_rows(str(path), Entry) == entries

    pq.write_table(table.drop_columns("title"), path)
    with pytest.raises(BatchError, match="cannot be read"):
        read_rows(str(path), Entry)
