"""Models renamed, merged and retired on Operations: shown first, done, taken back; by operators only."""

from sqlalchemy import select

from db.engine import reading
from db.tables.models import Model
from db.tables.operations import JobRun, ModelChange
from tests.app.test_gate import PASSWORD
from tests.app.test_upload import keys, told


def names(engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.scalars(select(Model.name).order_by(Model.id)))


def changes(engine) -> list[tuple[str, bool]]:
    with reading(engine) as connection:
        found = connection.execute(select(ModelChange.kind, ModelChange.undone_at).order_by(ModelChange.id))
        return [(row.kind, row.undone_at is not None) for row in found]


def press(app, key: str) -> None:
    app.button(key=key).click().run()
    assert not app.exception, app.exception[0].value


def choose(app, kind: str, model: str) -> None:
    app.selectbox(key="model_kind").set_value(kind).run()
    app.selectbox(key="model_model").set_value(model).run()


def test_a_rename_is_shown_done_and_taken_back(open_page, demo_file, engine):
    app = open_page("operations", demo_file)
    first, *others = before = names(engine)
    choose(app, "rename", first)
    assert app.button(key="model_preview").disabled
    app.text_input(key="model_name").set_value("nova-9").run()
    press(app, "model_preview")
    assert f"This would be the outcome: {first} is now called nova-9." in told(app)
    assert names(engine) == before and changes(engine) == []
    press(app, "model_confirm")
    assert names(engine) == ["nova-9", *others] and "model_aggregate" not in keys(app)
    press(app, "model_back")
    assert names(engine) == before and changes(engine) == [("rename", True)]
    assert f"Undone: rename of {first}." in told(app) and "model_back" not in keys(app)


def test_a_merge_that_cannot_be_says_why(open_page, demo_file, engine):
    app = open_page("operations", demo_file)
    first, second, *_others = names(engine)
    choose(app, "merge", first)
    app.selectbox(key="model_into").set_value(second).run()
    press(app, "model_preview")
    assert "in common" in told(app) and "model_confirm" not in keys(app)


def test_another_choice_forgets_what_was_shown(open_page, demo_file, engine):
    app = open_page("operations", demo_file)
    first, second, *_others = names(engine)
    choose(app, "retire", first)
    press(app, "model_preview")
    assert "model_confirm" in keys(app)
    app.selectbox(key="model_model").set_value(second).run()
    assert "model_confirm" not in keys(app)


def test_a_change_is_taken_back_from_the_list(open_page, demo_file, engine):
    app = open_page("operations", demo_file)
    choose(app, "retire", names(engine)[0])
    press(app, "model_preview")
    press(app, "model_confirm")
    app.selectbox(key="model_kind").set_value("undo").run()
    press(app, "model_preview")
    press(app, "model_confirm")
    assert changes(engine) == [("retire", True)]


def test_who_is_no_operator_changes_nothing(open_page, demo_file, engine, monkeypatch):
    app = open_page("operations", demo_file)
    choose(app, "retire", names(engine)[0])
    press(app, "model_preview")
    monkeypatch.setenv("OPERATOR_PASSWORD", PASSWORD)
    press(app, "model_confirm")
    assert changes(engine) == []
    assert "password" in told(app) and "model_preview" not in keys(app)


def test_an_empty_database_has_no_model_to_change(open_page, empty_file, engine):
    app = open_page("operations", empty_file)
    assert app.button(key="model_preview").disabled
    with reading(engine) as connection:
        assert connection.scalar(select(JobRun.id)) is None
