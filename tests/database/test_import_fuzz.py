"""Files that Hypothesis thinks up or spoils: whatever they hold, the import ends as a command should."""

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from db.__main__ import main

HEADER = "prediction_id,model_name,predicted_at,final_score,target_achieved,remark\n"
CSV = (
    HEADER
    + 'a,atlas-2,2026-11-16T00:00:00Z,70,1,"two\nlines"\n'
    + "b,'=atlas,2026-11-16 09:00,0.5,false,\n"
    + ",Ætlas,1763251200,,,\n" * 2
).encode()
JSONL = b"".join(
    json.dumps(
        {"prediction_id": f"p{k}", "model_name": "Ætlas", "predicted_at": 1763251200 + k, "final_score": k}
    ).encode()
    + b"\n"
    for k in range(4)
)


def parquet() -> bytes:
    stream = io.BytesIO()
    at = datetime(2026, 11, 16, tzinfo=UTC)
    table = {
        "prediction_id": pa.array(["a", "b", None]),
        "model_name": pa.array(["atlas-2", "Ætlas", "atlas-2"]).dictionary_encode(),
        "predicted_at": pa.array([at, at, at]),
        "final_score": pa.array([70.0, None, 0.5]),
        "tags": pa.array([["x"], [], None]),
    }
    pq.write_table(pa.table(table), stream)
    return stream.getvalue()


SOUND = {"rows.csv": CSV, "rows.csv.gz": gzip.compress(CSV), "rows.jsonl": JSONL, "rows.parquet": parquet()}
# Where, of a thousand parts of the file; how many bytes go; what comes instead.
edits = st.lists(
    st.tuples(
        st.integers(0, 1_000),
        st.integers(0, 40),
        st.binary(max_size=8)
        | st.sampled_from([b"\n", b'"', b",", b"'=", b"\0", b"nan", b"{}", b"\xef\xbb\xbf"]),
    ),
    min_size=1,
    max_size=4,
)


def spoiled(content: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    for where, gone, come in changes:
        at = len(content) * where // 1_000
        content = content[:at] + come + content[at + gone :]
    return content


@pytest.fixture
def survives(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, bytes], None]:
    """Imports bytes as a file of that name, twice: a usual end, sound rows, and nothing new the second time."""
    monkeypatch.setenv("DATABASE_URL", str(sqlite_engine.url))

    def read(name: str, content: bytes) -> dict[str, int]:
        (tmp_path / name).write_bytes(content)
        rejects = str(tmp_path / "rejects.csv")
        status = main(["import", "model_evaluations", str(tmp_path / name), "--json", "--rejects", rejects])
        out, err = capsys.readouterr()
        out.encode(), err.encode()
        assert (status in (1, 2)) if err else (status in (0, 1))
        found = json.loads(out)
        assert ("error" in found) == bool(err)
        assert status == 0 or found["new"] == found["updated"] == found["unchanged"] == 0
        return dict(found)

    def do(name: str, content: bytes) -> None:
        first, second = read(name, content), read(name, content)
        assert (second["new"], second["updated"]) == (0, 0)
        for count in ("read", "rejected", "repeated"):
            assert first[count] == second[count]
        with sqlite_engine.connect().execution_options(readonly=True) as connection:
            assert connection.execute(text("PRAGMA integrity_check(1)")).scalar() == "ok"
            for column in ("prediction_id", "predicted_at", "final_score", "day"):
                kinds = f"SELECT DISTINCT typeof({column}) FROM model_evaluations"
                assert set(connection.execute(text(kinds)).scalars()) <= {"text", "real", "null"}

    return do


@pytest.mark.parametrize("name", SOUND)
def test_sound_files_are_sound(survives: Callable[[str, bytes], None], name: str) -> None:
    survives(name, SOUND[name])


@pytest.mark.parametrize("name", SOUND)
@settings(max_examples=15)
@given(changes=edits)
def test_spoiled_files(
    survives: Callable[[str, bytes], None], name: str, changes: list[tuple[int, int, bytes]]
) -> None:
    survives(name, spoiled(SOUND[name], changes))


@pytest.mark.parametrize("name", [*SOUND, "rows.jsonl.gz"])
@settings(max_examples=10)
@given(
    content=st.binary(max_size=200) | st.text(max_size=100).map(lambda told: told.encode("utf-8", "replace"))
)
def test_bytes_of_any_kind(survives: Callable[[str, bytes], None], name: str, content: bytes) -> None:
    survives(name, content)


@settings(max_examples=15)
@given(cells=st.lists(st.text(max_size=10), max_size=8), delimiter=st.sampled_from(",;\t|"))
def test_text_of_any_kind_below_a_good_header(
    survives: Callable[[str, bytes], None], cells: list[str], delimiter: str
) -> None:
    header = HEADER.replace(",", delimiter)
    survives("rows.csv", (header + delimiter.join(cells) + "\n").encode("utf-8", "surrogatepass"))


@settings(max_examples=10)
@given(
    found=st.dictionaries(
        st.sampled_from(["prediction_id", "model_name", "predicted_at", "final_score"]) | st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters(), max_size=5),
            lambda inner: st.lists(inner, max_size=2),
            max_leaves=3,
        ),
        max_size=5,
    )
)
def test_objects_of_any_kind(survives: Callable[[str, bytes], None], found: dict[str, object]) -> None:
    survives("rows.jsonl", json.dumps(found).encode())
