# `make` lists the targets. Settings of the pipeline (NEWSWATCH_*) and of Airflow (AIRFLOW__*) may be given in .env.

.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
PYTHON := $(VENV)/bin/python
# Lines of .env become defaults: what the shell has set is stronger, an empty value says nothing. Values are taken as
# they stand, in one pair of quotes or none; every $ and # is masked from make.
HASH := \#
define NEWLINE


endef
$(eval $(subst @END@,$(NEWLINE),$(shell [ ! -e .env ] || sed -nE '\
	s/[[:space:]]+$$//; /^[A-Za-z_][A-Za-z_0-9]*=./!d; \
	s/=(["\x27])(.*)\1$$/=\2/; t quoted; s/[[:space:]]+$(HASH).*//; \
	: quoted; /=$$/d; s/[$$]/$$$$/g; s/$(HASH)/$$(HASH)/g; s/^([^=]*)=(.*)/export \1 ?= \2@END@/p' .env)))

export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PYTHONPATH := $(CURDIR)
export AIRFLOW_HOME ?= $(CURDIR)/airflow_home
export AIRFLOW__CORE__DAGS_FOLDER := $(CURDIR)/dags
export AIRFLOW__CORE__PLUGINS_FOLDER := $(CURDIR)/plugins
export AIRFLOW__CORE__LOAD_EXAMPLES := False
export AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION ?= False
export AIRFLOW__CORE__EXECUTOR ?= include.executor.PreloadedExecutor
# 32, the default, and SQLite's waiting time of 5 s stop the scheduler under a hundred mapped tasks.
export AIRFLOW__CORE__PARALLELISM ?= 4
# 5 s, the default, fail tasks on a busy machine.
export AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT ?= 30
export AIRFLOW__DATABASE__SQL_ALCHEMY_CONN ?= sqlite:///$(AIRFLOW_HOME)/airflow.db?timeout=30
# For the Dag maintenance: Airflow hides its database from tasks.
export METADATA_DATABASE ?= $(AIRFLOW__DATABASE__SQL_ALCHEMY_CONN)
export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS ?= admin:admin
export AIRFLOW__API__HOST ?= 127.0.0.1
export AIRFLOW__API__PORT ?= 8080
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL ?= http://127.0.0.1:$(AIRFLOW__API__PORT)/execution/
export AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL ?= 30

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.installed: requirements.txt requirements-dev.txt
	python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-dev.txt
	touch $@

.PHONY: install
install: $(VENV)/.installed ## install everything into .venv

.PHONY: demo
demo: install ## the main job end to end, without network: a newsroom on loopback, a real Airflow, a brief
	$(PYTHON) -m tests.demo $(if $(STAY),--stay)

.PHONY: airflow-db
airflow-db: install
	@airflow db migrate >/dev/null 2>&1 && airflow pools import include/pools.json >/dev/null

.PHONY: up
up: airflow-db ## the real thing: live feeds, UI on 127.0.0.1:8080; Ctrl-C stops everything
	@$(PYTHON) -m include.login && exec airflow standalone

.PHONY: sql
sql: install ## the DuckDB client on the published database
	@duckdb -readonly $${NEWSWATCH_DATA_DIR:-data}/relations.duckdb

.PHONY: dictionary
dictionary: install ## docs/data_dictionary.md from the comments of the database
	NEWSWATCH_DATA_DIR=/nonexistent $(PYTHON) -m include.newswatch dictionary > docs/data_dictionary.md

.PHONY: test
test: install ## the fast tests
	$(PYTHON) -m pytest -n auto --dist loadfile

.PHONY: check
check: install ## ruff, mypy, requirements that fit together, the compose file's schema
	ruff check . && ruff format --check . && mypy
	$(PYTHON) -m pip check
	check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

.PHONY: audit
audit: install ## known vulnerabilities of the pinned versions; asks OSV, so it needs the internet (CI)
	pip-audit --requirement requirements.txt --requirement requirements-dev.txt --no-deps --disable-pip --vulnerability-service osv

.PHONY: test-all
test-all: install ## all tests: also a real scheduler and a browser
	$(PYTHON) -m pytest -m '' -n auto --dist loadfile

.PHONY: test-slow
test-slow: install ## what the fast tests leave out
	$(PYTHON) -m pytest -m slow

.PHONY: fuzz
fuzz: install ## mutated documents through every parser, ten minutes each
	$(PYTHON) -m tests.fuzz

.PHONY: chaos
KILLS ?= 100
chaos: install ## kill the road KILLS times at random moments; rows lost or doubled must be 0 (half an hour)
	$(PYTHON) -m tests.chaos --kills $(KILLS)

.PHONY: lock
lock: install ## compile requirements*.txt from requirements*.in
	uv pip compile --quiet --no-annotate --no-header --universal --python-version 3.11 requirements.in -o requirements.txt
	uv pip compile --quiet --no-annotate --no-header --universal --python-version 3.11 requirements-dev.in -o requirements-dev.txt

.PHONY: train
train: install ## train the scorer anew from training/corpus (PyTorch; most of an hour)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check -r training/requirements.txt
	$(PYTHON) -m training.train

.PHONY: evaluate
evaluate: install ## the scorer's figures on the test part of the corpus
	$(PYTHON) -m training.evaluate
