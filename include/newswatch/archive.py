"""The only reader and writer of batch files: Parquet between the steps, WARC for the pages. Whole files or none.

A location is a path or an object-storage URL (s3://…). What is written appears by rename, or by one put.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import shutil
import types
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import httpx2
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError
from upath import UPath
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataException, ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed
from warcio.statusandheaders import StatusAndHeaders, StatusAndHeadersParserException
from warcio.warcwriter import WARCWriter

from include.newswatch.model import NewsError, Page
from include.newswatch.web import unpack

Row = TypeVar("Row")
ARROW_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
}
MAX_PAGE_BYTES = 10_000_000  # as of a page from the web
MAX_RECORD_BYTES = MAX_PAGE_BYTES + (1 << 18)  # with the headers of WARC and HTTP
PACKED_BYTES = 1 << 20
WARC_HEAD_BYTES = 1 << 14
WARC_URI = re.compile(rb"(?mi)^WARC-Target-URI:[ \t]*<?([^\s>]{1,4096})")
RECORD_HEADS = (b"WARC/", b"filedesc", b"http")
GZIP_MAGIC = b"\x1f\x8b\x08"
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
    try:
        with part.open("wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:  # the disk is full: what is left of it would keep it so
        part.unlink(missing_ok=True)
        raise OSError(error.errno, f"{error.strerror}: {target}") from error
    part.replace(target)


def measure(path: Path) -> dict[str, Any]:
    """Size and SHA-256 of a file."""
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def list_files(location: str, pattern: str) -> list[str]:
    """The files of a folder that match a glob pattern, sorted; an absent folder has none."""
    folder = UPath(location)
    return sorted(str(path) for path in folder.glob(pattern)) if folder.exists() else []


def list_folders(location: str) -> list[str]:
    """The folders in a folder, sorted; an absent folder has none."""
    folder = UPath(location)
    return sorted(str(path) for path in folder.iterdir() if path.is_dir()) if folder.exists() else []


def remove_folder(location: str) -> int:
    """Remove a folder and say how many files were in it."""
    files = [path for path in UPath(location).rglob("*") if path.is_file()]
    # What tells a run's age goes last: should we die in between, the rest is found again.
    for path in sorted(files, key=lambda path: (path.name in ("run.json", "feeds.parquet"), str(path))):
        path.unlink(missing_ok=True)
    if "://" not in location:  # object storage has no folders apart from their files
        shutil.rmtree(location)
    return len(files)


def warc_location(archive_dir: str, folder: str, started_at: datetime, number: str) -> str:
    """Where the pages of a batch are archived: …/YYYY/MM/RUN-NUMBER.warc.gz, so that months can be removed whole."""
    return f"{archive_dir}/{started_at:%Y/%m}/{folder.rsplit('/', 1)[1]}-{number}.warc.gz"


def relocated(warc_file: str, archive_dir: str) -> str:
    """Where a file that the ledger names lies now: the archive may have moved since."""
    return "/".join((archive_dir, *warc_file.rsplit("/", 3)[1:]))


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
    """Read what write_rows wrote, as an Arrow table; columns that an earlier version wrote besides are left out.

    Raises:
        BatchError: the file is missing, cut or of another shape.
    """
    try:
        schema = pa.schema(_struct(kind))
        return pq.read_table(io.BytesIO(UPath(location).read_bytes()), columns=schema.names).cast(schema)
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


@dataclass(frozen=True, slots=True)
class BrokenRecord:
    """A record that cannot be read, and why. url: empty where not even that is known."""

    url: str
    error: NewsError


def read_pages(location: str) -> Iterator[Page | BrokenRecord]:
    """The pages of a WARC or ARC file, ours or a foreign one (CC-NEWS), in its order; other records are passed over.

    Each page is whole, dechunked and decompressed, of at most MAX_PAGE_BYTES. After a broken gzip member reading goes
    on at the next; records of a file that is not compressed have no such seam, so the first broken one is the last.

    Raises:
        BatchError: the file cannot be opened.
    """
    try:
        file = UPath(location).open("rb")
    except OSError as error:
        raise BatchError(f"{location} cannot be read: {error}") from error
    with file:
        is_packed = file.read(2) == GZIP_MAGIC[:2]
        file.seek(0)
        for piece in _members(file) if is_packed else (file,):
            yield from (piece,) if isinstance(piece, BrokenRecord) else _records(piece)


def _members(file: BinaryIO) -> Iterator[BinaryIO | BrokenRecord]:
    """The unpacked gzip members of a file, one at a time; what stands between two of them is passed over."""
    packed, is_lost = file.read(PACKED_BYTES), False
    while packed:
        begins_at = file.tell() - len(packed)
        unpacker, member, n_bytes = zlib.decompressobj(zlib.MAX_WBITS | 16), bytearray(), 0
        try:
            while not unpacker.eof:
                piece = unpacker.decompress(packed, PACKED_BYTES)
                n_bytes += len(piece)
                member += piece[: max(0, MAX_RECORD_BYTES - len(member))]
                packed = unpacker.unconsumed_tail or unpacker.unused_data or file.read(PACKED_BYTES)
                if not (packed or unpacker.eof):
                    raise zlib.error("the file ends in the middle of it")
        except zlib.error as error:
            if not is_lost:  # on the way to the next member others may seem to begin; it is one record that is broken
                yield BrokenRecord("", NewsError("parse_error", f"gzip member at byte {begins_at}: {error}"))
            is_lost, packed = True, _next_member(file, begins_at + 1)
        else:
            is_lost = False
            yield io.BytesIO(member) if n_bytes <= MAX_RECORD_BYTES else _too_large(member, n_bytes)


def _next_member(file: BinaryIO, begins_at: int) -> bytes:
    """The bytes from where a gzip member may begin, at this place or later; none at the end of the file."""
    file.seek(begins_at)
    packed = file.read(PACKED_BYTES)
    while (start := packed.find(GZIP_MAGIC)) < 0:
        more = file.read(PACKED_BYTES)
        if not more:
            return b""
        packed = packed[1 - len(GZIP_MAGIC) :] + more
    return packed[start:]


def _too_large(member: bytearray, n_bytes: int) -> BrokenRecord:
    found = WARC_URI.search(member[:WARC_HEAD_BYTES])
    url = found[1].decode("utf-8", errors="replace") if found else ""
    return BrokenRecord(url, NewsError("too_large", f"a record of {n_bytes} bytes"))


def _records(stream: BinaryIO) -> Iterator[Page | BrokenRecord]:
    head = stream.read(8)
    stream.seek(0)
    if head and not head.startswith(RECORD_HEADS):  # warcio takes any line of five words for a record of an ARC file
        yield BrokenRecord("", NewsError("parse_error", f"no WARC record begins with {head!r}"))
        return
    try:
        for record in ArchiveIterator(stream, arc2warc=True):
            if record.rec_type == "response" and record.http_headers is not None:
                yield _page(record)
    except (OSError, EOFError, ValueError, AttributeError, ArchiveLoadFailed, StatusAndHeadersParserException) as error:
        # ValueError and AttributeError: what warcio raises over records without a length or an address.
        yield BrokenRecord("", NewsError("parse_error", f"no record that can be read: {error}"))


def _page(record: Any) -> Page | BrokenRecord:
    uri = (record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")  # WARC 1.0 put brackets around it
    try:
        return Page(
            url=record.rec_headers.get_header("X-Requested-URI") or uri,
            final_url=uri,
            status=int(record.http_headers.get_statuscode()),
            headers={name.lower(): value for name, value in record.http_headers.headers},
            body=_body(record),
            fetched_at=_moment(record.rec_headers.get_header("WARC-Date") or ""),
        )
    except NewsError as error:
        return BrokenRecord(uri, error)
    except (ValueError, EOFError, ChunkedDataException) as error:
        return BrokenRecord(uri, NewsError("parse_error", f"odd record: {error}"))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _body(record: Any) -> bytes:
    """The body without chunks and compression; archives often keep the headers of a compression that they undid."""
    stream = record.raw_stream
    if (record.http_headers.get_header("Transfer-Encoding") or "").strip().lower() == "chunked":
        stream = ChunkedDataReader(stream, decomp_type=None)
    raw = stream.read(MAX_PAGE_BYTES + 1)
    if len(raw) > MAX_PAGE_BYTES:
        raise NewsError("too_large", f"more than {MAX_PAGE_BYTES} bytes")
    coding = record.http_headers.get_header("Content-Encoding") or "identity"
    try:
        return unpack(httpx2.Response(200, headers={"content-encoding": coding}, content=iter((raw,))), MAX_PAGE_BYTES)
    except httpx2.DecodingError:
        return bytes(raw)
