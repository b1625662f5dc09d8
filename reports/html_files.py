"""Where there is no Slack: a report as an HTML file in `REPORTS_DIR`, whole or not at all."""

import os
import re
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile

from reports.blocks import Message
from reports.render_html import render


def write(folder: Path, message: Message, kind: str, week: date) -> Path:
    """The file, named after the report; written again it is replaced. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", f"{kind}-{week.isoformat()}-{message.language}")
    with NamedTemporaryFile("w", dir=folder, suffix=".part", delete=False, encoding="utf-8") as made:
        made.write(render(message))
    path = folder / f"{name}.html"
    Path(made.name).chmod(0o644)
    os.replace(made.name, path)  # noqa: PTH105 - it says that the old one goes
    return path
