"""A function and its arguments in, its result out, computed in a child process that can be killed.

feedparser, lxml and trafilatura take minutes and gigabytes over some inputs of a few hundred KB. No check beforehand
finds all of them, so strangers' bytes are parsed where a time and a memory limit hold whatever comes. The child is
reused: a call costs a pickle and a round trip over a socket pair; only a kill costs a new start.

The child is a plain `python -c`, not a multiprocessing.Process: Airflow's executors run tasks in daemonic processes,
and multiprocessing refuses to start children there. It gets no environment, hence no secrets of the parent.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import os
import pickle
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, ParamSpec, TypeVar

from include.newswatch.model import NewsError, Outcome

P = ParamSpec("P")
T = TypeVar("T")

IMPORT_TIMEOUT_S = 60  # the parsers need 1 to 2 s on an idle core; cold disks and busy machines need more
SELF_KILL_GRACE_S = 5  # an orphan in the middle of a document ends itself this long after its time limit
IDLE_CHECK_S = 10
# The parsers' own caches grow over thousands of documents; with a fresh child now and then the memory limit is about
# the document.
CALLS_PER_CHILD = 1000
PICKLE_PROTOCOL = pickle.HIGHEST_PROTOCOL
REPOSITORY_ROOT = str(Path(__file__).resolve().parents[2])
# sys.path travels in argv because the child has no environment to find it by.
BOOTSTRAP = """
import sys
sys.path[:] = sys.argv[4:]
from include.newswatch.sandbox import serve
serve(*map(int, sys.argv[1:4]))
"""
# numpy's BLAS reserves address space for every core, which would count against the memory limit.
CHILD_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}


class Sandbox:
    """A child process that runs one call after the other, each within timeout_s and memory_mb (MiB of address space).

    Use as a context manager, from one thread. The child starts with the first call and again after every kill.
    """

    def __init__(self, timeout_s: float = 20, memory_mb: int = 1024) -> None:
        self.timeout_s = timeout_s
        self.memory_mb = memory_mb
        self._child: subprocess.Popen[bytes] | None = None
        self._connection: Connection[Any, Any] | None = None
        self._imported: set[str] = set()
        self._n_calls = 0

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a module-level function in the child.

        Arguments may be anything that pickles. Results are limited to builtins, datetimes and classes of this package,
        because they come from a process that has read hostile bytes.

        Raises:
            NewsError: parse_timeout and parse_memory when a limit was hit, parse_error when the function failed or the
                child died; a NewsError raised by the function itself arrives as it is.
        """
        if "." in function.__qualname__ or "<" in function.__qualname__ or function.__module__ == "__main__":
            raise ValueError(f"{function.__qualname__} is no module-level function of an importable module")
        request = (function.__module__, function.__name__, args, kwargs)
        if self._n_calls >= CALLS_PER_CHILD:
            self.close()
        is_fresh = self._n_calls == 0
        status, value = self._run(request)
        if status != "ok" and value[0] == "parse_memory":
            self.close()  # what the document left behind must not count against the next one
            if not is_fresh:  # and what earlier ones left behind not against this one
                status, value = self._run(request)
        if status == "ok":
            return value  # type: ignore[no-any-return]
        raise NewsError(*value)

    def close(self) -> None:
        """End the child. A later call starts a new one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._child is not None:
            self._child.kill()
            self._child.wait()
            self._child = None
        self._imported.clear()
        self._n_calls = 0

    def _run(self, request: tuple[Any, ...]) -> tuple[str, Any]:
        self._import(request[0])
        self._n_calls += 1
        return self._exchange(request, self.timeout_s)

    def _import(self, module: str) -> None:
        """Imports are not the document's fault, so they have a time limit of their own."""
        if self._child is not None and self._child.poll() is not None:
            self.close()
        if module in self._imported:
            return
        status, value = self._exchange((module, None, (), {}), IMPORT_TIMEOUT_S)
        if status != "ok":
            raise RuntimeError(f"the parsing child cannot import {module}: {value[1]}")
        self._imported.add(module)

    def _exchange(self, request: tuple[Any, ...], timeout_s: float) -> tuple[str, Any]:
        connection = self._connection or self._start()
        deadline = time.monotonic() + timeout_s
        try:
            connection.send_bytes(pickle.dumps(request, PICKLE_PROTOCOL))
            if connection.poll(max(0.0, deadline - time.monotonic())):
                return _load_result(connection.recv_bytes())
            outcome: Outcome = "parse_timeout"
            detail = f"killed after {timeout_s:g} s"
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            outcome, detail = "parse_error", f"the parser died: {error or type(error).__name__}"
        self.close()
        return "error", (outcome, detail)

    def _start(self) -> Connection[Any, Any]:
        ours, theirs = socket.socketpair()
        # Without it a stopped child could block us for ever while we hand over a large body.
        limit = struct.pack("ll", int(self.timeout_s) + 1, 0)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        with theirs:
            numbers = (theirs.fileno(), self.memory_mb, round(self.timeout_s) + SELF_KILL_GRACE_S)
            path = [REPOSITORY_ROOT, *(entry for entry in sys.path if entry)]
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and constants
                [sys.executable, "-c", BOOTSTRAP, *map(str, numbers), *path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=CHILD_ENVIRONMENT,
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl-C reaches the parent, which then ends the child in order
            )
        self._connection = Connection(ours.detach())
        return self._connection


class _ResultUnpickler(pickle.Unpickler):
    """Builds values, calls nothing: what a hijacked child sends cannot run code in the parent."""

    def find_class(self, module: str, name: str) -> Any:
        if module == "datetime" or module.partition(".")[0] == "include":
            found = super().find_class(module, name)
            if isinstance(found, type):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no result of a parser")


def _load_result(message: bytes) -> tuple[str, Any]:
    status, value = _ResultUnpickler(io.BytesIO(message)).load()
    return status, value


def serve(descriptor: int, memory_mb: int, self_kill_s: int) -> None:
    """The child: answer calls until the parent hangs up or is gone."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    logging.disable(logging.ERROR)  # trafilatura reports every odd page; the outcome says it already
    connection = Connection(descriptor)
    parent = os.getppid()
    with contextlib.suppress(EOFError, ConnectionError):
        while os.getppid() == parent:
            if not select.select([connection], [], [], IDLE_CHECK_S)[0]:
                continue
            module, name, args, kwargs = pickle.loads(connection.recv_bytes())  # noqa: S301 - from the parent
            # The default action of SIGALRM ends the process even inside C code, with or without a living parent.
            signal.setitimer(signal.ITIMER_REAL, self_kill_s if name else IMPORT_TIMEOUT_S + self_kill_s)
            answer = _answer(module, name, args, kwargs)
            signal.setitimer(signal.ITIMER_REAL, 0)
            connection.send_bytes(answer)


def _answer(module: str, name: str | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
    try:
        imported = importlib.import_module(module)
        value = getattr(imported, name)(*args, **kwargs) if name else None
        return pickle.dumps(("ok", value), PICKLE_PROTOCOL)
    except NewsError as error:
        failure = (error.outcome, error.detail)
    except MemoryError:
        failure = ("parse_memory", "the parser reached its memory limit")
    except BaseException as error:  # whatever a parser raises over hostile bytes is that document's outcome
        failure = ("parse_error", f"{type(error).__name__}: {str(error)[:500]}")
    return pickle.dumps(("error", failure), PICKLE_PROTOCOL)
