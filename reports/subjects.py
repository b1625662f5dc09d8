"""What figures are of, in words: the same on page, in the digest and in files."""

from language import N_, _

TOGETHER = "*"  # in verdicts and charts: all answers together
WORDS = {
    "models": N_("Models"),
    "quality": N_("AI quality"),
    "forecasts": N_("Forecasts"),
    "agents": N_("Agents"),
}


def subject_name(word: str, subject: str) -> str:
    """A model's name as it is; what stands for all of a word, or for an unknown one, in words."""
    return _("all answers") if word == "quality" and subject == TOGETHER else segment_name(subject)


def segment_name(value: str) -> str:
    """A value of a dimension as it is; '' in parentheses, since a source may say “unknown” itself."""
    return value or f"({_('unknown')})"
