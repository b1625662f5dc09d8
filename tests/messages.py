"""A weekly digest in both languages, as the renderers get it; `python -m tests.messages` renews the golden files."""

import json
import struct
import zlib
from pathlib import Path

from reports import render_html, render_slack
from reports.blocks import (
    Button,
    Buttons,
    Divider,
    Fact,
    Facts,
    Header,
    Heading,
    Item,
    Message,
    Note,
    Picture,
    Span,
    Table,
    Text,
)

GOLDEN = Path(__file__).parent / "unit" / "golden"
KEY = "weekly_digest:2026-11-09"
PAGES = "https://tidemark.example.org"


def png(width: int = 560, height: int = 120) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = zlib.compress((b"\0" + b"\xd6\xe6\xf2" * width) * height, 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def bold(text: str) -> Span:
    return Span(text, bold=True)


ENGLISH = Message(
    "Tidemark, week 46: 3 need a person, AI answer score 7.6 → 8.3",
    (
        Header("Tidemark, week 46 · 9–15 Nov 2026"),
        Heading("🔴 Needs a person: 3"),
        Item(
            (bold("match_outcomes failed"), " Mon 02:14: no prices for 000660 on 13 Nov"),
            Button("Run again", f"{PAGES}/operations?job=match_outcomes"),
        ),
        Item(
            (bold("news rolled back"), " to claude-opus-4.5: rating −18% (n = 41 / 44)"),
            Button("Review", f"{PAGES}/agents?agent=news&week=2026-W46"),
        ),
        Item(
            (bold("*_hostile_* <!channel>"), " is half evaluated since Fri: 96 of 201 rows"),
            Button("Show days", f"{PAGES}/models"),
        ),
        Item((bold("fx"), " stands without a button: 2 of 3 rows")),
        Divider(),
        Heading("What changed, ranked by surprise"),
        Text(
            (
                ("🟢 ", bold("AI answer score"), " 7.6 → 8.3, ", bold("+0.7"), " · improved · n = 412 / 398"),
                (
                    "🟠 ",
                    Span("harbor-mini, score", bold=True, url=f"{PAGES}/models?model=harbor-mini"),
                    " 65.3 → 60.9, ",
                    bold("−4.4"),
                    " · declined · n = 58 / 71",
                ),
            )
        ),
        Divider(),
        Text(
            (
                (bold("📈 AI performance report"),),
                "- Average score this week (11/9–11/15): 8.3",
                "- Average score last week (11/2–11/8): 7.6",
                "- Change: +9.2%  (improved, n = 412 / 398)",
                "- 👍 52 / 👎 11",
                "- Made at: 2026-11-16 09:00",
            )
        ),
        Picture("ai-answer-score", "AI answer score", "Line chart: AI answer score by week, now 8.3", png()),
        Divider(),
        Heading((bold("Models"), " · mean score 70.4 (−0.3, no clear change, n = 523 / 547)")),
        Facts(
            (
                Fact("Forecasts", "hit rate 56.1%", "+0.4 pp, no clear change, n = 1,204"),
                Fact("Agents", "P&L $1,942", "+$880, no clear change, n = 96"),
            )
        ),
        Table(
            ("agent", "P&L", "wins", "n"),
            (
                ("earnings", "+$1,120", "64%", "22"),
                ("momentum", "+$870", "58%", "31"),
                ("fx", "−$310", "–", "2"),
                ("news", "−$1,240", "39%", "41"),
            ),
        ),
        Text(("All quiet: 43 other comparisons are within their noise, 3 have too little data.",)),
        Text(
            (
                (
                    bold("Done by itself:"),
                    " moved 9 of 15 weights (largest: 005930 · 5 d, chronos 61 → 64%), "
                    "rolled back 1 swap, restated week 44.",
                ),
            )
        ),
        Buttons(
            (
                Button("Open week 46", f"{PAGES}/?week=2026-W46", main=True),
                Button("Re-run aggregation", f"{PAGES}/operations?job=aggregate_models"),
                Button("Adjust weights", f"{PAGES}/forecasts"),
            )
        ),
        Note("Made Mon 16 Nov 2026 09:00 (Asia/Seoul) · data until 15 Nov · Tidemark 1.0.0"),
    ),
)

KOREAN = Message(
    "Tidemark 46주차: 사람이 볼 일 3건, AI 답변 점수 7.6 → 8.3",
    (
        Header("Tidemark 46주차 · 2026년 11월 9일–15일"),
        Heading("🔴 사람이 볼 일 3건"),
        Item(
            (bold("match_outcomes 실패"), " (월 02:14): 000660의 11월 13일 가격 없음"),
            Button("다시 실행", f"{PAGES}/operations?job=match_outcomes"),
        ),
        Item(
            (bold("news"), "가 되돌려졌습니다 → claude-opus-4.5: 평점 −18% (n = 41 / 44)"),
            Button("검토", f"{PAGES}/agents"),
        ),
        Divider(),
        Heading("놀라운 변화 순"),
        Text((("🟢 ", bold("AI 답변 점수"), " 7.6 → 8.3, ", bold("+0.7"), " · 개선 · n = 412 / 398"),)),
        Divider(),
        Text(
            (
                (bold("📈 AI 성능 개선 리포트"),),
                "- 이번주 평균 점수 (11/9–11/15): 8.3",
                "- 지난주 평균 점수 (11/2–11/8): 7.6",
                "- 변화율: +9.2%  (개선, n = 412 / 398)",
                "- 👍 52 / 👎 11",
                "- 생성시각: 2026-11-16 09:00",
            )
        ),
        Picture("ai-answer-score", "AI 답변 점수", "주간 AI 답변 점수 선 그래프, 현재 8.3", png()),
        Facts(
            (
                Fact("예측", "적중률 56.1%", "+0.4%p, 뚜렷한 변화 없음, n = 1,204"),
                Fact("에이전트", "손익 $1,942", "+$880, 뚜렷한 변화 없음, n = 96"),
            )
        ),
        Table(
            ("에이전트", "손익", "승률", "n"),
            (
                ("실적 발표", "+$1,120", "64%", "22"),
                ("momentum", "+$870", "58%", "31"),
                ("환율", "−$310", "–", "2"),
            ),
        ),
        Text(("그 밖은 잠잠합니다: 비교 43건은 오차 범위 안, 3건은 데이터 부족.",)),
        Buttons((Button("46주차 열기", f"{PAGES}/?week=2026-W46", main=True),)),
        Note("2026-11-16(월) 09:00 생성 (서울) · 자료 11월 15일까지 · Tidemark 1.0.0"),
    ),
    language="ko",
)
BOTH = {"en": ENGLISH, "ko": KOREAN}


def slack(message: Message) -> str:
    """What Slack gets, as text that shows differences."""
    made = render_slack.render(message, KEY)
    told = {"text": made.text, "posts": made.posts, "pictures": [one.name for one in made.pictures]}
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def renew() -> None:
    for language, message in BOTH.items():
        (GOLDEN / f"digest-{language}.json").write_text(slack(message), encoding="utf-8")
        (GOLDEN / f"digest-{language}.html").write_text(render_html.render(message), encoding="utf-8")


if __name__ == "__main__":
    renew()
