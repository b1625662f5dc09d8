"""make screenshots: takes the README's picture again, from the running product with its demo."""

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from install import BROWSERS
from tests.browser.conftest import ARGUMENTS, ROOT, start

WIDTH, HEIGHT = 1280, 900


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        product = start(Path(folder))
        executable = next((found for name in BROWSERS if (found := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=1.5)
            page.goto(
                f"{product.address}/models?period=26w&models=atlas-2&models=cirrus-l&models=harbor-mini"
            )
            page.wait_for_selector("[data-testid=stVegaLiteChart] svg")
            page.wait_for_load_state("networkidle")
            page.get_by_text("Targets achieved").wait_for()
            (ROOT / "docs").mkdir(exist_ok=True)
            page.screenshot(path=ROOT / "docs" / "models.png")
        finally:
            browser.close()
            product.stop()


if __name__ == "__main__":
    main()
