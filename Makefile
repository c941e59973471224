# Every target works from a fresh clone: tools/in_environment makes .venv (or takes the active virtual environment) on first use.
PYTHON ?= python3
RUN := PYTHON=$(PYTHON) tools/in_environment

# Threads that spin while they wait take the core from the process they wait for.
export OMP_WAIT_POLICY ?= PASSIVE

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo demo-weights test check format soak bench-accuracy bench-refine bench-capture bench-networks bench-prepare bench-engine bench-gpu bench-ros results parameters-doc environment colcon clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo 'ARGS="..." is passed on, e.g. make test ARGS="-k camera". PYTHON=python3.12 chooses the interpreter of .venv.'
	@echo 'An active virtual environment, a sourced ROS 2 installation and the settings of pip (index, proxy) are used as they are.'

demo: ## simulate an operating room on a real CT, register four vertebrae, print their errors
	@$(RUN) python -m radgs_reg_ros.demo $(ARGS)

demo-weights: ## train the networks that come with the demo (20 minutes on two cores); ARGS="--minutes 5"
	@$(RUN) python -m radgs_reg_ros.demo.make_weights $(ARGS)

test: ## all tests
	@$(RUN) python -m pytest -q $(ARGS)

check: ## formatting, lint and types
	@$(RUN) ruff format --check
	@$(RUN) ruff check
	@$(RUN) mypy

format: ## put the code into the format that check asks for
	@$(RUN) ruff check --fix
	@$(RUN) ruff format

bench-accuracy: ## accuracy of the whole system and its parts over a hundred varied studies, networks included (up to 3 h); QUICK=1: minutes
	@$(RUN) python -m benchmarks.accuracy $(if $(filter-out 0,$(QUICK)),--quick) $(ARGS)

bench-refine: ## accuracy and time of the refinement over twenty seeds, beside a peer, and its capture range
	@$(RUN) python -m benchmarks.refine $(ARGS)

bench-capture: ## only the capture range of the refinement
	@$(RUN) python -m benchmarks.capture_range $(ARGS)

bench-networks: ## train the networks that the rows of bench-accuracy need (an hour)
	@$(RUN) python -m benchmarks.accuracy_training $(ARGS)

bench-prepare: ## time and memory of preparing five levels
	@$(RUN) python -m benchmarks.prepare

bench-engine: ## speed of rasterizer and voxelizer beside peers, errors, cost against size; and the fit
	@$(RUN) python -m benchmarks.engine $(ARGS)

bench-gpu: ## the kernels on CUDA: the same results as on the CPU, and times
	@$(RUN) python -m benchmarks.gpu

bench-ros: ## what ROS adds to the core's own time, and offline replay beside the live run; QUICK=1: few pairs
	@$(RUN) python -m benchmarks.ros $(if $(filter-out 0,$(QUICK)),--quick) $(ARGS)

soak: ## the node under load: MINUTES=2 of X-rays at 30 Hz with triggers, 100 lifecycle loops, 20 starts of the process
	@$(RUN) python -m benchmarks.soak $(if $(MINUTES),--minutes $(MINUTES)) $(ARGS)

results: ## write docs/results and the tables of docs/performance.md from what the benchmarks left
	@$(RUN) python -m benchmarks.document
	@$(RUN) python -m benchmarks.document_performance

parameters-doc: ## write docs/parameters.md from the declarations of the parameters
	@$(RUN) python -m radgs_reg_ros.parameter_docs docs/parameters.md

environment: ## only make or update the environment
	@$(RUN) true

colcon: ## build the ROS package with colcon into install/
	@$(RUN) colcon build $(ARGS)

clean: ## remove the environment and everything built
	rm -rf .venv build install log dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
