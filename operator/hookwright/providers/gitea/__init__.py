"""Gitea, and what has come of it or was before it: Forgejo and Gogs."""
