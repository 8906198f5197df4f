# What a person runs. Everything is brought on first use; see tools/setup.py.

PYTHON := .venv/bin/python
SETUP := @sh tools/setup.sh

.PHONY: help demo test lab lab-down lab-kill-service lab-start-service lab-restart-service lint format compiled bench chaos image image-test docs setup clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 22

setup: ## bring all that is missing, and nothing else
	$(SETUP) venv asterisk postgresql prometheus fail2ban compiled

compiled: ## the core as machine code, for simulations and benchmarks (NOBAT_CORE=compiled)
	$(SETUP) venv compiled

demo: ## callers, agents and a live table; Ctrl-C ends it (DEMO_SECONDS=60 ends by itself)
	$(SETUP) venv asterisk
	@$(PYTHON) -m lab.demo

test: ## every test (PYTEST="-k floor" narrows it down)
	$(SETUP) venv asterisk postgresql prometheus fail2ban
	@$(PYTHON) -m pytest --numprocesses=2 $(PYTEST)

lab: ## PBX and service in the background, in .lab/
	$(SETUP) venv asterisk
	@$(PYTHON) -m lab up

lab-down: ## end the lab
	@test ! -x $(PYTHON) || $(PYTHON) -m lab down

lab-kill-service: ## end only the service, with SIGKILL
	@$(PYTHON) -m lab kill-service

lab-start-service: ## start the service of a running lab
	@$(PYTHON) -m lab start-service

lab-restart-service: ## both of these
	@$(PYTHON) -m lab restart-service

lint: ## format, lint, types, imports
	$(SETUP) venv
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@PYTHONPATH=src .venv/bin/lint-imports  # the sources, not what was compiled of them

format: ## let ruff write the format and the simple fixes
	$(SETUP) venv
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix .

bench: ## benchmarks as ratios against a peer (BENCH="--full assign_latency")
	$(SETUP) venv asterisk postgresql compiled
	@$(PYTHON) -m benchmarks $(BENCH)

chaos: ## random faults on real Asterisk (CHAOS_SECONDS=600, CHAOS_SEED=… replays; CHAOS=--help)
	$(SETUP) venv asterisk
	@$(PYTHON) -m chaos $(CHAOS)

image: ## container images of the service and of its Asterisk (docker, podman or buildah)
	$(SETUP) venv
	@$(PYTHON) -m tools.image

image-test: ## build them here, without a registry, and carry calls through them and the compose file (some minutes)
	$(SETUP) venv asterisk buildah podman prometheus
	@NOBAT_IMAGE_TEST=1 $(PYTHON) -m pytest tests/image -s

docs: ## write docs/reference from the code
	$(SETUP) venv
	@$(PYTHON) -m nobat.reference

clean: lab-down ## end the lab and remove what was made here
	rm -rf .venv .lab .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
