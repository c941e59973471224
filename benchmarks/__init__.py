"""Measurements of the whole system; each is a target of the Makefile and ends with one line of figures."""
