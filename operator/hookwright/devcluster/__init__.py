"""A development API server: enough of Kubernetes in Python for kubectl, kopf and the official client.

It is for laptops and tests: it listens on loopback only, asks nobody who they are, and forgets everything at its end.
`docs/devcluster.md`, beside the package, says what it can and cannot do.

How a request goes: `server` finds its target and reads it into a `queries.Call`; `objects` does what is asked by way
of `lifecycle`, the only writer of the `store`. Whatever changes in the store is announced to its listeners: `registry`
(which kinds there are), `watches`, `collector` (owner references, namespaces), `jobs` (Jobs play themselves).
`admission` is what becomes of an object on its way in, with `metadata`, `schemas`, `definitions` and `workloads`;
`ownership`, with `fields`, is whose its fields are, and server-side apply. Only `server`, `cluster`, `watches` and
`jobs` know of an event loop.

This package knows nothing of the rest of Hookwright.
"""

from hookwright.devcluster.cluster import DevCluster
from hookwright.devcluster.errors import ApiError
from hookwright.devcluster.faults import Fault, Request

__all__ = ["ApiError", "DevCluster", "Fault", "Request"]
