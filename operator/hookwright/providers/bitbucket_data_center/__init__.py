"""Bitbucket Data Center, and Bitbucket Server before it."""
