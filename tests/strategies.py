"""Messages as they come at worst: long names, markup, emoji, letters that run leftwards, calls to everybody."""

from hypothesis import strategies as st

from reports import blocks
from reports.blocks import Button, Fact, Message, Span

WORDS = st.sampled_from(
    [
        "harbor-mini",
        "match_outcomes",
        "*bold*",
        "_under_",
        "~gone~",
        "`code`",
        "``` fence",
        "<!channel>",
        "<@U012345>",
        "<#C024BE91L|general>",
        "<!subteam^S1|team>",
        "@here",
        "@channel @everyone",
        "#general",
        "https://evil.example.org/x",
        "<https://evil.example.org|click>",
        "&lt;!here&gt;",
        "> quoted",
        ":tada:",
        "02:14:07",
        "한국어 모델의 이름",
        "نموذج عربي",
        "\u202eright to left\u202c",
        "👨‍👩‍👧‍👦",
        "🇰🇷",
        "1️⃣",
        "65.3 → 60.9",
        "−4.4",
        "+$1,204.50",
        "n = 412 / 398",
        "2026-11-16 09:00",
        "\n",
        "\x00",
        '"><script>alert(1)</script>',
        "x" * 200,
        "가" * 120,
        " ",
        "",
    ]
)
TEXTS = st.lists(WORDS, max_size=6).map(" ".join)
LONG_TEXTS = st.one_of(TEXTS, st.lists(WORDS, min_size=30, max_size=80).map(" ".join))
URLS = st.sampled_from(
    [
        "",
        "https://tidemark.example.org/models?model=a&week=2026-W46",
        "http://127.0.0.1:8501/",
        "javascript:alert(1)",
        "/models",
        "https://x.example.org/" + "y" * 3_100,
        "https://x.example.org/a|b>c",
    ]
)
SPANS = st.builds(Span, LONG_TEXTS.map(" {}".format), st.booleans(), URLS)  # two numbers never touch
LINES = st.one_of(LONG_TEXTS, st.lists(st.one_of(TEXTS.map(" {}".format), SPANS), max_size=4).map(tuple))
BUTTONS = st.builds(Button, LONG_TEXTS, URLS, st.booleans())


def tuples_of(of: st.SearchStrategy, most: int) -> st.SearchStrategy:
    return st.lists(of, max_size=most).map(tuple)


CELLS = st.sampled_from(["64%", "−$1,240", "41", "", "뚜렷한 변화 없음", "<!here>", "x" * 60, "```"])
TABLES = st.integers(0, 5).flatmap(
    lambda n: st.builds(
        blocks.Table, st.tuples(*[CELLS] * n), tuples_of(st.tuples(*[st.one_of(CELLS, TEXTS)] * n), 8)
    )
)
BLOCKS = st.one_of(
    st.builds(blocks.Header, LONG_TEXTS),
    st.builds(blocks.Heading, LINES),
    st.builds(blocks.Text, tuples_of(LINES, 5)),
    st.builds(blocks.Item, LINES, st.one_of(st.none(), BUTTONS)),
    st.builds(blocks.Facts, tuples_of(st.builds(Fact, TEXTS, TEXTS, TEXTS), 14)),
    TABLES,
    st.builds(blocks.Picture, TEXTS, TEXTS, LONG_TEXTS, st.binary(max_size=40)),
    st.builds(blocks.Buttons, tuples_of(BUTTONS, 8)),
    st.just(blocks.Divider()),
    st.builds(blocks.Note, LINES),
)
MESSAGES = st.builds(Message, TEXTS, tuples_of(BLOCKS, 12), st.sampled_from(["en", "ko"]), st.booleans())
