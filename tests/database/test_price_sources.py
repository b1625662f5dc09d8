"""The price book filled from a package of prices."""

from datetime import UTC, date, datetime
from importlib.util import find_spec

import pytest
from sqlalchemy import Engine, func, select

from db import writers
from db.__main__ import main
from db.tables.usage import LlmPrice, LlmUsage

NOW = datetime(2026, 11, 20, 2, 30, tzinfo=UTC)
has_package = find_spec("genai_prices") is not None


@pytest.mark.skipif(has_package, reason="the package is here")
def test_without_the_package_it_says_what_to_install(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prices", "fill"]) == 1
    assert "pip install genai-prices==0.2.3" in capsys.readouterr().err
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(LlmPrice)) == 0


@pytest.mark.skipif(not has_package, reason="genai-prices is not here")
def test_prices_keep_their_days_and_people_their_own(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    call = {"timestamp": NOW, "provider": "anthropic", "prompt_tokens": 1_000_000, "completion_tokens": 0}
    called = "claude-3-5-sonnet-20240620"
    writers.store_llm_usage([call | {"model": called}], engine=engine, now=NOW)
    mine = {"provider": "openai", "model": "gpt-4o", "input": 1.0, "source": "contract"}
    writers.store_llm_prices([mine], engine=engine, now=NOW)
    assert main(["prices", "fill"]) == 0
    assert " 0 rejected" in capsys.readouterr().out
    assert main(["prices", "fill"]) == 0
    assert " 0 new, 0 updated" in capsys.readouterr().out
    p = LlmPrice
    with engine.connect() as connection:
        assert connection.scalar(select(func.count(p.valid_from.distinct()))) > 5
        own = select(p.input, p.source, p.valid_from).where(p.provider == "openai", p.model == "gpt-4o")
        first, *_later = connection.execute(own.order_by(p.valid_from))
        assert tuple(first) == (1.0, "contract", date(1970, 1, 1))
        assert connection.scalar(select(func.max(p.output))) < 1
    assert main(["prices", "apply"]) == 0
    with engine.connect() as connection:
        assert connection.scalar(select(LlmUsage.cost_usd)) == pytest.approx(3.0)
