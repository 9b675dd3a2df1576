"""How each Git host speaks: one package per provider, with `dialect` (what its deliveries say; pure) and samples."""
