"""Bitbucket Cloud: bitbucket.org."""
