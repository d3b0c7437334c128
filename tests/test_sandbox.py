"""The parsing child: results and errors come back, limits hold, nothing is left behind."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from include.newswatch.model import Article, NewsError
from include.newswatch.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[1]


def double(number: int) -> int:
    return 2 * number


def own_pid() -> int:
    return os.getpid()


def make_article(title: str, *, at: datetime) -> Article:
    return Article(url="https://a.example/1", title=title, text=title, language="en", published_at=at)


def refuse(detail: str) -> None:
    raise NewsError("bot_wall", detail)


def stumble() -> None:
    raise RecursionError("too deep")


def sleep_for(seconds: float) -> None:
    time.sleep(seconds)


def spin_in_c() -> int:
    # One call into C that never looks at signals while it runs: only a kill ends it.
    return len(str(10 ** (10**8)))


def eat_memory(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


def die() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def see_environment() -> dict[str, str]:
    return dict(os.environ)


def send_code() -> object:
    return subprocess.Popen


def echo(body: bytes) -> bytes:
    return body


@pytest.fixture
def sandbox():
    with Sandbox(timeout_s=1, memory_mb=512) as opened:
        yield opened


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until_gone(pid: int, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not is_running(pid)


def test_a_result_comes_back(sandbox):
    at = datetime(2026, 5, 16, tzinfo=UTC)

    assert sandbox.call(double, 21) == 42
    assert sandbox.call(make_article, "习近平 Путин", at=at) == make_article("习近平 Путин", at=at)


def test_a_body_larger_than_the_pipe_comes_back(sandbox):
    body = os.urandom(5_000_000)

    assert sandbox.call(echo, body) == body


def test_the_child_is_used_again(sandbox):
    assert sandbox.call(own_pid) == sandbox.call(own_pid) != os.getpid()


def test_an_expected_error_travels_back_as_it_is(sandbox):
    with pytest.raises(NewsError) as caught:
        sandbox.call(refuse, "a challenge page")

    assert (caught.value.outcome, caught.value.detail) == ("bot_wall", "a challenge page")


def test_an_error_of_the_parser_is_the_document_s_outcome(sandbox):
    pid = sandbox.call(own_pid)
    with pytest.raises(NewsError) as caught:
        sandbox.call(stumble)

    assert caught.value.outcome == "parse_error"
    assert "too deep" in caught.value.detail
    assert sandbox.call(own_pid) == pid


@pytest.mark.parametrize(("function", "args"), [(sleep_for, (30,)), (spin_in_c, ())])
def test_what_takes_too_long_is_killed_and_the_next_call_works(sandbox, function, args):
    pid = sandbox.call(own_pid)
    started = time.monotonic()
    with pytest.raises(NewsError) as caught:
        sandbox.call(function, *args)

    assert caught.value.outcome == "parse_timeout"
    assert time.monotonic() - started < 3
    assert not is_running(pid)
    assert sandbox.call(double, 2) == 4


def test_what_needs_too_much_memory_is_refused_and_the_next_call_works(sandbox):
    with pytest.raises(NewsError) as caught:
        sandbox.call(eat_memory, 2000)

    assert caught.value.outcome == "parse_memory"
    assert sandbox.call(eat_memory, 10) == 10 << 20


def test_a_crash_is_one_outcome(sandbox):
    with pytest.raises(NewsError) as caught:
        sandbox.call(die)

    assert caught.value.outcome == "parse_error"
    assert sandbox.call(double, 3) == 6


def test_a_child_that_died_between_calls_is_replaced(sandbox):
    pid = sandbox.call(own_pid)
    os.kill(pid, signal.SIGKILL)
    wait_until_gone(pid, 5)

    assert sandbox.call(double, 4) == 8


def test_the_child_sees_no_secrets(sandbox, monkeypatch):
    monkeypatch.setenv("NEWSWATCH_TOKEN", "secret")

    assert "secret" not in sandbox.call(see_environment).values()


def test_nothing_but_data_is_taken_from_the_child(sandbox):
    with pytest.raises(NewsError) as caught:
        sandbox.call(send_code)

    assert caught.value.outcome == "parse_error"


def test_a_function_that_the_child_cannot_import_is_the_caller_s_mistake(sandbox):
    with pytest.raises(ValueError, match="module-level"):
        sandbox.call(lambda: 1)


def test_leaving_the_sandbox_ends_the_child():
    with Sandbox() as opened:
        pid = opened.call(own_pid)

    assert not is_running(pid)


def _call_from_a_daemon(queue) -> None:
    with Sandbox(timeout_s=20) as opened:
        queue.put(opened.call(double, 5))


def test_it_works_inside_a_daemonic_process_as_airflow_s_executors_have():
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=_call_from_a_daemon, args=(queue,), daemon=True)
    process.start()

    assert queue.get(timeout=30) == 10
    process.join(10)


ORPHANED = """
import sys, time
sys.path[:0] = sys.argv[1:]
from include.newswatch.sandbox import Sandbox
import test_sandbox
sandbox = Sandbox(timeout_s=1)
print(sandbox.call(test_sandbox.own_pid), flush=True)
{then}
"""


@pytest.mark.parametrize(
    ("then", "timeout_s"),
    [
        pytest.param("time.sleep(60)", 5, id="idle"),
        # The parent is killed before its own time limit; the child's alarm is what remains.
        pytest.param(
            "sandbox.timeout_s = 60; sandbox.call(test_sandbox.sleep_for, 60)", 12, id="busy", marks=pytest.mark.slow
        ),
    ],
)
def test_a_killed_parent_leaves_no_orphan(then, timeout_s):
    command = [sys.executable, "-c", ORPHANED.format(then=then), str(ROOT), str(ROOT / "tests")]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    parent.kill()
    parent.wait()
    parent.stdout.close()

    assert wait_until_gone(pid, timeout_s)


def test_a_call_costs_less_than_a_millisecond(sandbox):
    sandbox.call(double, 1)
    started = time.perf_counter()
    for number in range(300):
        sandbox.call(double, number)

    assert (time.perf_counter() - started) / 300 < 0.005  # 0.1 ms on an idle core; room for a busy one
