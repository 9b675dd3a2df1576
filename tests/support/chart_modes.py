"""The ways in which tests render the chart: each of them must lint, and be valid."""

from __future__ import annotations

from typing import Any

TENANTS = [{"namespace": "team-a", "serviceAccount": "builder"}, {"namespace": "team-b", "serviceAccount": "default"}]
EVERYTHING: dict[str, Any] = {
    "publicUrl": "https://example.com:8443/hookwright/",
    "imagePullSecrets": [{"name": "registry"}],
    "trustedProxies": ["10.0.0.0/8", "fd00::/8"],
    "tenants": TENANTS,
    "rights": {"watchSecrets": True},
    "admissionPolicy": {"enabled": True},
    "receiver": {
        "replicas": 3,
        "service": {
            "type": "LoadBalancer",
            "loadBalancerClass": "example.com/internal",
            "loadBalancerSourceRanges": ["192.0.2.0/24"],
            "annotations": {"example.com/timeout": "60"},
        },
        "podDisruptionBudget": {"minAvailable": 2},
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "ci", "operator": "Exists"}],
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}]
                }
            }
        },
        "priorityClassName": "important",
        "podAnnotations": {"example.com/a": "b"},
        "podLabels": {"team": "platform"},
        "extraEnv": [
            {"name": "HTTPS_PROXY", "value": "http://proxy.example.com"},
            # The API server: a cluster's, and that of tests.
            {"name": "NO_PROXY", "value": "$(KUBERNETES_SERVICE_HOST),127.0.0.1"},
        ],
    },
    "operator": {"podDisruptionBudget": {"minAvailable": "50%"}},
    "ingress": {
        "enabled": True,
        "className": "nginx",
        "host": "example.com",
        "annotations": {"example.com/issuer": "ours"},
        "tlsSecretName": "hooks-tls",
    },
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "public", "namespace": "gateways"}]},
    "networkPolicy": {
        "enabled": True,
        "receiverFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}],
        "adminNamespaces": ["monitoring"],
        "adminFrom": [{"ipBlock": {"cidr": "192.0.2.0/24"}}],
        "apiServer": {"cidrs": ["192.0.2.10/32"]},
        "extraEgress": [{"ports": [{"port": 443}]}],
    },
    "metrics": {
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True, "labels": {"release": "prometheus"}},
        "dashboard": {"enabled": True},
    },
    "adoptJournals": ["journal-hookwright-receiver-3", "journal-hookwright-0"],
}
MODES: dict[str, dict[str, Any]] = {
    "split": {},
    "single": {"mode": "single"},
    "namespaced": {
        "watchNamespaces": ["team-a", "team-b"],
        "tenants": TENANTS,
        "admissionPolicy": {"enabled": True},
    },
    "single and namespaced": {"mode": "single", "watchNamespaces": ["hookwright-system"], "crds": {"install": False}},
    "node ports": {"receiver": {"service": {"type": "NodePort", "nodePort": 30080}}},
    "everything": EVERYTHING,
    "everything in one pod": {"mode": "single", **EVERYTHING, "adoptJournals": ["journal-hookwright-receiver-0"]},
    "OpenShift": {"runAsUser": None, "listenAddress": "::"},
    "rights by hand": {"rights": {"create": False}},
    "as little as can be": {
        "crds": {"install": False},
        "receiver": {"replicas": 1, "preStopSeconds": 0, "podDisruptionBudget": {"enabled": False}},
        "operator": {"replicas": 1, "serviceAccount": {"create": False, "name": "theirs"}},
        "settings": {"drain": 0},
    },
}
