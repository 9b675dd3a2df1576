"""Whether a delivery that is explained can be checked for authenticity, and what is said where it cannot. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from hookwright.cluster.secret_values import FoundSecret, SecretState
from hookwright.commands.explaining.sample import Sample
from hookwright.intake.request import Request, Verdict
from hookwright.intake.route import SecretRef
from hookwright.intake.schemes import Scheme
from hookwright.reasons import SECRET_UNUSABLE, SIGNATURE_MISMATCH, TOKEN_MISMATCH

_OF_SECRETS = (SIGNATURE_MISMATCH, TOKEN_MISMATCH, SECRET_UNUSABLE)
FoundSecrets = Sequence[tuple[SecretRef, FoundSecret]]


@dataclass(frozen=True)
class NotChecked:
    """A scheme that checks nothing, for want of what it checks with; all else is that of the true one."""

    scheme: Any  # Any: whatever the scheme has
    needs_secret: bool = False

    def verify(self, request: Request, secrets: Sequence[bytes]) -> None:
        """Check nothing."""

    def __getattr__(self, name: str) -> Any:  # Any: as above
        return getattr(self.scheme, name)


def list_unknown(secrets: FoundSecrets) -> list[SecretRef]:
    """Give the secrets that could not be looked at."""
    return [ref for ref, found in secrets if found.state is SecretState.UNKNOWN]


def list_known(secrets: FoundSecrets, sample: Sample, own: Iterable[bytes] = ()) -> list[bytes]:
    """Give the secrets to check with: that which was given with the delivery stands in for all others."""
    if sample.secret is not None:
        return [sample.secret]
    return [*own, *(value for _, found in secrets for value in found.values)]


def find_lack(scheme: Scheme, sample: Sample, known: Sequence[bytes], secrets: FoundSecrets, *, place: str) -> str:
    """Say what authenticity cannot be checked for want of; nothing if it can. `place` is where secrets were sought."""
    if not scheme.needs_secret:
        return ""
    if sample.headers is None:
        return "it needs the headers: --headers FILE"
    unknown = list_unknown(secrets)
    if not known and unknown:
        names = " or ".join(dict.fromkeys(ref.name for ref in unknown))
        return f"it needs Secret {names}, which could not be found {place}, or --secret-file FILE"
    return ""


def tell_untried(verdict: Verdict, sample: Sample, secrets: FoundSecrets, *, place: str) -> str:
    """Say which secrets were not tried, where one of them may have been the right one."""
    if verdict.reason not in _OF_SECRETS or sample.secret is not None:
        return ""
    return "".join(
        f" Key {ref.key} of Secret {ref.name} was not tried: it could not be found {place}."
        for ref in list_unknown(secrets)
    )
