"""Proxy: networks that imitate one stage of a program."""
