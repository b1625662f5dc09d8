"""A file through a real browser: dropped, checked, confirmed; what goes wrong on the way, and who may not."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout
from sqlalchemy import text

from db.engine import reading
from tests import filled
from tests.browser.conftest import Product, select_nothing, start

pytestmark = pytest.mark.browser
PASSWORD = "correct horse"
HEADER = "prediction_id,model_name,predicted_at,evaluated_at,final_score\n"
ROW = "{id},nova-1,2026-11-10T09:00:00Z,2026-11-11T09:00:00Z,{score}\n"
MANY = 12_000
# Each row takes a little longer, so that a page can be left while rows are written.
SLOW = """
    CREATE TRIGGER slow AFTER INSERT ON model_evaluations WHEN new.prediction_id LIKE 'slow-%'
    BEGIN SELECT count(*) FROM
    (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500) SELECT i FROM n); END
"""


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product with an operator's password, an empty database, and a folder of its own for temporary files."""
    folder = tmp_path_factory.mktemp("guarded")
    (folder / "temporary").mkdir()
    with filled.upgraded(folder / "tidemark.db").begin() as connection:
        connection.execute(text(SLOW))
    running = start(folder, OPERATOR_PASSWORD=PASSWORD, DEMO="0", TMPDIR=str(folder / "temporary"))
    yield running
    running.stop()


def unlock(page: Page) -> None:
    page.get_by_label("Operator password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock actions").click()
    expect(page.get_by_test_id("stFileUploader")).to_be_visible()


def drop(page: Page, file: Path) -> None:
    page.get_by_test_id("stFileUploader").locator("input[type=file]").set_input_files(file)


def rows(product: Product, like: str) -> int:
    with reading(product.engine) as connection:
        found = text("SELECT count(*) FROM model_evaluations WHERE prediction_id LIKE :like")
        return connection.scalar(found, {"like": like})


def test_check_confirm_and_the_rows_are_there_but_not_without_the_password(guarded, open_tab, tmp_path):
    file = tmp_path / "one & <b>*two*.csv"
    file.write_text(HEADER + ROW.format(id="ui-1", score=71.5) + ROW.format(id="ui-2", score="many"))
    page = open_tab(f"{guarded.address}/operations")
    expect(page.get_by_text("Import a file", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stFileUploader")).to_have_count(0)
    expect(
        page.get_by_test_id("stMain").get_by_text("Operators enter their password first.").first
    ).to_be_visible()

    unlock(page)
    expect(page.get_by_text("python -m db import model_evaluations FILE")).to_be_visible()
    drop(page, file)
    expect(page.get_by_text("checked, nothing written")).to_be_visible()
    expect(page.get_by_test_id("stMain").get_by_text("one & <b>*two*.csv")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV", exact=True).click()
    assert "“many” is not a number" in download.value.path().read_text(encoding="utf-8")
    assert rows(guarded, "ui-%") == 0
    page.get_by_role("button", name="Import 1 row").dblclick()
    expect(page.get_by_text("imported", exact=True)).to_be_visible()
    assert rows(guarded, "ui-%") == 1
    page.get_by_test_id("stMain").get_by_role("button", name="Run aggregation").click()
    expect(page.get_by_text("1 day of 1 model").first).to_be_visible()
    drop(
        page, file.rename(tmp_path / "again.csv")
    )  # a browser says nothing where the same file is chosen again
    expect(page.get_by_text("There is nothing to import")).to_be_visible()


@pytest.mark.parametrize("leaves", [True, False], ids=["leaving", "staying"])
def test_a_long_import_is_told_to_its_end_on_this_page_or_another(guarded, open_tab, tmp_path, leaves):
    file, ids = tmp_path / "many.csv", f"slow-{leaves}-{{n}}"
    file.write_text(HEADER + "".join(ROW.format(id=ids.format(n=n), score=50) for n in range(MANY)))
    page = open_tab(f"{guarded.address}/operations")
    unlock(page)
    drop(page, file)
    page.get_by_role("button", name=f"Import {MANY:,} rows").click(timeout=60_000)
    expect(page.get_by_text("Importing many.csv")).to_be_visible()
    if leaves:
        page.get_by_role("link", name="Models").click()
        expect(page.get_by_role("heading", name="Models")).to_be_visible()
        assert rows(guarded, ids.format(n="%")) < MANY, "the page was left before the end"
        page.get_by_role("link", name="Operations").click()
    expect(page.get_by_text("imported", exact=True)).to_be_visible(timeout=60_000)
    assert rows(guarded, ids.format(n="%")) == MANY
    assert not list((guarded.database.parent / "temporary").glob("tidemark-*"))
    select_nothing(1.5)  # the page looks for news every second
    expect(page.get_by_text("imported", exact=True)).to_be_visible()


def choose(page, name, option):
    """Picks an option; the list closes by itself where the card was drawn again at that moment."""
    wanted = page.get_by_role("option", name=option)
    for _attempt in range(3):
        page.get_by_role("combobox", name=name).click()
        try:
            wanted.click(timeout=5_000)
            return
        except PlaywrightTimeout:
            page.keyboard.press("Escape")
    wanted.click()


def test_what_is_no_file_of_rows_is_told_and_the_next_one_taken(guarded, open_tab, tmp_path):
    page = open_tab(f"{guarded.address}/operations")
    unlock(page)
    wrong, other = tmp_path / "table.xlsx", tmp_path / "other.csv"
    wrong.write_bytes(b"PK\x03\x04")
    other.write_text("algorithm,predicted_at\nnova-1,2026-11-10T09:00:00Z\n")
    drop(page, wrong)
    expect(page.get_by_text("table.xlsx: the ending must be one of")).to_be_visible()
    drop(page, other)
    expect(page.get_by_text("table.xlsx: the ending")).to_have_count(0)
    choose(page, "model_name", "algorithm")
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_role("button", name="Import 1 row")).to_be_visible()
    select_nothing(1.5)  # the page looks for news every second
    expect(page.get_by_role("button", name="Import 1 row")).to_be_visible()
