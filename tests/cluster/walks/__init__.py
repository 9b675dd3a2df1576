"""A package, so that what its fixtures put in place ends with it, and not with the run."""
