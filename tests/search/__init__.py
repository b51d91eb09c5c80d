"""Searches for inputs that break something: a short one in the tests, a long one by `make search`."""
