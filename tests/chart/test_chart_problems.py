"""Values that contradict each other, or cannot be: Helm stops, and says what is wrong and what to do."""

from __future__ import annotations

import pytest
from helm_python import HelmError

from support.chart import render

ROUTE = {"parentRefs": [{"name": "public"}]}
PROBLEMS = [
    ({"publicUrl": ""}, "publicUrl", "is missing"),
    ({"publicUrl": "https://hooks.example.com?a=b"}, "publicUrl", "has a ? or #"),
    ({"publicUrl": "https://hooks.example.com/#top"}, "publicUrl", "has a ? or #"),
    ({"publicUrl": "hooks.example.com"}, "publicUrl", "is no http or https URL"),
    ({"publicUrl": "ftp://hooks.example.com"}, "publicUrl", "is no http or https URL"),
    ({"publicUrl": "https://user:word@hooks.example.com"}, "publicUrl", "is no http or https URL"),
    ({"publicUrl": "https://hooks.example.com/a b"}, "publicUrl", "is no http or https URL"),
    ({"publicUrl": "https://example.com/a//b"}, "publicUrl", "has a //"),
    ({"publicUrl": "https://example.com/a/../b"}, "publicUrl", "has a //"),
    ({"publicUrl": "https://example.com/a/%2E%2e/b"}, "publicUrl", "has a //"),
    ({"publicUrl": "https://example.com:65536/a"}, "publicUrl", "from 1 to 65535"),
    ({"nameOverride": "our.hooks"}, "fullnameOverride", "begin with hookwright-our.hooks"),
    ({"image": {"repository": ""}}, "image.repository", "is missing"),
    ({"image": {"repository": "registry.example.com/hookwright:1"}}, "image.repository", "has a tag"),
    ({"mode": "single", "single": {"replicas": 0}}, "single.replicas", "cannot be in mode single"),
    ({"mode": "single", "single": {"replicas": 2}}, "single.replicas", "cannot be in mode single"),
    ({"trustedProxies": ["10.0.0"]}, "trustedProxies", "10.0.0 is no range"),
    ({"trustedProxies": ["2001:db8::/129"]}, "trustedProxies", "2001:db8::/129 is no range"),
    ({"trustedProxies": ["0.0.0.0/0"]}, "trustedProxies", "believe whatever anybody says"),
    ({"trustedProxies": ["::ffff:0:0/96"]}, "trustedProxies", "believe whatever anybody says"),
    ({"trustedProxies": ["10.1.3.0/23"]}, "trustedProxies", "has bits set behind its prefix"),
    ({"trustedProxies": ["fd00::1/64"]}, "trustedProxies", "has bits set behind its prefix"),
    (
        {"networkPolicy": {"apiServer": {"cidrs": ["10.0.0.5/33"]}}},
        "networkPolicy.apiServer.cidrs",
        "10.0.0.5/33 is no range",
    ),
    (
        {"receiver": {"service": {"type": "LoadBalancer", "loadBalancerSourceRanges": ["999.1.1.1/64"]}}},
        "receiver.service.loadBalancerSourceRanges",
        "999.1.1.1/64 is no range",
    ),
    ({"listenAddress": "0.0.0.256"}, "listenAddress", "is no address"),
    ({"listenAddress": ":::"}, "listenAddress", "is no address"),
    ({"receiver": {"terminationGracePeriodSeconds": 34}}, "receiver.terminationGracePeriodSeconds", "that is 35"),
    ({"settings": {"drain": 60}, "operator": {"terminationGracePeriodSeconds": 84}}, "operator.termination", "is 85"),
    ({"receiver": {"podDisruptionBudget": {"minAvailable": 2}}}, "receiver.podDisruptionBudget", "2 of 2 pods"),
    ({"operator": {"podDisruptionBudget": {"minAvailable": "100%"}}}, "operator.podDisruptionBudget", "100% of 2"),
    ({"receiver": {"podDisruptionBudget": {"minAvailable": "51%"}}}, "receiver.podDisruptionBudget", "51% of 2 pods"),
    ({"settings": {"bodyMemory": 385}}, "receiver.resources.limits.memory", "give 513Mi or more"),
    (
        {"mode": "single", "single": {"resources": {"limits": {"memory": "1Gi"}}}, "settings": {"bodyMemory": 1000}},
        "single.resources.limits.memory",
        "1Gi is too little",
    ),
    ({"receiver": {"resources": {"limits": {"memory": "268M"}}}}, "receiver.resources.limits.memory", "268M is too"),
    (
        {"receiver": {"resources": {"limits": {"memory": 268435455}, "requests": None}}},
        "receiver.resources.limits.memory",
        "too little",
    ),
    ({"operator": {"resources": {"requests": {"memory": "1G"}}}}, "operator.resources.requests.memory", "1G is more"),
    (
        {"publicUrl": "http://hooks.example.com", "ingress": {"enabled": True, "tlsSecretName": "cert"}},
        "ingress.tlsSecretName",
        "without TLS",
    ),
    ({"receiver": {"podDisruptionBudget": {"maxUnavailable": 0}}}, "receiver.podDisruptionBudget", "none may be away"),
    (
        {"receiver": {"podDisruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}},
        "receiver.podDisruptionBudget",
        "both given",
    ),
    ({"receiver": {"extraEnv": [{"name": "HOOKWRIGHT_DRAIN", "value": "9"}]}}, "receiver.extraEnv", "is a setting"),
    (
        {"receiver": {"serviceAccount": {"name": "a"}}, "operator": {"serviceAccount": {"name": "a"}}},
        "operator.serviceAccount.name",
        "is made for the receiver already",
    ),
    ({"adoptJournals": ["journal-hookwright-receiver-1"]}, "adoptJournals", "the volume of pod hookwright-receiver-1"),
    ({"mode": "single", "adoptJournals": ["journal-hookwright-0"]}, "adoptJournals", "the volume of pod hookwright-0"),
    (
        {"rights": {"create": False}, "tenants": [{"namespace": "a", "serviceAccount": "b"}]},
        "tenants",
        "rights.create is false",
    ),
    (
        {"watchNamespaces": ["a"], "tenants": [{"namespace": "b", "serviceAccount": "c"}]},
        "tenants",
        "namespace b is not in watchNamespaces",
    ),
    ({"tenants": [{"namespace": "a", "serviceAccount": "b"}] * 2}, "tenants", "is there twice"),
    (
        {"tenants": [{"namespace": "hookwright-system", "serviceAccount": "default"}]},
        "tenants",
        "namespace hookwright-system is Hookwright's own",
    ),
    ({"ingress": {"enabled": True, "host": "example.com"}}, "ingress.host", "is not hooks.example.com"),
    ({"publicUrl": "https://192.0.2.1", "ingress": {"enabled": True}}, "publicUrl", "is an address"),
    ({"publicUrl": "https://a_b.example.com", "ingress": {"enabled": True}}, "publicUrl", "is no name"),
    ({"publicUrl": "https://example.com.", "httpRoute": {"enabled": True, **ROUTE}}, "publicUrl", "is no name"),
    ({"publicUrl": "https://example.com/{a}", "httpRoute": {"enabled": True, **ROUTE}}, "publicUrl", "has characters"),
    ({"publicUrl": "https://example.com/a%2Fb", "ingress": {"enabled": True}}, "publicUrl", "has characters"),
    ({"publicUrl": "https://[2001:db8::1]:80", "httpRoute": {"enabled": True, **ROUTE}}, "publicUrl", "is an address"),
    ({"httpRoute": {"enabled": True}}, "httpRoute.parentRefs", "is empty"),
    ({"receiver": {"service": {"nodePort": 30000}}}, "receiver.service.nodePort", "ClusterIP has none"),
    ({"receiver": {"service": {"loadBalancerClass": "x"}}}, "receiver.service.loadBalancerClass", "ClusterIP has none"),
    ({"settings": {"drain": None}}, "settings.drain", "its default is gone"),
    ({"networkPolicy": {"apiServer": {"ports": None}}}, "networkPolicy.apiServer.ports", "its default is gone"),
    ({"rights": {"checkOverlap": None}}, "rights.checkOverlap", "its default is gone"),
    ({"crds": {"keep": None}, "publicUrl": ""}, "crds.keep", "its default is gone"),
    ({"receiver": {"podDisruptionBudget": None}}, "receiver.podDisruptionBudget", "its default is gone"),
    ({"settings": None}, "settings", "its default is gone"),
    (
        {"metrics": {"serviceMonitor": {"enabled": True}}, "networkPolicy": {"enabled": True}},
        "networkPolicy.adminNamespaces",
        "closed door",
    ),
]


@pytest.mark.parametrize(("values", "where", "what"), PROBLEMS, ids=[f"{where}: {what}" for _, where, what in PROBLEMS])
def test_values_that_cannot_be_are_refused(values, where, what):
    """The message names the value, says what is wrong with it, and what to do instead."""
    with pytest.raises(HelmError) as caught:
        render(values)
    (line,) = [line for line in str(caught.value).splitlines() if line.startswith(f"- {where}")]
    assert what in line
    assert ";" in line, "it says nothing of what to do"


def test_release_that_no_service_can_be_called_by_is_refused():
    """A release may be called what no Service may be: it is said before anything is made, with what to set."""
    for name in ("my.hooks", "1st"):
        with pytest.raises(HelmError, match=rf"- fullnameOverride: names would begin with {name}-hookwright"):
            render(name=name)
        assert render({"fullnameOverride": "hooks"}, name=name)


def test_all_problems_are_told_at_once():
    """Who has made several mistakes hears of them in one answer."""
    with pytest.raises(HelmError) as caught:
        render({"publicUrl": "", "image": {"repository": ""}, "trustedProxies": ["here"]})
    assert str(caught.value).count("\n- ") == 3


@pytest.mark.parametrize(
    "values",
    [
        {"mode": "single", "single": {"replicas": 1}},
        {"image": {"repository": "registry.example.com:5000/hookwright"}},
        {"receiver": {"podDisruptionBudget": {"minAvailable": "50%"}}},
        {"receiver": {"replicas": 3, "podDisruptionBudget": {"minAvailable": 2}}},
        {"publicUrl": "https://example.com:65535/a%2eb"},
        {"nameOverride": "a" * 40},
        {"trustedProxies": ["10.1.2.0/23", "255.255.255.255/32", "128.0.0.0/1"]},
        {"listenAddress": "::1"},
        {"settings": {"bodyMemory": 384}},
        {
            "metrics": {"serviceMonitor": {"enabled": True}},
            "networkPolicy": {"enabled": True, "adminFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]},
        },
        {"receiver": {"resources": {"limits": {"memory": "269M"}}}},
        {"receiver": {"resources": {"limits": {"memory": 268435456}}}},
        {"receiver": {"resources": {"requests": {"memory": "512Mi"}}}},
        {"receiver": {"resources": None}},
        {"settings": {"bodyMemory": 1000}, "receiver": {"resources": {"limits": {"memory": "2Gi"}}}},
        {"settings": {"bodyMemory": 65536}, "receiver": {"resources": {"limits": None}}},
        {"adoptJournals": ["journal-hookwright-receiver-2", "journal-hookwright-0"]},
        {"receiver": {"serviceAccount": {"name": "a"}}, "operator": {"serviceAccount": {"name": "a", "create": False}}},
        {"receiver": {"replicas": 1, "podDisruptionBudget": {"maxUnavailable": "100%"}}},
        {"receiver": {"terminationGracePeriodSeconds": 35}},
        {"ingress": {"enabled": True, "host": "hooks.example.com"}},
        {
            "publicUrl": "https://Example.com/a%20b;c=@1",
            "ingress": {"enabled": True},
            "httpRoute": {"enabled": True, **ROUTE},
        },
        {"publicUrl": "https://a_b.example.com/{a}"},
        {"watchNamespaces": ["a"], "tenants": [{"namespace": "a", "serviceAccount": "b"}]},
        {"tenants": [{"namespace": "a", "serviceAccount": name} for name in ("b", "c")]},
    ],
)
def test_values_just_within_bounds_are_taken(values):
    """What is next to a mistake, and none, is rendered."""
    assert render(values)


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"replicas": 2}, "'replicas'"),
        ({"receiver": {"replica": 2}}, "'replica'"),
        ({"mode": "both"}, "/mode"),
        ({"listenAddress": "1.2.3"}, "/listenAddress"),
        ({"settings": {"drain": 301}}, "/settings/drain"),
        ({"receiver": {"journal": {"size": "1"}}}, "/receiver/journal/size"),
        ({"watchNamespaces": ["Team"]}, "/watchNamespaces/0"),
        ({"watchNamespaces": [f"team-{number}" for number in range(101)]}, "/watchNamespaces"),
        ({"tenants": [{"namespace": "a"}]}, "'serviceAccount'"),
        ({"image": {"digest": "sha256:abc"}}, "/image/digest"),
        ({"operator": {"podDisruptionBudget": {"minAvailable": "half"}}}, "/operator/podDisruptionBudget"),
    ],
)
def test_schema_knows_no_other_values(values, where):
    """A value that is not there, or out of its bounds, is refused by its name."""
    with pytest.raises(HelmError) as caught:
        render(values)
    assert where in str(caught.value)
