"""Sets of members: how they are written, and which one a code has."""

import pytest

from jobs.formulas.members import Members, members_from
from jobs.formulas.weight_names import DEFAULT_RULE, RULE_NAMES
from settings import Settings, WrongSetting, load


def test_a_code_has_the_set_of_the_longest_prefix() -> None:
    found = members_from(" chronos, lgbm ; EPEX_=DNN Ensemble,LEAR Ensemble; EPEX_FR=a,b,c;")
    assert found == Members(
        {"": ("chronos", "lgbm"), "EPEX_": ("DNN Ensemble", "LEAR Ensemble"), "EPEX_FR": ("a", "b", "c")}
    )
    assert [found.prefix_of(code) for code in ("EPEX_DE.H1", "EPEX_FR.H1", "EPEX", "005930")] == [
        "EPEX_",
        "EPEX_FR",
        "",
        "",
    ]
    assert found.of("EPEX_FR.H1") == ("a", "b", "c")
    assert found.names == ("chronos", "lgbm", "DNN Ensemble", "LEAR Ensemble", "a", "b", "c")


def test_codes_without_a_prefix_always_have_members() -> None:
    assert members_from("A=x,y").of("B") == ("chronos", "lgbm")
    assert members_from("") == members_from("chronos,lgbm") == load().ensemble_members


def test_sets_are_told_as_they_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "chronos,lgbm; EPEX_=DNN Ensemble,LEAR Ensemble"
    monkeypatch.setenv("ENSEMBLE_MEMBERS", text)
    assert str(load().ensemble_members) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("chronos", "“chronos” is not two or more different names"),
        ("chronos,chronos", "“chronos,chronos” is not two or more different names"),
        ("a,b,a", "is not two or more different names"),
        ("chronos,lgbm; A=", "“” is not two or more different names"),
        ("chronos,ensemble", "“ensemble” is made of the members and is none of them"),
        ("=a,b", "a prefix of codes stands before “=” in “=a,b”"),
        ("a,b; c,d", "codes without a prefix only once"),
        ("A=a,b; A=c,d", "the prefix “A” only once"),
    ],
)
def test_what_is_no_set_is_told(monkeypatch: pytest.MonkeyPatch, text: str, told: str) -> None:
    monkeypatch.setenv("ENSEMBLE_MEMBERS", text)
    with pytest.raises(WrongSetting) as wrong:
        load()
    assert str(wrong.value).startswith(f"ENSEMBLE_MEMBERS got '{text}'; it takes: models that")
    assert told in str(wrong.value)


def test_the_rules_of_the_setting_are_those_that_there_are() -> None:
    field = Settings.model_fields["weight_rule"]
    assert (field.annotation.__args__, field.default) == (RULE_NAMES, DEFAULT_RULE)  # type: ignore[union-attr]


def test_a_rule_for_two_wants_two_members_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIGHT_RULE", "bates_granger")
    monkeypatch.setenv("ENSEMBLE_MEMBERS", "a,b; P=c,d")
    assert load().ensemble_members.can_be_weighed_by(load().weight_rule)
    monkeypatch.setenv("ENSEMBLE_MEMBERS", "a,b; P=c,d,e")
    with pytest.raises(WrongSetting, match=r"WEIGHT_RULE got 'bates_granger'.*weighs two members"):
        load()
    monkeypatch.setenv("WEIGHT_RULE", "best")
    with pytest.raises(WrongSetting, match="WEIGHT_RULE got 'best'; it takes: how members are weighed"):
        load()
