"""Measurements of this machine: each prints a rate beside its goal, and says what it did."""
