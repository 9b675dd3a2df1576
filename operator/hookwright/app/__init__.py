"""The composition root: puts the parts together and runs them.

    feeds ─► mirror ─┬─► routes ─► intake server ─► receiver ─► journal ─► worker ─► builds     (`intake`)
                     │                                 └─► history            └─► status writer
                     └─► work queue ─► reconcile ─► status, under the Lease                     (`operating`)

`process` runs one of the two, or both: `hookwright receiver`, `hookwright operator`, `hookwright run`.
"""

from hookwright.app.process import App, Role

__all__ = ["App", "Role"]
