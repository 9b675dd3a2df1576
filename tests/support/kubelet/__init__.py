"""A stand-in for the kubelet, the scheduler and the network: pods run without containers.

Containers of Hookwright's image are local processes, with the arguments, environment, volumes and ServiceAccount of
their pod; all others are moved through their life. Each pod has an IP of its own on loopback. What needs a kernel's
isolation is not there: users, read-only file systems, NetworkPolicies, resources. Nor is what needs a kubelet's own
API: `kubectl logs`, `exec`, `port-forward`.
"""

from support.kubelet.kubelet import Kubelet
from support.kubelet.network import local
from support.kubelet.volumes import ACCOUNT

__all__ = ["ACCOUNT", "Kubelet", "local"]
