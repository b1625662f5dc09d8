"""Decisions on weights, and the lines of a backtest, in words."""

from db.weight_words import ACTIONS, REASONS, RULES
from language import _

__all__ = ["ACTIONS", "BEST", "ONLY", "REASONS", "RULES", "rule_name"]
ONLY, BEST = "only:", "best_member"


def rule_name(rule: str) -> str:
    """What a line is called: a rule, one member alone, or the one that was best in hindsight."""
    if rule.startswith(ONLY):
        return _("{model} alone").format(model=rule.removeprefix(ONLY))
    if rule == BEST:
        return _("in hindsight")
    return _(RULES[rule]) if rule in RULES else rule
