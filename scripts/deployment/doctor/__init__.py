"""Faults that break a deployment's design, found through AWS's own interfaces. Each part of the
design has a file; each check is a function that yields its findings."""
