"""What rules, actions and reasons of ensemble weights are called in the database; defined without the arithmetic."""

HIT_RATE, INVERSE_MSE, BATES_GRANGER, EQUAL = RULE_NAMES = (
    "hit_rate",
    "inverse_mse",
    "bates_granger",
    "equal",
)
DEFAULT_RULE = HIT_RATE
FOR_TWO = (BATES_GRANGER,)  # rules that know two members only

UPDATED, SKIPPED_INSUFFICIENT, SKIPPED_MISSING_MODEL = ACTIONS = (
    "updated",
    "skipped_insufficient",
    "skipped_missing_model",
)
# What the ledger tells besides: a model that is no member any more lost its weight; a run was taken back.
REMOVED, UNDONE = "removed", "undone"

REASONS = (
    AS_MEASURED := "as_measured",  # the rule's formula, and nothing else
    AT_A_LIMIT := "at_a_limit",  # a member would have less than the least that each has
    ALL_WRONG := "all_wrong",  # no member got one direction right: equal
    LEFT_OUT := "left_out",  # members with too few outcomes have weight 0, the others share
    FROM_ALL_CODES := "from_all_codes",  # the code has no outcomes of its own: as all codes of the horizon
    FIXED := "fixed",  # nothing is measured
    FEW_OUTCOMES := "few_outcomes",  # under two members with ten outcomes
    NO_OUTCOMES := "no_outcomes",
    ONE_MEMBER := "one_member",  # no member but one has outcomes
)
NO_MEMBER = "no_member"  # it is no member any more
MEMBERS_CHANGED = (
    "members_changed"  # skipped, and what is in force was made for other members: as at the start
)
TAKEN_BACK = "taken_back"  # the weight from before the run that was undone


def rules_for(members: int) -> tuple[str, ...]:
    """The rules that can weigh so many members."""
    return tuple(name for name in RULE_NAMES if members == 2 or name not in FOR_TWO)


def starting_weights(members: tuple[str, ...]) -> tuple[float, ...]:
    """The weights in force before any was computed: 0.6/0.4 for chronos and lgbm, equal for others."""
    known = {"chronos": 0.6, "lgbm": 0.4}
    if set(members) == set(known):
        return tuple(known[name] for name in members)
    return (1 / len(members),) * len(members)
