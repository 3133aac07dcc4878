"""One request on its way through intake: what is drafted for which submission, and what has become of it."""

from collections.abc import Sequence

from zongheng.v1.entry_pb2 import Rejected
from zongheng.v1.intake_pb2 import Submission

from node.intake.door import Door, Held, Refused
from node.store.drafts import Draft


class Batch:
    """The submissions of one request as the door answered them. Not shared between requests."""

    def __init__(self, door: Door, submissions: Sequence[Submission]) -> None:
        self.door = door
        self.drafts: list[Draft] = []
        self.of: list[Submission | None] = []
        """Position i: the submission that draft i lets in; None: the draft is a rejection."""
        self.held: list[tuple[Submission, Held]] = []
        self.vaulted: dict[int, Held] = {}
        """By position of the draft, what it was held as."""
        self.rejected: list[Rejected] = []
        self.repeated = 0
        """Known before, through another import or none."""
        self.resent = 0
        """Known before through this import, which a killed process had begun."""
        for submission in submissions:
            admitted = door.admit(submission)
            if isinstance(admitted, Draft):
                self.let_in(submission, admitted)
            elif isinstance(admitted, Held):
                self.held.append((submission, admitted))
            else:
                self.turn_away(submission, admitted)

    def let_in(self, submission: Submission, draft: Draft) -> None:
        self.drafts.append(draft)
        self.of.append(submission)

    @property
    def accepted(self) -> int:
        return sum(submission is not None for submission in self.of)

    def turn_away(self, submission: Submission, refused: Refused) -> None:
        draft, rejected = self.door.rejected(submission, refused)
        self.drafts.append(draft)
        self.of.append(None)
        self.rejected.append(rejected)
