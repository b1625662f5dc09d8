"""When a newly trained model takes the place of the one in use."""

from jobs.formulas.boosting import Scored

CHANCE = 0.05  # how often "no change" may be beaten by luck alone

NO_BETTER = "no_better"  # no better than "no change" on the newest fold
NO_BETTER_THAN_BEFORE = "no_better_than_before"  # no better than the model in use on the same days
NOT_CLEARLY = "not_clearly"  # its gain on "no change" over all folds may be luck


def why_kept(scored: Scored, guarded: bool = True) -> str | None:
    """Why the model in use stays; None where the new one takes its place.

    Unguarded the newest fold alone decides: on noise it is won in three or four cases of ten.
    """
    if not scored.mae < scored.mae_no_change:
        return NO_BETTER
    if scored.mae_before is not None and not scored.mae < scored.mae_before:
        return NO_BETTER_THAN_BEFORE
    if guarded and not scored.p <= CHANCE:
        return NOT_CLEARLY
    return None
