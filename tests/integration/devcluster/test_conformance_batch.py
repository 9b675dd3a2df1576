"""What any API server does with Leases, CronJobs, and the times of Kubernetes Events."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from integration.devcluster.api import BATCH, CORE, MERGE_PATCH, TABLE, version_of, watching
from integration.devcluster.test_conformance_builtin import make_job


def _leases(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


async def test_lease_by_merge_patch(api: httpx.AsyncClient, namespace: str) -> None:
    """Of two that renew one version of a Lease by merge patch, one succeeds; without a version both do."""
    path = _leases(namespace)
    created = await api.post(path, json={"metadata": {"name": "l"}, "spec": {"holderIdentity": "a"}})
    assert created.status_code == 201
    version = created.json()["metadata"]["resourceVersion"]
    statuses = []
    for holder in ("b", "c"):
        spec = {"holderIdentity": holder, "renewTime": "2026-01-01T00:00:00.000001Z", "leaseTransitions": 1}
        patch = {"metadata": {"resourceVersion": version}, "spec": spec}
        response = await api.patch(f"{path}/l", json=patch, headers=MERGE_PATCH)
        statuses.append((response.status_code, response.json().get("reason")))
    assert statuses == [(200, None), (409, "Conflict")]
    spec = (await api.get(f"{path}/l")).json()["spec"]
    expected = {"holderIdentity": "b", "renewTime": "2026-01-01T00:00:00.000001Z", "leaseTransitions": 1}
    assert spec == expected
    patched = await api.patch(f"{path}/l", json={"spec": {"holderIdentity": None}}, headers=MERGE_PATCH)
    assert (patched.status_code, patched.json()["spec"].get("holderIdentity")) == (200, None)


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.000000Z"),
        ("2026-01-01T02:00:00.123456+02:00", "2026-01-01T00:00:00.123456Z"),
        (None, None),
        ("2026-01-01T00:00:00Z", 400),
        ("2026-01-01T00:00:00.1Z", 400),
        ("2026-01-01T00:00:00.123456789Z", 400),
        ("2026-01-01T00:00:00.123456", 400),
        ("2026-01-01T00:00:00.123456z", 400),
        ("2026-01-01 00:00:00.123456Z", 400),
        ("2026-13-01T00:00:00.123456Z", 400),
        ("now", 400),
        ("", 400),
        (5, 400),
    ],
)
async def test_times_of_a_lease(api: httpx.AsyncClient, namespace: str, given: Any, stored: Any) -> None:
    """The times of a Lease have exactly six decimals, and come back in UTC."""
    for name in ("renewTime", "acquireTime"):
        body = {"metadata": {"generateName": "l-"}, "spec": {name: given}}
        response = await api.post(_leases(namespace), json=body)
        if stored == 400:
            assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")
            assert response.json()["message"].startswith('Lease in version "v1" cannot be handled as a Lease: ')
        else:
            assert response.json()["spec"].get(name) == stored


async def test_patch_with_a_time_that_is_none(api: httpx.AsyncClient, namespace: str) -> None:
    """What a patch makes undecodable is answered 422 of the patch."""
    await api.post(_leases(namespace), json={"metadata": {"name": "l"}, "spec": {}})
    response = await api.patch(f"{_leases(namespace)}/l", json={"spec": {"renewTime": "now"}}, headers=MERGE_PATCH)
    assert (response.status_code, response.json()["reason"]) == (422, "Invalid")
    assert [one["field"] for one in response.json()["details"]["causes"]] == ["patch"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"leaseDurationSeconds": 0}, "Invalid value: 0: must be greater than 0"),
        ({"leaseDurationSeconds": -1}, "Invalid value: -1: must be greater than 0"),
        ({"leaseTransitions": -1}, "Invalid value: -1: "),
        ({"leaseDurationSeconds": "15"}, ""),
        ({"leaseDurationSeconds": 1.5}, ""),
        ({"holderIdentity": 5}, ""),
    ],
)
async def test_invalid_lease(api: httpx.AsyncClient, namespace: str, spec: dict[str, Any], message: str) -> None:
    """A Lease lasts a whole number of seconds above 0, and changes hands 0 times at least."""
    response = await api.post(_leases(namespace), json={"metadata": {"name": "l"}, "spec": spec})
    if not message:
        assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")
        return
    assert response.status_code == 422
    (cause,) = response.json()["details"]["causes"]
    assert (cause["field"], cause["message"].startswith(message)) == (f"spec.{next(iter(spec))}", True)


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00Z", "now"])
async def test_time_of_an_event(api: httpx.AsyncClient, namespace: str, time: str) -> None:
    """The eventTime of a Kubernetes Event has exactly six decimals."""
    about = {"kind": "Widget", "name": "a", "namespace": namespace}
    body = {"metadata": {"name": "e"}, "involvedObject": about, "reason": "R", "eventTime": time}
    response = await api.post(f"{CORE}/namespaces/{namespace}/events", json=body)
    assert (response.status_code, response.json()["reason"]) == (400, "BadRequest")


def _cron_jobs(namespace: str) -> str:
    return f"{BATCH}/namespaces/{namespace}/cronjobs"


def _cron_job(name: str = "c", **spec: Any) -> dict[str, Any]:
    """Make a CronJob that is taken; it is suspended, so that nobody runs it."""
    job = {"spec": {"template": make_job()["spec"]["template"]}}
    kept = {"schedule": "0 0 * * *", "suspend": True, "jobTemplate": job} | spec
    body = {name: member for name, member in kept.items() if member is not ...}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": body}


async def test_cron_job(api: httpx.AsyncClient, namespace: str) -> None:
    """A CronJob gets its defaults, is listed, watched, shown and changed."""
    path = _cron_jobs(namespace)
    version = await version_of(api, path)
    async with watching(api, path, resourceVersion=version) as events:
        created = (await api.post(path, json=_cron_job(suspend=...))).json()
        assert (await events.next())["object"]["spec"] == created["spec"]
        await api.patch(f"{path}/c", json={"spec": {"suspend": True}}, headers=MERGE_PATCH)
        changed = (await events.next())["object"]
    defaults = ("suspend", "concurrencyPolicy", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    assert [created["spec"][name] for name in defaults] == [False, "Allow", 3, 1]
    assert (changed["spec"]["suspend"], changed["metadata"]["generation"]) == (True, 2)
    status = {"status": {"lastScheduleTime": "2026-01-01T00:00:00Z"}}
    await api.patch(f"{path}/c/status", json=status, headers=MERGE_PATCH)
    table = (await api.get(path, headers=TABLE)).json()
    columns = [one["name"] for one in table["columnDefinitions"] if not one["priority"]]
    assert columns == ["Name", "Schedule", "Timezone", "Suspend", "Active", "Last Schedule", "Age"]
    assert table["rows"][0]["cells"][:5] == ["c", "0 0 * * *", "<none>", "True", 0]
    assert re.fullmatch(r"\d+d", table["rows"][0]["cells"][5])
    listed = (await api.get(path)).json()
    assert [one["metadata"]["name"] for one in listed["items"]] == ["c"]
    assert (await api.delete(f"{path}/c")).status_code == 200


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        ("*/5 * * * *", ""),
        ("0,5,10 8-18/2 * JAN mon-FRI", ""),
        ("0 0 ? * ?", ""),
        (" 5/10  0 * * 6 ", ""),
        ("1,,2 0 * * *", ""),
        ("@hourly", ""),
        ("@every 1h30m", ""),
        ("x", "expected exactly 5 fields, found 1: [x]"),
        ("* * * * * *", "expected exactly 5 fields, found 6: [* * * * * *]"),
        ("a * * * *", 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'),
        ("-1 * * * *", 'failed to parse int from : strconv.Atoi: parsing "": invalid syntax'),
        ("60 * * * *", "end of range (60) above maximum (59): 60"),
        ("0 0 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("0 0 * * 7", "end of range (7) above maximum (6): 7"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("70/5 * * * *", "beginning of range (70) beyond end of range (59): 70/5"),
        ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("0 0 * foo *", 'failed to parse int from foo: strconv.Atoi: parsing "foo": invalid syntax'),
        ("@daily ", "unrecognized descriptor: @daily "),
        ("@every x", 'failed to parse duration @every x: time: invalid duration "x"'),
        ("TZ=UTC 0 0 * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ],
)
async def test_schedules(api: httpx.AsyncClient, namespace: str, schedule: str, why: str) -> None:
    """A schedule is read as cron reads it; what cannot be read is answered 422, with what is wrong."""
    body, dry = _cron_job(schedule=schedule), {"dryRun": "All"}
    response = await api.post(_cron_jobs(namespace), json=body, params=dry)
    if not why:
        assert response.status_code == 201, response.text
        return
    (cause,) = response.json()["details"]["causes"]
    assert (response.status_code, cause["field"]) == (422, "spec.schedule")
    assert cause["message"] == f'Invalid value: "{schedule}": {why}'


_ENDLESS = {"spec": {"template": {"spec": {"restartPolicy": "Always", "containers": [{"name": "c", "image": "i"}]}}}}


@pytest.mark.parametrize(
    ("spec", "causes"),
    [
        ({"schedule": ...}, {("spec.schedule", "FieldValueRequired")}),
        ({"schedule": ""}, {("spec.schedule", "FieldValueRequired")}),
        ({"concurrencyPolicy": "Never"}, {("spec.concurrencyPolicy", "FieldValueNotSupported")}),
        ({"startingDeadlineSeconds": -1}, {("spec.startingDeadlineSeconds", "FieldValueInvalid")}),
        ({"successfulJobsHistoryLimit": -1}, {("spec.successfulJobsHistoryLimit", "FieldValueInvalid")}),
        ({"timeZone": ""}, {("spec.timeZone", "FieldValueInvalid")}),
        ({"timeZone": "Local"}, {("spec.timeZone", "FieldValueInvalid")}),
        ({"timeZone": "Nowhere/Town"}, {("spec.timeZone", "FieldValueInvalid")}),
        ({"timeZone": "../etc/passwd"}, {("spec.timeZone", "FieldValueInvalid")}),
        (
            {"jobTemplate": ...},
            {
                ("spec.jobTemplate.spec.template.spec.containers", "FieldValueRequired"),
                ("spec.jobTemplate.spec.template.spec.restartPolicy", "FieldValueRequired"),
            },
        ),
        ({"jobTemplate": _ENDLESS}, {("spec.jobTemplate.spec.template.spec.restartPolicy", "FieldValueRequired")}),
    ],
)
async def test_invalid_cron_job(
    api: httpx.AsyncClient, namespace: str, spec: dict[str, Any], causes: set[tuple[str, str]]
) -> None:
    """A CronJob that could not run is answered 422 with its fields."""
    response = await api.post(_cron_jobs(namespace), json=_cron_job(**spec))
    assert response.status_code == 422
    assert {(one["field"], one["reason"]) for one in response.json()["details"]["causes"]} == causes


async def test_limits_of_a_cron_job(api: httpx.AsyncClient, namespace: str) -> None:
    """Jobs add eleven characters to a CronJob's name, so 53 are too many; a known time zone is taken."""
    dry = {"dryRun": "All"}
    taken = await api.post(_cron_jobs(namespace), json=_cron_job("c" * 52, timeZone="Etc/UTC"), params=dry)
    assert taken.status_code == 201
    refused = await api.post(_cron_jobs(namespace), json=_cron_job("c" * 53), params=dry)
    assert refused.json()["details"]["causes"][0]["field"] == "metadata.name"
    local = await api.post(_cron_jobs(namespace), json=_cron_job(timeZone="Local"), params=dry)
    assert "must be an explicit time zone" in local.json()["message"]
    wrong = await api.post(_cron_jobs(namespace), json=_cron_job(suspend="yes"))
    assert (wrong.status_code, wrong.json()["reason"]) == (400, "BadRequest")
