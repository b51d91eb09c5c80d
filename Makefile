# The README's two commands are `make demo` and `make test`; both start from a bare python3.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo demos faults test acceptance lint types unit peers bench bench-whole bench-asterisk hear-eval mutants search format clean

demo: $(READY)
	$(BIN)/callflow demo silent-line

test: lint types unit

# All may share the processors but the tests that measure true time: those have them for themselves. What needs
# sockets and foreign phones mostly waits, so more of it runs at once.
unit: $(READY) peers
	$(BIN)/python -m pytest -n 2 -m "pure or conversation"
	$(BIN)/python -m pytest -n 4 --dist loadfile -m "(sockets or interop) and not timed and not acceptance"
	$(BIN)/python -m pytest -m "timed and not acceptance"

# Demos in real time, outages, a foreign proxy, an attack: what takes minutes. CI runs it after `make test`.
acceptance: $(READY) peers
	$(BIN)/python -m pytest -n 4 --dist loadfile -m "acceptance and not timed"
	$(BIN)/python -m pytest -m "acceptance and timed"

# Every demo, the long ones too, each held to its times.
demos: $(READY)
	CALLFLOW_DEMOS=all $(BIN)/python -m pytest tests/sockets/test_demos.py tests/sockets/test_demos_hold.py \
		tests/sockets/test_demos_transfer.py tests/sockets/test_demos_line.py

# Processes that die or hang, descriptors and disks that run out, with real calls up. About ten minutes; their short
# forms are in `make acceptance`.
faults: $(READY)
	CALLFLOW_FAULTS=all $(BIN)/python -m pytest tests/faults

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.whole

# The product alone, whole, beside plain relays (Debian's rtpengine-daemon where it is installed); about half an
# hour. Figures go to bench.json; with `--docs` tables are printed and pictures drawn for docs/performance.md.
bench-whole: $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m tests.bench.whole --docs

# The same with Asterisk 22 taking turns: Debian sid's, in a folder `.asterisk` that debootstrap fills (540 MB). Both
# making and running it need root.
bench-asterisk: $(READY)
	sh tests/bench/whole/asterisk_root.sh .asterisk
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	$(BIN)/python -m tests.bench.whole --asterisk --docs

# Thousands of line checks, of people and of dead lines, against the ears. People's voices are Debian's, where
# they are installed: apt-get install asterisk-core-sounds-en-wav asterisk-core-sounds-fr-wav
hear-eval: $(READY)
	$(BIN)/python -m tests.hearing

# Faults planted into the rules one by one: which of them does no test notice?
mutants: $(READY)
	$(BIN)/python -m tests.mutation

# A hundred thousand broken YAML files: does one crash, or is one told in anything but our own words? 2,000 are in
# `make test`.
search: $(READY)
	$(BIN)/python -m tests.search

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Foreign phones for the tests marked `interop`; without them those are skipped, and say so.
peers:
	@sh tests/install_peers.sh

$(READY): pyproject.toml Makefile
	@sh deploy/make_venv.sh $(PYTHON) $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[phone,dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .asterisk* callflow-demo
