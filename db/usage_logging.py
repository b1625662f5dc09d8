"""A logging handle for programs that call language models: it measures a call and stores it in llm_usage_log.

    with llm_call(agent_name="scout", provider="openai", model="gpt-4o-mini") as call:
        answer = client.responses.create(...)
        call.tokens(prompt=answer.usage.input_tokens, completion=answer.usage.output_tokens)

It works as `async with` too, and as the decorator of a function, plain or async. A call that raises is stored with
success false and its error, and raises as before.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast
from uuid import uuid4

from sqlalchemy import Engine

from db.clock import Now, utc_now
from db.writers import store_llm_usage

P = ParamSpec("P")
R = TypeVar("R")

LONGEST_ERROR = 1_000  # characters of an error's type and message
log = logging.getLogger("tidemark.usage")
_current: ContextVar["Call | None"] = ContextVar("current_call", default=None)


class Call:
    """What is known of one call; whoever makes it adds tokens and cost."""

    def __init__(self, values: dict[str, Any], began: float) -> None:
        self._values, self.began = values, began
        self.before: Call | None = None  # the one that it is part of

    @property
    def request_id(self) -> str:
        return str(self._values["request_id"])

    def tokens(
        self, prompt: int | None = None, completion: int | None = None, cached: int | None = None
    ) -> None:
        """The tokens of prompt and answer, at once or as they become known; `cached` are those of the prompt that came
        from a cache."""
        given = {"prompt_tokens": prompt, "completion_tokens": completion, "cached_tokens": cached}
        self._values |= {name: n for name, n in given.items() if n is not None}
        both = [self._values.get(name) for name in ("prompt_tokens", "completion_tokens")]
        if None not in both:
            self._values["tokens_used"] = sum(both)

    def cost(self, dollars: float) -> None:
        """What was billed; without it the price book says what the call cost."""
        self._values["cost_usd"] = dollars

    def row(self) -> dict[str, Any]:
        """The row of llm_usage_log."""
        return dict(self._values)


def current_call() -> Call:
    """The call that is under way in this thread or task: for functions that are decorated. Raises LookupError."""
    call = _current.get()
    if call is None:
        raise LookupError("no call is under way here")
    return call


class llm_call:  # noqa: N801 - it reads as a verb
    """Measures and stores a call.

    `timestamp` is when it began, `response_time_ms` how long it took by `clock` (seconds, monotonic). What cannot
    be stored is logged as a warning and breaks nothing, but raises with `strict`, unless the call itself raised.
    Each entry is a call of its own, so that one handle may decorate a function that runs in many threads.
    """

    def __init__(
        self,
        *,
        agent_name: str = "",
        provider: str = "",
        model: str = "",
        request_type: str = "",
        request_id: str | None = None,
        engine: Engine | None = None,
        now: Now = utc_now,
        clock: Callable[[], float] = time.monotonic,
        strict: bool = False,
    ) -> None:
        self._names = {
            "agent_name": agent_name,
            "provider": provider,
            "model": model,
            "request_type": request_type,
        }
        self._request_id, self._engine, self._strict = request_id, engine, strict
        self._now, self._clock = now, clock
        self._begun: list[Call] = []  # of several threads and tasks

    def _fresh(self) -> "llm_call":
        """The same handle for one more call; a request_id is that of one call only."""
        return llm_call(
            **self._names, engine=self._engine, now=self._now, clock=self._clock, strict=self._strict
        )

    def __enter__(self) -> Call:
        values = {"request_id": self._request_id or str(uuid4()), "timestamp": self._now()} | self._names
        call = Call(values, self._clock())
        call.before = _current.get()
        self._begun.append(call)
        _current.set(call)
        return call

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store(self._finished(error), quietly=error is not None)

    async def __aenter__(self) -> Call:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The database is waited for in a thread: other tasks go on meanwhile.
        await asyncio.to_thread(self._store, self._finished(error), error is not None)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """The function, each of whose calls is stored; inside, `current_call()` is the handle.

        TypeError for a generator, whose call is over before it gives anything.
        """
        if isgeneratorfunction(function) or isasyncgenfunction(function):
            raise TypeError(f"{function.__qualname__} is a generator: put “with llm_call(…)” inside it")
        if iscoroutinefunction(function):

            @wraps(function)
            async def measured_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                async with self._fresh():
                    return await function(*args, **kwargs)

            return cast(Callable[P, R], measured_async)

        @wraps(function)
        def measured(*args: P.args, **kwargs: P.kwargs) -> R:
            with self._fresh():
                return function(*args, **kwargs)

        return measured

    def _finished(self, error: BaseException | None) -> dict[str, Any]:
        call = _current.get()
        if call is None or call not in self._begun:  # a generator that goes on in another task
            call = self._begun[-1]
        self._begun.remove(call)
        _current.set(call.before)
        row = call.row()
        row["response_time_ms"] = max(0.0, (self._clock() - call.began) * 1000)
        if isinstance(error, GeneratorExit):  # whoever read the stream had enough of it
            return row
        row["success"] = error is None
        if error is not None:
            row["error_message"] = _told(error)
        return row

    def _store(self, row: dict[str, Any], quietly: bool) -> None:
        try:
            store_llm_usage([row], engine=self._engine, now=self._now())
        except Exception as error:
            if self._strict and not quietly:
                raise
            log.warning("call %s is not in llm_usage_log: %s", row["request_id"], error)


def _told(error: BaseException) -> str:
    """Type and message of an error, without what no database stores."""
    try:
        text = ": ".join(filter(None, (type(error).__name__, str(error))))
    except Exception:  # noqa: BLE001 - an error that cannot say what it is must not hide itself
        text = type(error).__name__
    return text.replace("\0", "").encode("utf-8", "replace").decode()[:LONGEST_ERROR]
