"""The catalogue of reasons: for each what became of a delivery, the HTTP answer, a sentence, and what to do.

Reasons are part of the API: users read them in answers, status, Kubernetes Events and logs, and alert on them.
A test fails on a reason that nothing gives and on a reason's name written out anywhere else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What became of a delivery."""

    STARTED = "started"
    PENDING = "pending"
    DUPLICATE = "duplicate"
    PING = "ping"
    IGNORED = "ignored"
    SUSPENDED = "suspended"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True, eq=False)  # each is there once, so it is itself that is compared
class Reason:
    """Why a delivery came out as it did.

    `status` is the HTTP answer; None for what is only known after the answer. `remedy` is empty where nothing is wrong.
    """

    name: str
    outcome: Outcome
    status: int | None
    sentence: str
    remedy: str = ""

    def __str__(self) -> str:
        return self.name


CATALOGUE: dict[str, Reason] = {}


def _reason(name: str, outcome: Outcome, status: int | None, sentence: str, remedy: str = "") -> Reason:
    reason = Reason(name=name, outcome=outcome, status=status, sentence=sentence, remedy=remedy)
    CATALOGUE[name] = reason
    return reason


def _ignored(name: str, sentence: str, remedy: str = "") -> Reason:
    return _reason(name, Outcome.IGNORED, 200, sentence, remedy)


def _unavailable(name: str, sentence: str, remedy: str) -> Reason:
    return _reason(name, Outcome.REFUSED, 503, sentence, remedy)


def _failed(name: str, sentence: str, remedy: str = "") -> Reason:
    return _reason(name, Outcome.FAILED, None, sentence, remedy)


# ── answered at once ──────────────────────────────────────────────────────────────────────────────────────────────

ACCEPTED = _reason(
    "Accepted", Outcome.STARTED, 202, "The delivery is on disk, and the builds named here are being created."
)
FACTS_WANTED = _reason(
    "FactsWanted",
    Outcome.PENDING,
    202,
    "The delivery is accepted. Whether it starts a build depends on what the provider is asked for now.",
)
TARGET_MISSING = _reason(
    "TargetMissing",
    Outcome.PENDING,
    202,
    "The delivery is on disk; its target does not exist now, and is waited for.",
    "Create the target, or correct spec.targetPipeline.",
)
ALREADY_DELIVERED = _reason(
    "AlreadyDelivered", Outcome.DUPLICATE, 200, "A delivery with this id has started a build, or still will."
)
PING = _reason("Ping", Outcome.PING, 200, "The sender tries the URL; it works, and the signature is right.")
FILTERED_OUT = _ignored(
    "FilteredOut",
    "A filter of the Webhook does not match the payload.",
    "Compare the filter with the payload: hookwright explain -f FILE --payload FILE --headers FILE.",
)
NO_GROUP_PASSED = _ignored(
    "NoGroupPassed",
    "No filter group of the BuildTrigger passes.",
    "Compare the groups with what happened: hookwright explain bt/NAME --payload FILE --headers FILE.",
)
BRANCH_FILTERED_OUT = _ignored("BranchFilteredOut", "It did not happen on a branch that spec.branchFilter matches.")
EVENT_NOT_BUILT = _ignored(
    "EventNotBuilt",
    "Without filter groups only pushes and pull requests that are created or updated start builds.",
    "Name the event in spec.filterGroups.",
)
REF_DELETED = _ignored("RefDeleted", "A branch or tag was deleted, so there is nothing to build.")
FORK_NOT_BUILT = _ignored(
    "ForkNotBuilt",
    "The commit is one of a pull request from a fork, or may be; its code is not run.",
    "If it is to run after all, read it, and start a build of its commit by hand.",
)
OTHER_REPOSITORY = _ignored(
    "OtherRepository",
    "It did not happen in the repository, organization or group that spec.source names.",
    "Correct spec.source, or remove the URL from the Git host where it does not belong.",
)
SKIPPED_BY_MESSAGE = _ignored(
    "SkippedByMessage",
    "The commit's message asks for no build, by [skip ci] or another such mark.",
    "Set spec.skipCI to false if such marks are not to count.",
)
FACTS_UNKNOWN = _ignored(
    "FactsUnknown",
    "It depends on changed files or a commit message that the payload does not say, and the provider is not asked.",
    "Push fewer commits at once, and none by force, or put into a group of its own what does not depend on them.",
)
SUSPENDED = _reason(
    "Suspended",
    Outcome.SUSPENDED,
    200,
    "The object is suspended: spec.suspend is true.",
    "Set spec.suspend to false, then redeliver.",
)
NOT_AN_EVENT = _ignored(
    "NotAnEvent",
    "What the Git host tells of is none of the events by which builds are started.",
)
EVENT_UNREADABLE = _ignored(
    "EventUnreadable",
    "The payload lacks what every event of its kind has, or has it in another form.",
    "See that spec.source.provider names the Git host that sends.",
)
TOO_MANY_CHANGES = _reason(
    "TooManyChanges",
    Outcome.REFUSED,
    413,
    "The push changed more than 1,000 branches and tags, or more than 100 would be built, so that none is.",
    "Push fewer of them at once.",
)
BODY_UNREADABLE = _reason(
    "BodyUnreadable",
    Outcome.REFUSED,
    400,
    "The body is not JSON: UTF-8, no NaN or Infinity, at most 200 levels deep.",
    "Send JSON.",
)
BODY_INCOMPLETE = _reason(
    "BodyIncomplete", Outcome.REFUSED, 400, "The body ended early, or took too long.", "Send it again."
)
LENGTH_AMBIGUOUS = _reason(
    "LengthAmbiguous",
    Outcome.REFUSED,
    400,
    "The request can be read in two ways as to where its body ends.",
    "Send one Content-Length, or Transfer-Encoding: chunked and nothing else in it.",
)
NOT_AUTHENTIC = _reason(
    "NotAuthentic",
    Outcome.REFUSED,
    401,
    "The delivery is not authentic.",
    "Whoever may read the object that has the URL finds in its status what is wrong.",
)
SIGNATURE_MISSING = _reason(
    "SignatureMissing",
    Outcome.REFUSED,
    401,
    "The delivery carries no signature, or one of another form.",
    "Set the secret at the Git host: it signs only then.",
)
SIGNATURE_MISMATCH = _reason(
    "SignatureMismatch",
    Outcome.REFUSED,
    401,
    "The signature was not made with the secret over this body.",
    "Set the same secret at the Git host and in the Secret (mind a newline at its end).",
)
TOKEN_MISSING = _reason(
    "TokenMissing",
    Outcome.REFUSED,
    401,
    "The delivery carries no token or password, or one of another form.",
    "Set the secret at the sender, and see that the object names the way in which it sends it.",
)
TOKEN_MISMATCH = _reason(
    "TokenMismatch",
    Outcome.REFUSED,
    401,
    "The token or password is not the secret.",
    "Set the same secret at the sender and in the Secret (mind a newline at its end).",
)
TIMESTAMP_MISSING = _reason(
    "TimestampMissing",
    Outcome.REFUSED,
    401,
    "The delivery does not say when it was sent, or not in seconds since 1970.",
    "See that the sender sends the time in the header that the scheme names.",
)
TIMESTAMP_OUT_OF_WINDOW = _reason(
    "TimestampOutOfWindow",
    Outcome.REFUSED,
    401,
    "The delivery was sent too long ago, or in the future.",
    "Set the clocks right; raise toleranceSeconds only if the sender is really that slow.",
)
ADDRESS_NOT_ALLOWED = _reason(
    "AddressNotAllowed",
    Outcome.REFUSED,
    403,
    "The caller's address is not in allowedIPRange.",
    "Correct allowedIPRange; behind a proxy, name it in HOOKWRIGHT_TRUSTED_PROXIES.",
)
RATE_LIMITED = _reason(
    "RateLimited",
    Outcome.REFUSED,
    429,
    "More deliveries came than spec.rateLimit of the Webhook allows.",
    "Send again later, or raise spec.rateLimit.",
)
ADDRESS_LIMITED = _reason(
    "AddressLimited",
    Outcome.REFUSED,
    429,
    "More requests came from this address to this URL than HOOKWRIGHT_ADDRESS_LIMIT allows, and none proved authentic.",
    "Send again later; if it is the address of a proxy, name the proxy in HOOKWRIGHT_TRUSTED_PROXIES.",
)
URL_UNKNOWN = _reason(
    "URLUnknown",
    Outcome.REFUSED,
    404,
    "No object has this URL.",
    "Send to status.url of the Webhook, or status.payloadUrl of the BuildTrigger.",
)
METHOD_NOT_ALLOWED = _reason(
    "MethodNotAllowed", Outcome.REFUSED, 405, "Deliveries are sent by POST.", "Send it by POST."
)
BODY_TOO_LARGE = _reason(
    "BodyTooLarge",
    Outcome.REFUSED,
    413,
    "The body is larger than spec.maxBodyBytes of the Webhook, or than 25 MiB for a BuildTrigger.",
    "Raise spec.maxBodyBytes, or send less.",
)
PAYLOAD_TOO_COMPLEX = _reason(
    "PayloadTooComplex",
    Outcome.REFUSED,
    413,
    "The payload is too large for the filters of the object, or has too many values for its expressions.",
    "Write paths that lead to one value ($.ref) instead of .., [*] and [?()], simpler or fewer patterns, or send less.",
)
CONTENT_TYPE_UNSUPPORTED = _reason(
    "ContentTypeUnsupported",
    Outcome.REFUSED,
    415,
    "The body is not declared as application/json.",
    "Choose application/json as content type at the Git host.",
)
PARAMETERS_TOO_LARGE = _reason(
    "ParametersTooLarge",
    Outcome.REFUSED,
    413,
    "What the build would receive of the delivery is larger than 1 MiB.",
    "Take less of the payload into spec.parameters.",
)
BUSY = _unavailable(
    "Busy",
    "The receiver holds as many bodies as it may; the delivery is not accepted.",
    "Send again later; if it stays so, raise HOOKWRIGHT_BODY_MEMORY or run more receivers.",
)
UNEXPECTED = _unavailable(
    "Unexpected",
    "Hookwright failed, by a mistake of its own; the delivery is not accepted.",
    "Look into the receiver's log, and report what it says.",
)
JOURNAL_UNWRITABLE = _unavailable(
    "JournalUnwritable",
    "The delivery could not be written to disk, so it is not accepted.",
    "Look at the receiver's volume: is it full or read-only?",
)
JOURNAL_CROWDED = _unavailable(
    "JournalCrowded",
    "So many deliveries of the namespace wait for their builds that the journal has no room for more of it.",
    "Mend what they wait for: create the missing targets, or give the rights; send again once they have started.",
)
SECRET_UNUSABLE = _unavailable(
    "SecretUnusable",
    "The object's Secret cannot be used, so nobody can be recognised.",
    "See errorMessage in the object's status; if there is none, give receivers the verb get on that Secret.",
)
SPEC_INVALID = _unavailable("SpecInvalid", "The object's spec is invalid.", "See errorMessage in the object's status.")

# ── known after the answer ────────────────────────────────────────────────────────────────────────────────────────

FACTS_DELAYED = _reason(
    "FactsDelayed",
    Outcome.PENDING,
    None,
    "The provider did not say now what the filters look at; it is asked again.",
    "Nothing, unless it stays so: then look at the provider.",
)
START_DELAYED = _reason(
    "StartDelayed",
    Outcome.PENDING,
    None,
    "The API server did not take the build now; it is tried again until it does.",
    "Nothing, unless it stays so: then look at the API server.",
)
QUOTA_EXCEEDED = _reason(
    "QuotaExceeded",
    Outcome.PENDING,
    None,
    "A ResourceQuota of the namespace does not let the build in now; it is tried again until it does.",
    "Nothing, if builds end and make room; else raise the quota, or remove what has it.",
)
BUILD_UNSEEN = _reason(
    "BuildUnseen",
    Outcome.PENDING,
    None,
    "An object has the build's name, and Hookwright may not see whether it is this delivery's build.",
    "Give Hookwright the verb get on jobs; it is looked for again until then.",
)
BUILD_CREATED = _reason("BuildCreated", Outcome.STARTED, None, "The build was created.")
TARGET_STAYED_MISSING = _failed(
    "TargetStayedMissing",
    "The target did not exist when the build was to start, and did not come in time.",
    "Create the target, then redeliver.",
)
TARGET_REPLACED = _failed(
    "TargetReplaced",
    "The BuildTrigger that took it was deleted, and another has its name.",
    "Enter the URL of the new one at the Git host.",
)
TARGET_INVALID = _failed(
    "TargetInvalid",
    "The target cannot make a build.",
    "See errorMessage in the target's status, mend it, then redeliver.",
)
IMPERSONATION_FORBIDDEN = _failed(
    "ImpersonationForbidden",
    "Hookwright may not act as the build's ServiceAccount.",
    "Give it the verb impersonate on that ServiceAccount by a Role in this namespace, then redeliver.",
)
BUILD_FORBIDDEN = _failed(
    "BuildForbidden",
    "The build's ServiceAccount may not create the build, or a policy forbids it.",
    "Give the ServiceAccount the verb create on the build's kind by a Role in this namespace, then redeliver.",
)
BUILD_INVALID = _failed(
    "BuildInvalid",
    "The API server refuses the build as invalid.",
    "Mend the target's template, then redeliver.",
)
BUILD_NAME_TAKEN = _failed(
    "BuildNameTaken",
    "Another object already has the build's name, and it is not of this delivery.",
    "Remove that object, then redeliver.",
)
NAMESPACE_GONE = _failed("NamespaceGone", "The namespace of the object is gone, or is being deleted.")

# ── known of builds that are asked for by hand ────────────────────────────────────────────────────────────────────

START_REQUEST_INVALID = _failed(
    "StartRequestInvalid",
    "The annotation that asks for a build has a value that is too long, or cannot be printed.",
    "Write another, such as the time.",
)
START_VALUE_USED = _failed(
    "StartValueUsed",
    "The value that asks for a build was used before, and its Job, which is still there, is of something else.",
    "Write another, such as the time.",
)
START_REPOSITORY_MISSING = _failed(
    "StartRepositoryMissing",
    "The BuildTrigger is one of an organization or a group, and nothing says which of its repositories to build.",
    "Ask it of a BuildTrigger with that one as spec.source.repository, or redeliver an event of it at the Git host.",
)
START_REF_MISSING = _failed(
    "StartRefMissing",
    "Nothing says which branch, tag or commit to build.",
    "Write hookwright.dev/start-ref, or spec.source.branch, then ask for the build anew.",
)
START_REF_INVALID = _failed(
    "StartRefInvalid",
    "What is to be built is no name that git takes.",
    "Write a branch (main), a tag as refs/tags/NAME, or a commit with all its digits, then ask for the build anew.",
)
