"""`python -m hookwright` is `hookwright`."""

from hookwright.commands import main

main()
