"""How each kind of target makes a build: one module per kind, with `values` and `render`, both pure."""
