.PHONY: help run test build ui lint generate bench corpus fuzz mutants soak
help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile
run: ## build and serve the sample estate; FROM=context:NAME serves a cluster; SENSOR=1 watches this machine with a sensor
	test/build.sh breakwater $(if $(SENSOR),breakwater-sensor)
	bin/breakwater serve $(if $(FROM),--from '$(FROM)',--sample $(if $(SENSOR),--sensor))
test: setup lint ui ## install what the tests need and run everything
	test/go.sh
	test/fuzz.sh
	test/mutants.sh changed
build: ## the binaries with the portal in them, as bin/breakwater and bin/breakwater-sensor
	test/build.sh breakwater breakwater-sensor
ui: ## check and test the portal, and build it as ui/dist
	test/ui.sh check
setup:
	test/setup.sh
lint: ## gofmt, vet, staticcheck, errcheck, sloglint and the forbidden arrows
	test/lint.sh
generate: ## everything that is made from something else
	go generate ./... && npm --prefix ui run generate
bench: ## measurements, as ratios against a named alternative; about five minutes
	test/bench.sh
corpus: ## score the judges and the matcher on other people's cases; CORPUS=DIR
	BREAKWATER_CORPUS=$(abspath $(or $(CORPUS),../shared/corpus)) go test ./test/corpus ./vuln -run 'Corpus|RemoteCodeRule' -v -count=1
fuzz: ## every fuzz test, half a minute each
	test/fuzz.sh 30s
mutants: ## small faults that no test notices, in the packages that decide; PKG=./rbac
	test/mutants.sh $(PKG)
soak: ## what moves, five to twenty times on a busy machine, and a slow browser
	test/soak.sh
