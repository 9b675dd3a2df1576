"""What `hookwright explain` says, and from what: pure, but for `gathering`, which asks the API server.

A delivery is judged by the receiver's own `judge` (`deliveries`), a Webhook by the operator's own checks (`state`).
"""
