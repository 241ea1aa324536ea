# What a person does with this repository. `make help` lists it.
SHELL   := /bin/bash
VERSION := $(shell cat build/VERSION)
COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X haoke/backend.Version=$(VERSION) -X haoke/backend.Commit=$(COMMIT)
# Whose notices of newer versions are believed, and where they are looked for.
LDFLAGS += $(if $(UPDATE_KEYS),-X haoke/backend.UpdateKeys=$(UPDATE_KEYS)) $(if $(UPDATE_ADDRESS),-X haoke/backend.UpdateAddress=$(UPDATE_ADDRESS))
# -trimpath here and not on single lines: one build cache for everything.
export GOFLAGS := -buildvcs=false -trimpath

.PHONY: help setup setup-test setup-installers frontend daemon desktop run test test-go test-race test-fuzz test-web test-desktop bench lint clean windows linux mac docker release reproduce test-installers vuln

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: ## install what building needs and is missing
	@build/setup.sh

setup-test: ## ... and what testing needs
	@build/setup.sh test

setup-installers: ## ... and what making and trying installers needs
	@build/setup.sh installers

frontend: setup ## build the widget and the admin page
	@build/frontend.sh

daemon: frontend ## build/bin/haoked, the server without a window
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o build/bin/haoked ./backend/cmd/haoked
	@build/daemon-size.sh build/bin/haoked

desktop: frontend ## build/bin/haoke, the window with the server inside
	CGO_ENABLED=1 go build -tags webkit2_41,desktop,production -ldflags '$(LDFLAGS)' -o build/bin/haoke .

run: setup ## build and start the appliance
	@build/run.sh

test: setup-test ## set up whatever is missing and run every test
	@build/test.sh

test-go: ## Go tests alone
	CGO_ENABLED=0 go test ./backend/... ./frontend ./installers/...

test-race: ## the concurrent packages under the race detector
	CGO_ENABLED=1 go test -race -short $(addprefix ./backend/internal/,$(RACE))
RACE := engine gateway wsconn session sqlite upstream admit keypool metrics logs settings auth filter

test-fuzz: ## each fuzz target for some seconds
	@build/fuzz.sh 5s

test-web: daemon ## browser tests against the real daemon
	@build/frontend.sh test
	cd frontend/e2e && npm test

test-desktop: desktop ## the real window under a virtual display
	@build/test-desktop.sh

bench: daemon ## short form of every benchmark, one table
	@build/bin/haoked bench --short

bench-readme: daemon ## ... into the tables of both READMEs, on a quiet machine
	@mkdir -p build/tmp
	build/bin/haoked bench --short --json > build/tmp/bench.json
	@node build/bench-readme.mjs build/tmp/bench.json

lint: ## formatting and go vet
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	CGO_ENABLED=0 go vet ./backend/... ./frontend ./installers/...

windows: setup-installers frontend ## build/dist: installers for Windows, amd64 and arm64
	@installers/windows/build.sh

linux: setup-installers frontend ## build/dist: deb, rpm and tar.gz
	@installers/linux/build.sh

mac: setup-installers frontend ## build/dist: the daemon for macOS; the app only on a Mac
	@installers/darwin/build.sh

docker: setup-installers frontend ## build/dist: the container image, where there is an engine
	@installers/docker/build.sh

release: setup-installers frontend ## every artefact with sums, licences, list of parts and update notice
	@installers/release.sh

reproduce: ## build the release once more in another folder and compare
	@installers/reproduce.sh

test-installers: setup-installers ## large: install, run, upgrade and remove what was built
	@installers/test.sh

vuln: ## known vulnerabilities in what is linked (GOVULNDB: a database of your own)
	@build/vuln.sh

clean: ## remove what was built
	rm -rf build/bin build/dist build/tmp build/shots build/reports
