"""Arithmetic without a database; every package may import it."""
