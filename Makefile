# vecdb: `make run` sets everything up and runs the main job, `make test`
# passes the tests. `make help` lists the rest.

GO    ?= go
BIN   := bin/vecdb
DB    ?= demo-data
ADDR  ?= 127.0.0.1:8080
LIMIT ?= 20000
FILE  ?=

# Models and the runtime library are kept here, outside the project.
export VECDB_HOME ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vecdb

DEMO := $(BIN) demo --db $(DB) --limit $(LIMIT) $(if $(FILE),--file $(FILE))

# The models that `make release` puts into the binary.
BUNDLE  := all-MiniLM-L6-v2 bge-small-zh-v1.5
RELEASE := build/release/vecdb

.PHONY: help build setup release release-check run demo test check race lint purego generate bench bench-peers bench-full bench-quality bench-embed openai-check clean

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/vecdb
	@mkdir -p bin
	$(GO) build -buildvcs=auto -trimpath -o $(BIN) ./cmd/vecdb

setup: build ## Fetch the default models (once)
	@$(BIN) setup

release: ## Build build/release/vecdb: one static file with the default models in it
	@mkdir -p build/release
	CGO_ENABLED=0 $(GO) build -trimpath -o build/release/packer ./cmd/vecdb
	build/release/packer setup --model-runtime native --quiet
	@rm -rf embedder/bundle/files
	@for m in $(BUNDLE); do mkdir -p embedder/bundle/files/$$m && \
		cp "$(VECDB_HOME)/models/$$m/packed-int8.bin" "$(VECDB_HOME)/models/$$m/tokenizer.json" embedder/bundle/files/$$m/ || exit 1; done
	CGO_ENABLED=0 $(GO) build -tags release -buildvcs=auto -trimpath -ldflags="-s -w" -o $(RELEASE) ./cmd/vecdb
	@rm -rf embedder/bundle/files build/release/packer
	@ls -l $(RELEASE)

release-check: ## Try that file alone in an empty folder without a network
	bench/release/check $(RELEASE)

run: setup ## Set up, fill a demo database with real text, search it, serve it
	@$(DEMO) --serve --addr $(ADDR)

demo: setup ## The same without the server
	@$(DEMO)

test: setup ## Run all tests
	@$(BIN) setup --precision fp32 --quiet
	@$(BIN) setup --model-runtime onnx --quiet
	VECDB_REQUIRE_MODELS=1 $(GO) test -timeout 30m ./...

check: lint race purego ## Run vet, lint, the race detector and the build without cgo

race: setup ## Run the tests under the race detector
	@$(BIN) setup --precision fp32 --quiet
	@$(BIN) setup --model-runtime onnx --quiet
	VECDB_REQUIRE_MODELS=1 $(GO) test -race -timeout 30m ./...

lint: ## Run go vet, gofmt and golangci-lint
	$(GO) vet ./...
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "run gofmt -w on these files"; exit 1; }
	$(GO) tool -modfile=tools/go.mod golangci-lint run ./...

purego: ## Build and test what works without cgo and assembly
	CGO_ENABLED=0 $(GO) build -tags purego ./...
	CGO_ENABLED=0 $(GO) vet -tags purego ./...
	CGO_ENABLED=0 $(GO) test -tags purego -timeout 30m ./internal/... ./index/... ./storage/... ./query/...
	CGO_ENABLED=0 $(GO) test -tags purego -short -timeout 30m ./embedder/...
	CGO_ENABLED=0 $(GO) test ./embedder/native

generate: ## Generate the assembly kernels again
	$(GO) generate ./internal/simd

bench: setup ## Measure recall and latency on the demo database
	@$(BIN) bench --db $(DB) --html bench.html

PEERS   := build/peers
VECTORS  = $(GO) run ./bench/peers/vectors

bench-peers: setup $(PEERS)/50k/base.npy ## Measure other libraries beside vecdb on 50,000 vectors (half an hour)
	bench/peers/run --base $(PEERS)/50k/base.npy --queries $(PEERS)/50k/queries.npy $(PEERS_FLAGS)

bench-full: setup $(PEERS)/1m/base.npy $(PEERS)/1m-128/base.npy $(PEERS)/200k-768/base.npy ## The same on 1,000,000 vectors and other dimensions (a night)
	for set in 1m 1m-128 200k-768; do \
		bench/peers/run --base $(PEERS)/$$set/base.npy --queries $(PEERS)/$$set/queries.npy \
			--rivals vecdb,hnswlib,faiss,usearch,glass,glassppy,svs,symphonyqg,zvec,scann,weaviate \
			--phases search,threads,filters,inserts --one-at-a-time $(PEERS_FLAGS) || exit 1; \
	done

$(PEERS)/50k/base.npy:
	$(VECTORS) -count 50000 -out $(@D)

$(PEERS)/1m/base.npy:
	$(VECTORS) -count 1000000 -out $(@D)

$(PEERS)/1m-128/base.npy: $(PEERS)/1m/base.npy
	bench/peers/project 128 $(<D)/base.npy $(<D)/queries.npy $(@D)

$(PEERS)/200k-768/base.npy:
	$(BIN) model pull bge-small-en-v1.5
	$(VECTORS) -count 200000 -models all-MiniLM-L6-v2,bge-small-en-v1.5 -out $(@D)

bench-quality: setup ## Measure the quality of answers beside plain specialists on the data in DATA (half an hour)
	bench/quality/run --data $(DATA) $(QUALITY_FLAGS)

bench-embed: setup ## Measure other runtimes of models beside vecdb on the same texts (half an hour)
	@$(BIN) setup --precision fp32 --quiet
	@$(BIN) setup --model-runtime onnx --quiet
	bench/embed/run $(EMBED_FLAGS)

openai-check: setup ## Ask a server with OpenAI's official Python client
	client/openai/check $(BIN)

clean: ## Delete what was built (models and databases stay)
	rm -rf bin build
