"""Webhooks as Kubernetes objects.

The map. Capabilities are packages; data flows one way (see ARCHITECTURE.md beside this package):

- `kinds`: the objects as typed models, and the CRDs made from them.
- `intake`: what arrives. `judge` decides (pure), `server` speaks HTTP, `schemes` verify.
- `filters`: the JSONPath dialect, `matchEquals`, placeholders; `groups` for BuildTriggers.
- `providers`: how each Git host speaks; `scm`: what it says happened.
- `builds`: what starts. `plan` decides (pure), `worker` creates, `targets` render.
- `journal`: what must not be lost.
- `reconcile`: watches, work queue, one module per kind, checks (pure).
- `cluster`: the Kubernetes port: typed reads and writes.
- `devcluster`: a development API server; knows nothing of the rest.
- `commands`: one module per command. `app` puts everything together.
"""

__version__ = "0.1.0"
