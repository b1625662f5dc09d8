"""What is asked in the demo, and what a good and a poor answer to it are. All of it is invented."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """A question with a good and a poor answer."""

    text: str
    good: str
    poor: str


@dataclass(frozen=True)
class Topic:
    """What people ask about: how good answers usually are, how often it is asked, and what."""

    name: str
    level: float
    usual: float
    questions: tuple[Question, ...]
    grows: float = 0.0  # per week

    def share(self, weeks_ago: int) -> float:
        """How often it is asked, relative to the others."""
        return max(0.02, self.usual - self.grows * weeks_ago)


CHANNELS = ("app", "web", "mail")
TOPICS = (
    Topic(
        "billing",
        6.6,
        0.24,
        (
            Question(
                "Why was I charged twice this month?",
                "The second line is a reservation that your bank drops within three days. If it is still there on "
                "Friday, write to billing and we refund it the same day.",
                "Charges can have many reasons. Please check your account.",
            ),
            Question(
                "Where do I find my invoices?",
                "Settings → Billing → Invoices. Each one can be downloaded as PDF, back to your first month.",
                "Invoices were sent by post until 2019.",
            ),
            Question(
                "Can I pay by bank transfer?",
                "Yes, on yearly plans: choose “Invoice” at checkout and we send the account number with it.",
                "We accept all usual payment methods.",
            ),
        ),
    ),
    Topic(
        "how-to",
        7.4,
        0.3,
        (
            Question(
                "How do I share a report with my team?",
                "Open the report, press Share, choose the team. They get a link by mail and see later changes, too.",
                "You can copy the report into a document and send it around.",
            ),
            Question(
                "How do I change the time zone?",
                "Profile → Preferences → Time zone. Reports that are already scheduled keep the old one until you save "
                "them again.",
                "The time zone is set automatically.",
            ),
            Question(
                "Can I export to a spreadsheet?",
                "Yes: the three dots at the top right of each table, then CSV. The export has all rows, not only the "
                "page you see.",
                "Use a screenshot of the table.",
            ),
        ),
        grows=0.001,
    ),
    Topic(
        "account",
        7.0,
        0.2,
        (
            Question(
                "I cannot log in any more.",
                "Press “Forgot password”: the link in the mail works for one hour. With single sign-on, your own "
                "company resets it.",
                "Please send me your password so that I can check it.",
            ),
            Question(
                "How do I close my account?",
                "Settings → Account → Close. Your data are kept for 30 days in case you come back, then deleted.",
                "I am sorry to hear that you want to leave. What can I do to change your mind?",
            ),
        ),
    ),
    Topic(
        "complaint",
        5.8,
        0.12,
        (
            Question(
                "The new layout is terrible, I want the old one back.",
                "I understand, it moved things you use every day. Under View → Classic the old one stays until March; "
                "I passed on what you miss.",
                "The new layout was tested with many users and is better.",
            ),
            Question(
                "Nobody answered my mail of last week.",
                "I am sorry: I found it, it waited in the wrong queue. A colleague writes to you today; the number is "
                "in your inbox now.",
                "Mails are answered in the order in which they come in.",
            ),
        ),
    ),
    Topic(
        "chit-chat",
        7.8,
        0.14,
        (
            Question(
                "Are you a human?",
                "No, I am an assistant. If you would rather talk to a person, say “agent” and I put you through.",
                "Yes, I am a human.",
            ),
            Question(
                "Tell me something funny.",
                "Why did the dashboard go to therapy? Too many unresolved queries. Can I help with something serious?",
                "I can only answer questions about the product.",
            ),
        ),
    ),
)
