"""The product measured whole, as an admin runs it: `python -m tests.bench.whole`."""
