"""Calls to watch: played by a real softphone against a real controller, or on a virtual clock."""
