"""A page that ends early: the rest of its script is left out, the sidebar is drawn all the same.

After st.stop nothing at all can be drawn in that run.
"""

from typing import NoReturn


class PageEnds(Exception):
    """Nothing more comes on this page."""


def end_page() -> NoReturn:
    """Ends the page here."""
    raise PageEnds
