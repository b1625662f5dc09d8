"""Decisions on ensemble weights in words: the same in commands, on the page and in the digest."""

from jobs.formulas import weight_names as names
from language import N_

ACTIONS = {
    names.UPDATED: N_("adjusted"),
    names.SKIPPED_INSUFFICIENT: N_("too little data"),
    names.SKIPPED_MISSING_MODEL: N_("a model is missing"),
    names.REMOVED: N_("no member any more"),
    names.UNDONE: N_("undone"),
}
REASONS = {
    names.AS_MEASURED: N_("as measured"),
    names.AT_A_LIMIT: N_("as measured, held at the least or largest weight"),
    names.ALL_WRONG: N_("no member got one direction right: equal weights"),
    names.LEFT_OUT: N_("as measured; members with under 10 outcomes have weight 0"),
    names.FROM_ALL_CODES: N_("no outcomes of its own: weighed as all codes of the horizon"),
    names.FIXED: N_("equal weights, whatever happened"),
    names.FEW_OUTCOMES: N_("fewer than two members have 10 outcomes: the weights stay"),
    names.NO_OUTCOMES: N_("no outcomes: the weights stay"),
    names.ONE_MEMBER: N_("only one member has outcomes: the weights stay"),
    names.NO_MEMBER: N_("it is no member any more: its weight is gone"),
    names.MEMBERS_CHANGED: N_("other members than before, and not all can be weighed: as at the start"),
    names.TAKEN_BACK: N_("back to the weight from before"),
}
RULES = {
    names.HIT_RATE: N_("by hit rates"),
    names.INVERSE_MSE: N_("by squared errors, each code's drawn towards all codes"),
    names.BATES_GRANGER: N_("by errors and how they go together, half way to equal"),
    names.EQUAL: N_("equal"),
}
