"""Keeps the world as the objects say: watches, the work queue, and one thin module per kind around pure checks."""
