"""What of a CodeBuild project has no counterpart here, and members that AWS had not when this was written.

What every project has and nobody chose (a cache of the type NO_CACHE, AWS's own key) is not worth a word.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from hookwright.commands.aws_json import Place
from hookwright.commands.remarks import Remark


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_KNOWN: Mapping[str, frozenset[str]] = {
    "": _names(
        "name arn description source secondarySources sourceVersion secondarySourceVersions artifacts "
        "secondaryArtifacts cache environment serviceRole timeoutInMinutes queuedTimeoutInMinutes encryptionKey tags "
        "created lastModified webhook vpcConfig badge logsConfig fileSystemLocations buildBatchConfig "
        "concurrentBuildLimit projectVisibility publicProjectAlias resourceAccessRole autoRetryLimit"
    ),
    "source": _names(
        "type location gitCloneDepth gitSubmodulesConfig buildspec auth reportBuildStatus buildStatusConfig "
        "insecureSsl sourceIdentifier"
    ),
    "environment": _names(
        "type image computeType computeConfiguration fleet environmentVariables privilegedMode certificate "
        "registryCredential imagePullCredentialsType dockerServer hostKernel"
    ),
    "webhook": _names(
        "url payloadUrl secret branchFilter filterGroups buildType manualCreation lastModifiedSecret "
        "scopeConfiguration status statusMessage pullRequestBuildPolicy"
    ),
}
_FILTER = _names("type pattern excludeMatchedPattern")
_QUEUED_MINUTES = 480  # AWS's default


def find_leftovers(project: Place) -> Iterator[Remark]:
    """Say what of a project is left out, in the order of its members."""
    for place, members in _KNOWN.items():
        inner = project.member(place) if place else project
        for name in inner.members():
            if name not in members:
                yield _lose(f"{place}.{name}" if place else name, "Hookwright does not know it, so it is left out")
    for index, group in enumerate(project.member("webhook").member("filterGroups").items()):
        for at, one in enumerate(group.items()):
            for name in one.members():
                if name not in _FILTER:
                    where = f"webhook.filterGroups[{index}][{at}].{name}"
                    yield _lose(where, "Hookwright does not know it, so it is left out")
    for find in _FINDERS:
        yield from find(project)


def _find_in_source(project: Place) -> Iterator[Remark]:
    source = project.member("source")
    if source.member("gitSubmodulesConfig").member("fetchSubmodules").flag():
        yield _lose("source.gitSubmodulesConfig", "they are not cloned: git submodule update --init in the build")
    depth = source.member("gitCloneDepth").number()
    if depth is not None and depth != 1:
        how = f"a history of {depth} commits" if depth else "the whole history"
        yield _note("source.gitCloneDepth", f"one commit is cloned; {how} is for the build to fetch")
    if source.member("insecureSsl").flag():
        yield _lose("source.insecureSsl", "TLS is verified")
    if source.member("reportBuildStatus").flag():
        yield _lose("source.reportBuildStatus", "builds do not report to the Git host")
    if source.member("buildStatusConfig").members():
        yield _lose("source.buildStatusConfig", "builds do not report to the Git host")
    for name in ("secondarySources", "secondarySourceVersions"):
        count = len(project.member(name).items())
        if count:
            yield _lose(name, f"{count} of them; a BuildTrigger has one source: clone the others in the build")


def _find_in_results(project: Place) -> Iterator[Remark]:
    kind = project.member("artifacts").member("type").optional_text()
    if kind not in (None, "NO_ARTIFACTS"):
        yield _lose("artifacts", f"{kind}: what a build makes is the build's to bring somewhere")
    if project.member("secondaryArtifacts").items():
        yield _lose("secondaryArtifacts", "what a build makes is the build's to bring somewhere")
    cache = project.member("cache").member("type").optional_text()
    if cache not in (None, "NO_CACHE"):
        yield _lose("cache", f"{cache}: give the Job a volume, if builds are to keep something")
    if project.member("badge").member("badgeEnabled").flag():
        yield _lose("badge", "there are no badges")
    if project.member("projectVisibility").optional_text() == "PUBLIC_READ":
        yield _lose("projectVisibility", "PUBLIC_READ: builds are shown to nobody but who may read Jobs")
    logs = project.member("logsConfig")
    if logs.member("s3Logs").member("status").optional_text() == "ENABLED":
        yield _lose("logsConfig.s3Logs", "logs are those of the Job's pods; have the cluster keep them")
    if logs.member("cloudWatchLogs").member("groupName").optional_text() is not None:
        yield _lose("logsConfig.cloudWatchLogs", "logs are those of the Job's pods; have the cluster keep them")


def _find_in_limits(project: Place) -> Iterator[Remark]:
    limit = project.member("concurrentBuildLimit").number()
    if limit is not None:
        yield _lose(
            "concurrentBuildLimit", f"{limit}: as many builds run as are started; a ResourceQuota can hold them"
        )
    queued = project.member("queuedTimeoutInMinutes").number()
    if queued not in (None, _QUEUED_MINUTES):
        yield _lose("queuedTimeoutInMinutes", f"{queued}: a Job waits for its node within activeDeadlineSeconds")
    batch = project.member("buildBatchConfig").members()
    if batch:
        yield _lose("buildBatchConfig", "there are no batch builds")


def _find_in_environment(project: Place) -> Iterator[Remark]:
    environment = project.member("environment")
    if environment.member("certificate").optional_text():
        yield _lose("environment.certificate", "mount it from a ConfigMap or a Secret")
    for name in ("fleet", "dockerServer", "hostKernel", "computeConfiguration"):
        if environment.member(name).value not in (None, {}):
            yield _lose(f"environment.{name}", "set resources, nodeSelector or tolerations of the pod instead")
    locations = len(project.member("fileSystemLocations").items())
    if locations:
        yield _lose("fileSystemLocations", f"{locations} of them; mount them as volumes of the Job")
    vpc = project.member("vpcConfig").member("vpcId").optional_text()
    if vpc:
        yield _lose(
            "vpcConfig", f"{vpc}: pods reach what the cluster's network reaches; a NetworkPolicy can limit that"
        )
    key = project.member("encryptionKey").optional_text() or ""
    if key and not key.endswith("alias/aws/s3"):
        yield _lose("encryptionKey", "what a build makes is the build's to encrypt")


_FINDERS: tuple[Callable[[Place], Iterator[Remark]], ...] = (
    _find_in_source,
    _find_in_results,
    _find_in_limits,
    _find_in_environment,
)


def _lose(member: str, text: str) -> Remark:
    return Remark(text=f"{member}: {text}", lost=True)


def _note(member: str, text: str) -> Remark:
    return Remark(text=f"{member}: {text}")
