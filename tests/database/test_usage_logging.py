"""Calls of language models that a program has measured and stored while it makes them."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any, TypeVar
from uuid import UUID

import pytest
from sqlalchemy import Engine, select, text

from db.errors import Refused
from db.tables.usage import LlmUsage
from db.usage_logging import LONGEST_ERROR, current_call, llm_call
from db.writers import store_llm_prices

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
Handle = Callable[..., llm_call]
Answer = TypeVar("Answer")


@pytest.fixture
def handle(engine: Engine) -> Handle:
    def make(**options: Any) -> llm_call:
        ticks: Iterator[float] = iter(range(0, 1_000_000, 2))  # each look at the clock is two seconds later
        names = {"agent_name": "scout", "provider": "p", "model": "m", "request_type": "chat"} | options
        return llm_call(**names, engine=engine, now=lambda: NOW, clock=lambda: next(ticks))

    return make


def stored(engine: Engine, *names: str) -> list[Any]:
    columns = [getattr(LlmUsage, name) for name in names]
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(LlmUsage.id))]


def test_a_call_is_measured_and_stored(engine: Engine, handle: Handle) -> None:
    store_llm_prices([{"provider": "p", "model": "m", "input": 1.0, "output": 2.0}], engine=engine, now=NOW)
    with handle() as call:
        call.tokens(prompt=10, completion=5, cached=3)
        assert current_call() is call
    with handle(request_id="mine") as call:
        call.tokens(prompt=10)
        call.cost(0.25)
    with handle():
        pass
    with pytest.raises(LookupError):
        current_call()
    names = (
        "prompt_tokens",
        "completion_tokens",
        "cached_tokens",
        "tokens_used",
        "cost_usd",
        "cost_computed",
    )
    assert stored(engine, *names) == [
        (10, 5, 3, 15, 20, True),
        (10, None, None, None, 0.25, False),
        (None, None, None, None, None, False),
    ]
    names = ("timestamp", "agent_name", "provider", "model", "request_type", "response_time_ms", "success")
    assert set(stored(engine, *names)) == {(NOW, "scout", "p", "m", "chat", 2_000, True)}
    first, second, _third = (row[0] for row in stored(engine, "request_id"))
    assert (UUID(first).version, second) == (4, "mine")


def test_a_call_that_fails_is_stored_and_raises_as_before(engine: Engine, handle: Handle) -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    for error in (
        ValueError("no\0 answer\ud800"),
        TimeoutError(),
        KeyboardInterrupt(),
        Mute(),
        OSError("x" * 5_000),
    ):
        with pytest.raises(type(error)) as raised, handle():
            raise error
        assert raised.value is error
    found = stored(engine, "success", "error_message")
    assert found[:4] == [
        (False, "ValueError: no answer?"),
        (False, "TimeoutError"),
        (False, "KeyboardInterrupt"),
        (False, "Mute"),
    ]
    assert found[4][1] == ("OSError: " + "x" * 5_000)[:LONGEST_ERROR]


def test_functions_plain_and_async(engine: Engine, handle: Handle) -> None:
    @handle()
    def ask(question: str) -> str:
        """Asks."""
        current_call().tokens(prompt=len(question), completion=1)
        return question.upper()

    @handle(agent_name="judge")
    async def judge(n: int) -> int:
        await asyncio.sleep(0)
        current_call().tokens(prompt=n, completion=1)
        return n

    async def all_at_once() -> list[int]:
        async with handle(agent_name="outer") as outer:
            outer.tokens(prompt=100, completion=1)
            return await asyncio.gather(*map(judge, range(5)))

    assert (ask("why"), ask("so"), ask.__doc__) == ("WHY", "SO", "Asks.")
    assert run_to_its_end(all_at_once()) == [0, 1, 2, 3, 4]
    found = stored(engine, "agent_name", "prompt_tokens", "success")
    assert sorted(found) == [
        *(("judge", n, True) for n in range(5)),
        ("outer", 100, True),
        ("scout", 2, True),
        ("scout", 3, True),
    ]
    with pytest.raises(ZeroDivisionError):
        run_to_its_end(_failing(handle))
    assert stored(engine, "error_message")[-1] == ("ZeroDivisionError: division by zero",)


def run_to_its_end(coroutine: Coroutine[None, None, Answer]) -> Answer:
    """In a thread of its own: the browser's tests leave a running loop in the worker's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


async def _failing(handle: Handle) -> None:
    async with handle():
        raise ZeroDivisionError("division by zero")


def test_one_handle_in_many_threads(engine: Engine, handle: Handle) -> None:
    shared, together = handle(), Barrier(4)

    def work(n: int) -> str:
        with shared as call:
            together.wait()
            call.tokens(prompt=n, completion=n)
            return call.request_id

    with ThreadPoolExecutor(4) as threads:
        ids = list(threads.map(work, range(4)))
    assert sorted(stored(engine, "request_id", "prompt_tokens")) == sorted(zip(ids, range(4), strict=True))


def test_what_cannot_be_stored_breaks_nothing_unless_asked_to(
    engine: Engine, handle: Handle, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), handle(request_id="r") as call:
        call.tokens(prompt=-1)
    (told,) = caplog.messages
    assert told.startswith("call r is not in llm_usage_log: 1 row cannot be stored")
    with pytest.raises(Refused, match="prompt_tokens: -1 is outside 0"), handle(strict=True) as call:
        call.tokens(prompt=-1)
    with pytest.raises(ValueError, match="mine"), handle(strict=True) as call:
        call.tokens(prompt=-1)
        raise ValueError("mine")
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE llm_usage_log"))
    with handle():
        answer = 42
    assert answer == 42
    assert len(caplog.messages) == 3


def test_tokens_may_become_known_one_after_the_other(engine: Engine, handle: Handle) -> None:
    with handle() as call:
        call.tokens(prompt=5)
        call.tokens(completion=6)
        call.tokens(cached=2)
    names = ("prompt_tokens", "completion_tokens", "cached_tokens", "tokens_used")
    assert stored(engine, *names) == [(5, 6, 2, 11)]


def test_a_stream_is_measured_inside_it_and_its_end_is_no_failure(engine: Engine, handle: Handle) -> None:
    def stream() -> Iterator[str]:
        with handle():
            yield from ("a", "b")

    async def later() -> Any:
        yield "a"

    for generator in (stream, later):
        with pytest.raises(TypeError, match="is a generator: put “with llm_call"):
            handle()(generator)
    assert list(stream()) == ["a", "b"]
    one = stream()
    assert next(one) == "a"
    one.close()  # type: ignore[attr-defined]
    assert stored(engine, "success", "error_message") == [(True, None), (None, None)]
