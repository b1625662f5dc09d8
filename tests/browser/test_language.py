"""English and Korean in a real browser: fragments, downloads and other pages speak as the page does."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_choice_of_language_keeps_the_other_choices_and_goes_along(product, open_tab):
    page = open_tab(f"{product.address}/models?period=30d")
    page.get_by_role("heading", name="Models").wait_for()
    page.get_by_role("radio", name="한국어").click()
    page.get_by_role("heading", name="모델", exact=True).wait_for()
    page.wait_for_url(re.compile("lang=ko"))
    assert "period=30d" in page.url
    expect(page.get_by_role("combobox", name="기간")).to_have_value("최근 30일")
    page.get_by_role("link", name="작업 현황").click()
    page.get_by_role("heading", name="작업 현황").wait_for()
    page.wait_for_url(re.compile("lang=ko"))


def test_a_table_that_is_opened_later_and_its_file_speak_korean(product, open_tab, tmp_path: Path):
    page = open_tab(f"{product.address}/models?lang=ko")
    page.get_by_role("heading", name="모델", exact=True).wait_for()
    page.get_by_test_id("stPopover").get_by_role("button").first.click()  # a fragment by itself
    with page.expect_download() as download:  # made by a thread of the server
        page.locator("[data-testid=stPopoverBody]").get_by_role("button", name="CSV").click()
    download.value.save_as(tmp_path / "told.csv")
    heading = (tmp_path / "told.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert heading.startswith("모델,주 시작일,")


def test_a_dialog_speaks_korean_also_when_something_is_chosen_in_it(product, open_tab):
    page = open_tab(f"{product.address}/?lang=ko")
    page.get_by_role("button", name="집계 실행").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("하루", exact=True).click()
    dialog.get_by_text("일자", exact=True).first.wait_for()
    expect(dialog.get_by_placeholder("모든 모델")).to_be_visible()
    assert "All" not in dialog.inner_text()
