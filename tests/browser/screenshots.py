"""make screenshots: takes the README's pictures again, from the running product with its demo."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from install import BROWSERS
from tests.browser.conftest import ARGUMENTS, ROOT, Product, start

WIDTH, HEIGHT = 1280, 900
DOCS = ROOT / "docs"
MODELS = "models?period=26w&models=atlas-2&models=cirrus-l&models=harbor-mini"


def main() -> None:
    DOCS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        product = start(Path(folder))
        executable = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            _of_page(browser, product, MODELS, "Targets achieved", "models.png", 1.5)
            _of_page(browser, product, "quality", "Criteria", "quality.png", 1)
            _of_page(
                browser,
                product,
                "forecasts?code=REEF.DEMO&period=26w",
                "Ledger of changes",
                "forecasts.png",
                1,
            )
            _of_page(browser, product, "agents?period=26w", "Underperforming", "agents.png", 1)
            _of_report(browser, product, Path(folder))
        finally:
            browser.close()
            product.stop()


def _of_page(browser: Browser, product: Product, address: str, text: str, name: str, scale: float) -> None:
    page = _opened(browser, WIDTH, HEIGHT, scale)
    page.goto(f"{product.address}/{address}")
    page.wait_for_selector("[data-testid=stVegaLiteChart] svg")
    page.wait_for_load_state("networkidle")
    page.get_by_text(text).first.wait_for()
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_timeout(1_000)  # the mark of a running page fades
    page.screenshot(path=DOCS / name)


def _of_report(browser: Browser, product: Product, folder: Path) -> None:
    """As it is written where there is no Slack; a machine that has no font with emoji shows boxes for them."""
    file = folder / "report.html"
    build = [sys.executable, "-m", "reports", "build", "--html", str(file)]
    here = os.environ | {"DATABASE_URL": f"sqlite:///{product.database}"}
    subprocess.run(build, env=here, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    page = _opened(browser, 700, 100, 1)
    page.goto(file.as_uri())
    page.screenshot(path=DOCS / "digest.png", full_page=True)


def _opened(browser: Browser, width: int, height: int, scale: float) -> Page:
    return browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)


if __name__ == "__main__":
    main()
