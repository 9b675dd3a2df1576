"""The errors of this project, as one tree.

    HookwrightError
    ├── InvalidSpec                 the user must mend an object; never retried
    ├── InvalidExpression           a JSONPath expression that is refused
    ├── NotAuthentic                a request that a scheme refuses (401)
    ├── Unreadable                  a body that is no payload (400, 413, 415)
    ├── JournalError
    │   ├── JournalUnwritable       not on disk, so not accepted (503); trying again helps
    │   ├── JournalCrowded          what waits has taken all that it may (503); trying again helps once that is mended
    │   ├── RowError                (in `journal`) a row that is too large: trying again does not help
    │   ├── HistoryOff              (in `journal`) the record of outcomes cannot be read; deliveries are not affected
    │   └── JournalLocked           another process has this journal; trying again does not help
    ├── ClusterError                the API server's refusal, or its absence
    ├── ProviderError               a provider's refusal to say more of an event, or its absence
    ├── Unready                     something in the cluster that must be there, or be mended, first: waited for
    └── UsageError                  wrong words on a command line, or a wrong setting (exit code 2)

Messages are for users: what, where, which value, what to do. None carries a secret, a signature or a payload.
"""

from __future__ import annotations


class HookwrightError(Exception):
    """The root; its text can be shown to a user as it is."""

    @property
    def message(self) -> str:
        """The text for the user."""
        return str(self.args[0]) if self.args else ""


class InvalidSpec(HookwrightError):
    """A spec that only its author can mend.

    `code` is AWS's name of the error, `field` the path of the field in the object (`spec.filters[0].jsonPath`).
    """

    def __init__(self, message: str, *, code: str, field: str) -> None:
        super().__init__(message)
        self.code = code
        self.field = field


class InvalidExpression(HookwrightError):
    """A JSONPath expression that is refused: it says why, and gives a rewrite where there is one."""


class NotAuthentic(HookwrightError):
    """A request that a scheme refuses.

    `reason` is for us and for the object's owner, never for the caller: all refusals look alike from outside.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class Unreadable(HookwrightError):
    """A body that is no payload; `reason` says in which way."""

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class JournalError(HookwrightError):
    """The journal cannot do what was asked."""


class JournalUnwritable(JournalError):
    """A write did not reach the disk, or the journal's queue is full: nothing was accepted, trying again helps."""


class JournalCrowded(JournalError):
    """What waits takes all the room that it may, or its namespace's part: not accepted, trying again helps later."""


class JournalLocked(JournalError):
    """Another process works on this journal."""


class ClusterError(HookwrightError):
    """The API server's refusal, or its absence.

    `status` is the HTTP status, 0 if there was no answer; `reason` is Kubernetes' own (`AlreadyExists`, `Forbidden`).
    `retry_after` is in how many seconds a server that is too busy for a request (429) wants it again.
    """

    def __init__(self, message: str, *, status: int, reason: str = "", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after

    @property
    def transient(self) -> bool:
        """Whether the same request may succeed later without anybody mending an object or a right.

        401 counts: it means that our own credentials have expired, which is no verdict on the request. So does 409,
        unless the object is there already: others write at the same time, to a quota for instance.
        """
        if self.status == 409:  # noqa: PLR2004 - Conflict
            return self.reason != "AlreadyExists"
        return self.status in (0, 401, 408, 429) or self.status >= 500  # noqa: PLR2004 - HTTP's server errors

    @property
    def namespace_ends(self) -> bool:
        """Whether nothing new may come into a namespace that is being deleted, in kube-apiserver's words."""
        return self.status == 403 and "because it is being terminated" in self.message  # noqa: PLR2004 - Forbidden


class ProviderError(HookwrightError):
    """A provider's API did not say what it was asked for; `transient` says whether asking again may help."""

    def __init__(self, message: str, *, transient: bool) -> None:
        super().__init__(message)
        self.transient = transient


class Unready(HookwrightError):
    """Something in the cluster that must be there, or be mended, before this process can work; it waits for it."""


class UsageError(HookwrightError):
    """Wrong words on a command line, or a setting that cannot be."""
