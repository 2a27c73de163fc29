# `make` builds ysc2onnx, gets ONNX Runtime and exports the ScConv example to model.onnx. `make help` lists the rest.

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all
.NOTPARALLEL:
MAKEFLAGS   += --no-print-directory

GO       ?= go
FUZZTIME ?= 30s

BIN         := bin/ysc2onnx
GOLANGCI    := v2.15.0
GOVULNCHECK := v1.9.0
TOOLS       := $(CURDIR)/bin/tools
LINTER      := $(TOOLS)/golangci-lint-$(GOLANGCI)/golangci-lint
VULNCHECK   := $(TOOLS)/govulncheck-$(GOVULNCHECK)/govulncheck

# A checkout that git does not trust, or none at all, builds too; the program then has no commit to show.
BUILDVCS := $(shell git status >/dev/null 2>&1 && echo auto || echo false)

# The packages that need no operating system and no C: all but ONNX Runtime's, the command and programs around it.
CORE = $(shell $(GO) list ./... | grep -vE '/(verify/ort|cmd|bench|examples)(/|$$)')

# A module of its own inside this one, which go's ./... leaves out: tests whose requirements users do not get.
NESTED := verify/peers

# The page: its folder here, what it loads beside its own files, and the folder that any server can show.
WEB      := bin/web
WEB_PACK := web/node_modules

# The packages of this module that have tests against peers; make check runs those of the others.
PEERS = $(filter-out ./$(NESTED)/%,$(sort $(dir $(shell grep -rls --include='*_test.go' '^//go:build peers' .))))

# The packages whose arithmetic has the same bits on every machine, and machines whose compilers fuse multiply-adds.
EXACT      := ./weights ./onnxbuild ./onnxbuild/passes ./modules ./heads
FUSING     := arm64 ppc64le s390x riscv64
FUSED_OPS  := F[A-Z]*M(ADD|SUB)[A-Z]*|FMA|FMA[A-WYZ][A-Z]*|WFM[AS][DS]B

title   = @printf '== %s\n' "$(1)"
# missing says that a check's tool cannot be had: a failure where CI=true, a loud skip elsewhere.
missing = if [[ "$${CI:-}" == true ]]; then echo "FAILED: $(1)" >&2; exit 1; else echo "*** SKIPPED: $(1) ***" >&2; fi
# tool installs $(2)@$(3) into the folder of $(1), unless it is there.
tool    = [[ -x $(1) ]] || { echo "installing $(2)@$(3) into bin/tools, once"; GOBIN=$(dir $(1)) $(GO) install $(2)@$(3) || true; }
# tested runs all tests of both modules with the flags $(1), and sums up: a failure of either is one of the whole.
SUMMARY = $(GO) run ./internal/testsummary
tested  = { rc=0; $(GO) test -json $(1) ./... || rc=1; $(GO) -C $(NESTED) test -json $(1) ./... || rc=1; exit $$rc; } | $(SUMMARY)

.PHONY: all
all: build runtime ## build, get ONNX Runtime, export examples/yolov5s_ScConv.yaml to model.onnx and verify it
	@$(BIN) examples/yolov5s_ScConv.yaml -o model.onnx

.PHONY: build
build: ## build bin/ysc2onnx
	@$(GO) build -buildvcs=$(BUILDVCS) -trimpath -o $(BIN) ./cmd/ysc2onnx

.PHONY: web
web: $(WEB_PACK)/.package-lock.json ## build the page that converts in the browser into bin/web, which any server can show
	@rm -rf $(WEB) && mkdir -p $(WEB)/ort $(WEB)/hashes $(WEB)/zip
	@cp $(filter-out %.json,$(wildcard web/*.*)) examples/yolov5n.yaml examples/deploy/web/yolo.js "$$($(GO) env GOROOT)/lib/wasm/wasm_exec.js" $(WEB)
	@cp examples/deploy/web/worker.js $(WEB)/detector.js
	@cp $(addprefix $(WEB_PACK)/onnxruntime-web/dist/,ort.wasm.bundle.min.mjs ort-wasm-simd-threaded.mjs ort-wasm-simd-threaded.wasm) $(WEB)/ort
	@cp $(addprefix $(WEB_PACK)/@noble/hashes/,sha2.js _md.js _u64.js utils.js LICENSE) $(WEB)/hashes
	@cp $(addprefix $(WEB_PACK)/client-zip/,index.js LICENSE.txt) $(WEB)/zip
	@GOOS=js GOARCH=wasm $(GO) build -buildvcs=$(BUILDVCS) -trimpath -ldflags="-s -w" -o $(WEB)/ysc2onnx.wasm ./cmd/ysc2onnx
	@cd $(WEB) && files=$$(find . -type f ! -name sw.js ! -name '*.d.ts' ! -name '*.mjs' ! -name node.js ! -name 'LICENSE*' | sort; echo ./ort/ort.wasm.bundle.min.mjs) && \
		version=$$(cat sw.js $$files | sha256sum | head -c 12) && \
		sed -i "s|@VERSION@|ysc2onnx-$$version|; s|'@FILES@'|$$(printf "'%s', " $$files)|" sw.js

$(WEB_PACK)/.package-lock.json: web/package-lock.json
	@npm --prefix web ci --silent

.PHONY: runtime
runtime: build ## put ONNX Runtime into the user's cache, unless it is there
	@$(BIN) runtime install

.PHONY: check
check: fmt vet lint tidy generate portable test test-readme ## everything that must hold before a commit; CI runs it

.PHONY: test
test: runtime ## run the tests; the last line counts them, and says why some were skipped
	$(call title,go test)
	@$(call tested,-timeout 10m)

.PHONY: test-readme
test-readme: runtime ## run the commands of README.md, in a copy of the checkout
	$(call title,the commands of README.md)
	@$(GO) test -json -tags readme -run '^TestReadmeCommands$$' -timeout 10m . | $(SUMMARY)

.PHONY: test-peers
test-peers: runtime ## run the tests against PyTorch, ONNX, OpenCV, Node.js and a browser too (what they need: .ci/run)
	$(call title,go test -tags peers)
	@$(GO) test -tags peers -timeout 20m $(PEERS)
	@$(GO) -C $(NESTED) test -tags peers -timeout 20m ./...

.PHONY: race
race: runtime ## run the tests with the race detector
	$(call title,go test -race)
	@$(call tested,-race -timeout 30m)

.PHONY: fmt
fmt: ## check that gofmt would change nothing
	$(call title,gofmt)
	@files=$$(gofmt -l .); [[ -z "$$files" ]] || { printf 'not formatted, run gofmt -w on:\n%s\n' "$$files" >&2; exit 1; }

.PHONY: vet
vet: ## go vet, with and without the tests that have tags
	$(call title,go vet)
	@$(GO) vet ./...
	@$(GO) vet -tags peers,readme ./...
	@$(GO) -C $(NESTED) vet ./...
	@$(GO) -C $(NESTED) vet -tags peers ./...

.PHONY: lint
lint: ## golangci-lint, built from source into bin/tools when missing
	$(call title,golangci-lint $(GOLANGCI))
	@$(call tool,$(LINTER),github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$(GOLANGCI))
	@if [[ -x $(LINTER) ]]; then $(LINTER) run ./... && cd $(NESTED) && $(LINTER) run ./...; else $(call missing,golangci-lint $(GOLANGCI) could not be installed); fi

.PHONY: tidy
tidy: ## check that each go.mod and go.sum lists what is used
	$(call title,go mod tidy -diff)
	@$(GO) mod tidy -diff
	@$(GO) -C $(NESTED) mod tidy -diff

.PHONY: generate
generate: ## check that generated files are what go generate writes
	$(call title,go generate)
	@if ! grep -rqs --include='*.go' '^//go:generate ' .; then exit 0; fi; \
	state() { git ls-files -z --cached --others --exclude-standard | xargs -0 sha256sum 2>/dev/null | LC_ALL=C sort -k2; }; \
	before=$$(state || true); $(GO) generate ./...; after=$$(state || true); \
	diff <(echo "$$before") <(echo "$$after") >/dev/null || { \
		echo 'generated files were out of date; they are written anew, look at git diff:' >&2; \
		{ diff <(echo "$$before") <(echo "$$after") || true; } | sed -n 's/^> [0-9a-f]*/ /p' >&2; exit 1; }

.PHONY: portable
portable: ## build for WebAssembly and without cgo; look for fused arithmetic where bits must agree
	$(call title,build for js/wasm and without cgo)
	@GOOS=js GOARCH=wasm $(GO) build $(CORE)
	@GOOS=js GOARCH=wasm $(GO) build -buildvcs=false -o /dev/null ./cmd/ysc2onnx
	@CGO_ENABLED=0 $(GO) build -buildvcs=false -o /dev/null ./...
	$(call title,no fused multiply-adds in $(EXACT) on $(FUSING))
	@for arch in $(FUSING); do \
		listing=$$(GOARCH=$$arch CGO_ENABLED=0 $(GO) build -gcflags=-S $(EXACT) 2>&1); \
		if grep -E '\s($(FUSED_OPS))\s' <<<"$$listing"; then echo "fused arithmetic for $$arch, see above" >&2; exit 1; fi; \
	done

# What is released: the systems of the archives. A build without cgo converts and checks structure and weights; only one with cgo, made
# on the system itself, runs files in ONNX Runtime.
RELEASED := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
DIST     := dist

.PHONY: dist
dist: ## archives of the program for Linux, macOS and Windows in dist/, with checksums; of this system with cgo
	$(call title,archives for $(RELEASED))
	@rm -rf $(DIST); mkdir -p $(DIST); own=$$($(GO) env GOOS)/$$($(GO) env GOARCH); version=$$(sed -n 's/^const Version = "\(.*\)"/\1/p' internal/version/version.go); \
	for target in $(RELEASED); do \
		os=$${target%/*} arch=$${target#*/}; name=ysc2onnx-$$version-$$os-$$arch; cgo=0; [[ $$target == "$$own" ]] && cgo=1; \
		mkdir $(DIST)/$$name; cp LICENSE README.md $(DIST)/$$name; \
		suffix=; [[ $$os == windows ]] && suffix=.exe; \
		CGO_ENABLED=$$cgo GOOS=$$os GOARCH=$$arch $(GO) build -buildvcs=$(BUILDVCS) -trimpath -ldflags='-s -w' -o $(DIST)/$$name/ysc2onnx$$suffix ./cmd/ysc2onnx; \
		tar -C $(DIST) --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -c $$name | gzip -n >$(DIST)/$$name.tar.gz; rm -r $(DIST)/$$name; \
	done
	@cd $(DIST) && sha256sum *.tar.gz >SHA256SUMS && cat SHA256SUMS

.PHONY: vuln
vuln: ## govulncheck of what users get; needs its database on the network
	$(call title,govulncheck $(GOVULNCHECK))
	@$(call tool,$(VULNCHECK),golang.org/x/vuln/cmd/govulncheck,$(GOVULNCHECK))
	@if [[ -x $(VULNCHECK) ]]; then $(VULNCHECK) ./...; else $(call missing,govulncheck $(GOVULNCHECK) could not be installed); fi

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@packages=$$($(GO) list ./...); for package in $$packages; do \
		targets=$$($(GO) test -list '^Fuzz' $$package | sed -n '/^Fuzz/p'); \
		for target in $$targets; do \
			printf '== %s %s\n' "$$package" "$$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: bench
bench: ## run the Go benchmarks
	@$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: clean
clean: ## remove what make built, but for the tools
	@rm -rf $(BIN) model.onnx model.onnx.*.data

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  %-11s %s\n' "$$name" "$$text"; done
