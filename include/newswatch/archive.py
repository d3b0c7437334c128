"""The only reader and writer of batch files: Parquet between the steps, WARC for the pages. Whole files or none.

A location is a path or an object-storage URL (s3://…). What is written appears by rename, or by one put.
"""

from __future__ import annotations

import hashlib
import io
import os
import types
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError
from upath import UPath
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from include.newswatch.model import Page

Row = TypeVar("Row")
ARROW_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
}
# Of the answer's headers only these are of use later; cookies and the like are not kept.
KEPT_HEADERS = ("content-type", "last-modified", "etag", "date", "content-language")


class BatchError(Exception):
    """A batch file that is missing, cut or of another shape; the message names it."""


def write_whole(location: str, body: bytes) -> None:
    """Write a file that is never seen half-written."""
    if "://" in location:
        UPath(location).write_bytes(body)
        return
    target = Path(location)
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)


def measure(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def list_files(location: str, pattern: str) -> list[str]:
    """The files of a folder that match a glob pattern, sorted; an absent folder has none."""
    folder = UPath(location)
    return sorted(str(path) for path in folder.glob(pattern)) if folder.exists() else []


def to_table(rows: Sequence[Row], kind: type[Row]) -> pa.Table:
    """Dataclasses of one kind as an Arrow table, nested ones as structs."""
    records = TypeAdapter(list[kind]).dump_python(list(rows))  # type: ignore[valid-type]
    return pa.Table.from_pylist(records, schema=pa.schema(_struct(kind)))


def write_rows(location: str, rows: Sequence[Row], kind: type[Row]) -> None:
    """Write dataclasses of one kind as a Parquet file; no row still makes a file."""
    buffer = io.BytesIO()
    pq.write_table(to_table(rows, kind), buffer, compression="zstd")
    write_whole(location, buffer.getvalue())


def read_table(location: str, kind: type[Any]) -> pa.Table:
    """Read what write_rows wrote, as an Arrow table.

    Raises:
        BatchError: the file is missing, cut or of another shape.
    """
    try:
        return pq.read_table(io.BytesIO(UPath(location).read_bytes())).cast(pa.schema(_struct(kind)))
    except (OSError, ValueError, pa.ArrowException) as error:
        raise BatchError(f"{location} cannot be read: {str(error)[:300]}") from error


def to_rows(table: pa.Table, kind: type[Row]) -> list[Row]:
    """The dataclasses of an Arrow table that to_table or read_table made."""
    return TypeAdapter(list[kind]).validate_python(_in_utc(table.to_pylist()))  # type: ignore[valid-type]


def read_rows(location: str, kind: type[Row]) -> list[Row]:
    """Read what write_rows wrote.

    Raises:
        BatchError: the file is missing, cut or of another shape.
    """
    try:
        return to_rows(read_table(location, kind), kind)
    except ValidationError as error:
        raise BatchError(f"{location} holds other rows than expected: {str(error)[:300]}") from error


def _in_utc(value: Any) -> Any:
    """Arrow gives moments a ZoneInfo, which differs from datetime.UTC in a comparison of types and in a pickle."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, dict):
        return {name: _in_utc(part) for name, part in value.items()}
    return [_in_utc(part) for part in value] if isinstance(value, list) else value


def _struct(kind: type) -> pa.StructType:
    hints = get_type_hints(kind)
    return pa.struct([(field.name, _arrow_type(hints[field.name])) for field in fields(kind)])


def _arrow_type(hint: Any) -> pa.DataType:
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (part for part in get_args(hint) if part is not type(None))
    if get_origin(hint) is Literal:
        return pa.string()
    if get_origin(hint) is tuple:
        return pa.list_(_arrow_type(get_args(hint)[0]))
    return _struct(hint) if isinstance(hint, type) and is_dataclass(hint) else ARROW_TYPES[hint]


class WarcFile:
    """A WARC file in the making: pages go in, save() writes it whole, one gzip member a record."""

    def __init__(self, location: str) -> None:
        self.location = location
        self._buffer = io.BytesIO()
        self._writer = WARCWriter(self._buffer, gzip=True)

    def add(self, page: Page) -> int:
        """Append a page, return the offset of its record."""
        offset = self._buffer.tell()
        headers = [(name, value) for name, value in page.headers.items() if name.lower() in KEPT_HEADERS]
        record = self._writer.create_warc_record(
            page.final_url,
            "response",
            payload=io.BytesIO(page.body),
            http_headers=StatusAndHeaders(f"{page.status} OK", headers, protocol="HTTP/1.1"),
            warc_headers_dict={
                "WARC-Date": page.fetched_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "X-Requested-URI": page.url,
            },
        )
        self._writer.write_record(record)
        return offset

    def save(self) -> None:
        write_whole(self.location, self._buffer.getvalue())


def read_pages(location: str) -> Iterator[Page]:
    """The pages of a WARC file, ours or a foreign one (CC-NEWS), in its order; other records are passed over.

    Raises:
        BatchError: the file is missing or broken; the pages before the break have been given out by then.
    """
    try:
        with UPath(location).open("rb") as file:
            for record in ArchiveIterator(file, no_record_parse=False, arc2warc=True):
                if record.rec_type == "response" and record.http_headers is not None:
                    yield _page(record)
    except (OSError, EOFError, ArchiveLoadFailed) as error:
        raise BatchError(f"{location} cannot be read: {error}") from error


def _page(record: Any) -> Page:
    uri = record.rec_headers.get_header("WARC-Target-URI")
    body = record.content_stream().read()
    return Page(
        url=record.rec_headers.get_header("X-Requested-URI") or uri,
        final_url=uri,
        status=int(record.http_headers.get_statuscode()),
        headers={name.lower(): value for name, value in record.http_headers.headers},
        body=body,
        fetched_at=datetime.fromisoformat(record.rec_headers.get_header("WARC-Date").replace("Z", "+00:00")),
    )
