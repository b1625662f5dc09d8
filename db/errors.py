"""The one kind of error that a person is meant to read."""


class Refused(Exception):
    """Something that was asked cannot be done; the text says what, where and what to do instead.

    `status` is the exit status of a command that ends with it: 1 it failed, 2 the call was wrong.
    """

    def __init__(self, text: str, status: int = 1) -> None:
        super().__init__(text)
        self.status = status
