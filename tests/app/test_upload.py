"""A file through the browser: checked, reported, confirmed; by operators only, and nothing of it stays on the disk."""

import tempfile
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text
from streamlit.testing.v1 import AppTest

from db.clock import utc_now
from db.engine import reading
from db.tables.models import Model, ModelEvaluation
from db.tables.operations import JobRun
from tests.app.conftest import ROOT
from tests.app.test_gate import OUTSIDE, PASSWORD, shut, unlock

HEADER = "prediction_id,model_name,predicted_at,evaluated_at,final_score\n"
GOOD = "p-1,nova-1,2026-11-10T09:00:00Z,2026-11-11T09:00:00Z,71.5\n"
BAD = "p-2,nova-1,2026-11-10T09:00:00Z,2026-11-11T09:00:00Z,many\n"
PATIENCE = 20  # runs of the page, each of which waits for the thread


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch) -> Path:
    """Where temporary files of this test go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def rows(engine) -> int:
    with reading(engine) as connection:
        return connection.scalar(select(func.count()).select_from(ModelEvaluation))


def upload(app: AppTest, content: str | bytes, name: str = "mine.csv") -> None:
    sent = content.encode() if isinstance(content, str) else content
    app.file_uploader[0].set_value((name, sent, "text/csv")).run()
    settle(app)


def settle(app: AppTest) -> None:
    """Draws the page until no thread is at work; a test has no browser that asks by itself."""
    for _look in range(PATIENCE):
        assert not app.exception, app.exception[0].value
        if not app.session_state["_upload"] or not app.session_state["_upload"].is_at_work:
            app.run()
            return
        app.run()
    pytest.fail("the thread does not end")


def press(app: AppTest, key: str) -> None:
    app.button(key=key).click().run()
    settle(app)


def told(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.error, app.toast)
    return "\n".join(str(element.value) for kind in kinds for element in kind).replace("\\", "")


def counts(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.main.metric}


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.main.button}


def test_a_file_is_checked_shown_confirmed_and_written(open_page, empty_file, engine, own_folder):
    app = open_page("operations", empty_file)
    upload(app, HEADER + GOOD + BAD)
    assert rows(engine) == 0, "a check writes nothing"
    assert counts(app) == {"Read": "2", "New": "1", "Updated": "0", "Unchanged": "0", "Rejected": "1"}
    assert "new models: nova-1" in told(app)
    (rejected,) = [frame.value for frame in app.dataframe if "reason" in frame.value]
    assert rejected.values.tolist() == [[3, "final_score", "“many” is not a number"]]
    assert app.button(key="import_confirm").label == "Import 1 row"
    press(app, "import_confirm")
    assert rows(engine) == 1
    assert "imported" in told(app) and "import_confirm" not in keys(app)
    press(app, "import_aggregate")
    with engine.connect() as connection:
        assert connection.execute(select(JobRun.job, JobRun.status, JobRun.params)).all() == [
            ("aggregate_models", "queued", {})
        ]
    assert list(own_folder.iterdir()) == []


def test_rejected_rows_can_be_taken_away_mended_and_imported(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    upload(app, HEADER + GOOD + BAD)
    kept = app.session_state["_upload"].rejects.decode()
    assert kept.splitlines()[0] == HEADER.strip() + ",_line,_reason"
    upload(app, kept.replace("many", "50"), "mended.csv")
    assert counts(app)["New"] == "1" and "mended.csv" in told(app)
    press(app, "import_confirm")
    assert rows(engine) == 1


def test_the_same_file_again_has_nothing_to_import(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    for _time in range(2):
        upload(app, HEADER + GOOD)
        if "import_confirm" in keys(app):
            press(app, "import_confirm")
    assert "There is nothing to import" in told(app)
    assert counts(app)["Unchanged"] == "1" and rows(engine) == 1


def test_advice_is_for_the_page(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    upload(app, "model_name,predicted_at,final_score\nnova-1,2026-11-10T09:00:00Z,50\n")
    assert "such as predicted_at: choose that under Columns" in told(app).replace("\\", "")
    assert "--set" not in told(app).replace("\\", "")


def test_a_file_whose_rows_are_all_rejected(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    upload(app, "model_name,zeit,final_score\nnova-1,2026-11-10T09:00:00Z,50\n")
    assert "all rows were rejected" in told(app)
    assert "no row is new" not in told(app)
    reasons = " ".join(app.session_state["_upload"].report.reasons)
    assert "(it has zeit): choose that under Columns" in reasons


def test_the_first_import_takes_the_demo_out_and_says_so_before(open_page, demo_file, engine):
    app = open_page("operations", demo_file)
    upload(app, HEADER + GOOD)
    assert "The import takes the simulated data out" in told(app)
    before = rows(engine)
    assert before > 1
    press(app, "import_confirm")
    assert rows(engine) == 1
    assert "The simulated data were taken out" in told(app)


def test_columns_of_other_names_are_chosen_and_checked_again(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    upload(app, "algorithm,when,points\nnova-1,2026-11-10T09:00:00Z,50\n")
    assert "No column of the file is known here" in told(app)
    number = app.session_state["_upload"].number
    chosen = {
        "model_name": "algorithm",
        "predicted_at": "when",
        "evaluated_at": "when",
        "final_score": "points",
    }
    for ours, theirs in chosen.items():
        assert set(chosen.values()) == set(app.selectbox(key=f"import_{number}_{ours}").options)
        app.selectbox(key=f"import_{number}_{ours}").set_value(theirs)
    next(button for button in app.main.button if button.label == "Check again").click().run()
    settle(app)
    assert counts(app)["New"] == "1" and not app.error
    press(app, "import_confirm")
    with engine.connect() as connection:
        stored = connection.execute(
            select(Model.name, ModelEvaluation.final_score, ModelEvaluation.evaluated_at.is_not(None)).join(
                Model
            )
        ).one()
    assert stored == ("nova-1", 50, True)


WRONG = {
    "a spreadsheet": ("r.xlsx", b"PK\x03\x04", "the ending must be one of"),
    "a spreadsheet under another name": ("r.csv", b"PK\x03\x04", "r.csv is a spreadsheet"),
    "nothing": ("r.csv", b"", "r.csv is empty"),
    "no text": ("r.csv", HEADER.encode() + b"\xff\xfe\n", "r.csv, line 2: this is not UTF-8"),
    "broken off": ("r.csv.gz", b"\x1f\x8b\x08", "r.csv.gz is damaged"),
    "no parquet": ("r.parquet", b"PAR1", "r.parquet is no Parquet file"),
    "a path": ("../../etc/r.csv", b"", "../../etc/r.csv is empty"),
    "an absolute path": ("/etc/passwd", b"root", "/etc/passwd: the ending must be"),
    "markup": ("<b>*x*</b>.csv", b"", "<b>*x*</b>.csv is empty"),
    "a name that hides": ("a\0\u202e.csv", b"", r"a\x00\u202e.csv is empty".replace("\\", "")),
}


@pytest.mark.parametrize(("name", "content", "says"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_refused_in_words(open_page, empty_file, engine, own_folder, name, content, says):
    app = open_page("operations", empty_file)
    upload(app, content, name)
    assert says in told(app)
    assert str(own_folder) not in told(app)
    assert "import_confirm" not in keys(app) and rows(engine) == 0
    assert list(own_folder.iterdir()) == []


def test_another_file_or_none_takes_the_place_of_the_first(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    upload(app, HEADER + GOOD, "first.csv")
    upload(app, HEADER + GOOD + GOOD.replace("p-1", "p-9"), "second.csv")
    assert "first.csv" not in told(app) and app.button(key="import_confirm").label == "Import 2 rows"
    app.file_uploader[0].set_value(None).run()
    assert "second.csv" not in told(app) and "import_confirm" not in keys(app)


def test_a_page_switch_keeps_what_was_found_out(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    upload(app, HEADER + GOOD)
    app.switch_page("views/overview.py").run()
    app.switch_page("views/operations.py").run()
    assert "mine.csv" in told(app)
    press(app, "import_confirm")
    assert rows(engine) == 1


def test_a_page_switch_in_the_middle_of_writing_loses_nothing(open_page, empty_file, engine, monkeypatch):
    app = open_page("operations", empty_file)
    upload(app, HEADER + "".join(GOOD.replace("p-1", f"p-{n}") for n in range(500)))
    go_on, begun = threading.Event(), threading.Event()

    def hold(connection, cursor, statement, *_rest):
        if statement.startswith("INSERT INTO model_evaluations"):
            begun.set()
            go_on.wait(30)

    event.listen(engine, "before_cursor_execute", hold)
    try:
        app.button(key="import_confirm").click().run()
        assert begun.wait(10)
        assert "Importing mine.csv" in told(app) and app.file_uploader[0].proto.disabled
        app.switch_page("views/overview.py").run()
        assert rows(engine) == 0, "it is inside the transaction"
    finally:
        go_on.set()
    app.switch_page("views/operations.py").run()
    settle(app)
    assert rows(engine) == 500 and "imported" in told(app)
    assert not app.file_uploader[0].proto.disabled


def test_many_confirmations_at_once_import_once(open_page, empty_file, engine, monkeypatch):
    app = open_page("operations", empty_file)
    upload(app, HEADER + GOOD)
    held, begun = app.session_state["_upload"], list[str]()
    begin = held._begin
    monkeypatch.setattr(held, "_begin", lambda step, *rest: (begun.append(step), begin(step, *rest)))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _click: held.write(utc_now()), range(8)))
    settle(app)
    assert begun == ["importing"] and rows(engine) == 1


def test_a_database_that_fails_half_way_is_told_and_can_be_tried_again(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    upload(app, HEADER + GOOD)
    with engine.begin() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER full BEFORE INSERT ON model_evaluations BEGIN SELECT RAISE(FAIL, 'full'); END"
            )
        )
    press(app, "import_confirm")
    assert "Import the file again" in told(app) and rows(engine) == 0
    with engine.begin() as connection:
        connection.execute(text("DROP TRIGGER full"))
    next(button for button in app.main.button if button.label == "Check again").click().run()
    settle(app)
    press(app, "import_confirm")
    assert rows(engine) == 1


def test_an_error_of_our_own_ends_the_work_and_says_so(open_page, empty_file, own_folder, monkeypatch):
    app = open_page("operations", empty_file)
    monkeypatch.setattr("dashboard.uploads.import_file", lambda *a, **k: 1 / 0)
    monkeypatch.setattr(threading, "excepthook", lambda _failure: None)
    upload(app, HEADER + GOOD)
    assert "It broke off" in told(app)
    assert list(own_folder.iterdir()) == []


def test_the_limit_is_the_server_s_and_larger_files_have_a_command(open_page, empty_file):
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["maxUploadSize"] == 200
    app = open_page("operations", empty_file)
    assert "Up to 200 MB; larger files by the command: python -m db import model_evaluations FILE" in told(
        app
    )
    assert "files of up to 200 MB" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_of_very_many_rejected_rows_the_first_are_shown_and_a_command_keeps_all(
    open_page, empty_file, monkeypatch
):
    monkeypatch.setattr("dashboard.uploads.REJECTS_BYTES", 1_000)
    app = open_page("operations", empty_file)
    upload(app, HEADER + BAD * 120)
    assert "120 rows were rejected · above the first 100, below all reasons · too many" in told(app)
    assert "120 rows: final_score is not a number (lines 2, 3, 4, …)" in told(app)
    assert not app.get("download_button")


def test_every_text_is_translated(open_page, empty_file, quoting):
    app = open_page("operations", empty_file)
    upload(app, "model,when,final_score\nnova-1,2026-11-10T09:00:00Z,5\n")
    assert app.session_state["_upload"].step == "checked" and app.get("download_button")
    for element in [*app.main.caption, *app.main.metric, *app.main.button, *app.main.file_uploader]:
        assert "«" in (element.value if element.type == "caption" else element.label), element
    upload(app, "nothing", "x.xlsx")
    assert "«" in app.error[0].value


@shut
def test_outsiders_are_offered_nothing(open_page, empty_file, monkeypatch, settings):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    app = open_page("operations", empty_file)
    assert "Import a file" in told(app) and not app.file_uploader
    assert "password" in told(app).lower()


@shut
def test_a_confirmation_after_the_gate_was_shut_writes_nothing(
    open_page, empty_file, engine, monkeypatch, settings
):
    """The page was drawn when it was open, so that nothing but the callback itself stands in the way."""
    app = open_page("operations", empty_file)
    upload(app, HEADER + GOOD)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    app.button(key="import_confirm").click().run()
    assert rows(engine) == 0
    assert [toast for toast in app.toast if "password" in toast.value.lower()]
    assert not app.file_uploader and "mine.csv" not in told(app)


@shut
def test_a_file_sent_after_the_gate_was_shut_is_not_looked_at(
    open_page, empty_file, own_folder, monkeypatch, settings
):
    app = open_page("operations", empty_file)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("dashboard.uploads.Upload", lambda *_a: pytest.fail("something was made of it"))
    app.file_uploader[0].set_value(("mine.csv", (HEADER + GOOD).encode(), "text/csv")).run()
    assert not app.exception and not app.session_state["_upload"]
    assert list(own_folder.iterdir()) == []


def take_and_write() -> None:
    """What the callbacks do, without the page around them."""
    import streamlit as st

    from dashboard import uploads
    from db.clock import utc_now
    from db.errors import Refused
    from db.importing.received import Received

    class File:
        name = "mine.csv"

        def getvalue(self):
            st.text("it was read")

    content = b"model_name,predicted_at\nnova-1,2026-11-10T09:00:00Z\n"
    checked = uploads.Upload("model_evaluations", Received("mine.csv", content))
    for attempt in (
        lambda: uploads.take("model_evaluations", File(), utc_now()),
        lambda: checked.check({}, utc_now()),
        lambda: (setattr(checked, "step", "checked"), checked.write(utc_now())),
    ):
        try:
            attempt()
        except Refused as refused:
            st.text(f"refused: {refused}")
    checked.wait(10)


@shut
def test_no_way_in_for_an_outsider_who_calls_directly(
    show, empty_file, engine, own_folder, monkeypatch, settings
):
    show(empty_file)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    app = AppTest.from_function(take_and_write, default_timeout=60).run()
    assert not app.exception
    assert [shown.value.partition(":")[0] for shown in app.text] == ["refused"] * 3
    assert rows(engine) == 0 and list(own_folder.iterdir()) == []


def test_the_password_opens_the_card(open_page, empty_file, engine, monkeypatch):
    for name, value in (OUTSIDE | {"OPERATOR_PASSWORD": PASSWORD}).items():
        monkeypatch.setenv(name, value)
    app = open_page("operations", empty_file)
    unlock(app, PASSWORD)
    upload(app, HEADER + GOOD)
    press(app, "import_confirm")
    assert rows(engine) == 1
