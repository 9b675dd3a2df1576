"""The composition root: puts the parts together and runs them.

    feeds ─► mirror ─┬─► routes ─► intake server ─► receiver ─► journal                         (`intake`)
                     │                                 └─► history │
                     ├─────────────────────────────────────────────┴─► worker ─► builds         (`starting`)
                     │                                                   └─► status writer
                     └─► work queue ─► reconcile ─► status, under the Lease                     (`operating`)

`process` runs the first two, the last, or all three: `hookwright receiver`, `hookwright operator`, `hookwright run`.
`draining` runs the second alone, until the journal is empty: `hookwright drain`.
"""

from hookwright.app.draining import Drain, Drained
from hookwright.app.process import App, Role

__all__ = ["App", "Drain", "Drained", "Role"]
