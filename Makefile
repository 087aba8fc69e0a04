# SPDX-License-Identifier: Apache-2.0
# The front door. Everything real is in CMake and tools/; `make help` lists the targets.

.PHONY: help build demo test test-threads test-exhaustive fuzz bench format tidy clean models test-models packages packages-test

help:            ## List the targets
	@grep -E '^[a-z-]+: .*##|^[a-z-]+: +##' Makefile | sed -E 's/:.*## */\t/' | expand -t 18

packages:
	@tools/install_packages.sh build

packages-test: packages
	@tools/install_packages.sh test

build: packages  ## Build build/ota-tinyml
	cmake --preset release
	cmake --build --preset release

demo: packages   ## Serve our models, fetch them over HTTPS, store and run them; boot again offline
	cmake --preset release
	cmake --build --preset release --target ota-tinyml
	tools/demo.sh

test: packages-test  ## Format, cross builds, release, clang-tidy, fuzz slices, sanitizers
	tools/run_tests.sh

test-threads: packages-test  ## The tests with threads under the thread sanitizer
	cmake --preset tsan
	cmake --build --preset tsan
	ctest --preset tsan

models:          ## Train our own models again (TensorFlow from PyPI, some minutes)
	@tools/install_packages.sh models
	tools/make_models.sh train

test-models:     ## Make tests/models and their golden vectors again
	@tools/install_packages.sh models
	tools/make_models.sh test-models

test-exhaustive: packages-test  ## Wav2letter in patches; CUTS (default 10^6) power cuts on the model store; JOB=2 JOBS=5: a part
	tools/test_exhaustive.sh

fuzz: packages-test  ## Fuzz every parser, FUZZ_SECONDS (default 600) each; FUZZ_PRESET=fuzz-plain: no sanitizers
	tools/fuzz.sh

format: packages-test  ## Format our C++ in place
	git ls-files -co --exclude-standard '*.h' '*.cc' | xargs clang-format-16 -i

tidy: packages-test  ## clang-tidy over our C++
	cmake --preset release
	tools/tidy.sh

bench: packages-test  ## Run the benchmark programs
	cmake --preset release
	cmake --build --preset release
	tools/bench.sh

clean:           ## Remove what was built
	rm -rf build demo-state
