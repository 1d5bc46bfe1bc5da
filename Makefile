# What README's commands call. Everything works from a clean clone: `setup` installs what is missing.

# Package.swift turns warnings into errors by it. Set for every build, or switching between two targets of this file
# would compile the package anew.
export SIDECAR_STRICT = 1

# The product. Run-time exclusivity checks, NIO's included, cost 5 % of a request; debug builds keep them.
# Without exported symbols what nothing calls can be left out of the binary.
RELEASE = -c release --static-swift-stdlib --product sidecar -Xswiftc -enforce-exclusivity=unchecked \
	-Xlinker --no-export-dynamic

MINUTES ?= 20

.PHONY: run test s3-rgw image stack build setup lint format bench soak accept fuzz clean

# The sidecar in front of $LITELLM_URL, or of a real LiteLLM with stand-in models.
run: build
	@scripts/run

# Everything that can fail: form, unit tests, integration with real components, a short fuzz run.
test:
	@scripts/setup test
	@scripts/test

# The tests of S3 stores against a second server, Ceph's gateway; `make test` has rclone.
s3-rgw: build
	@scripts/setup test rgw
	S3_SERVER=rgw .venv/bin/python -m pytest Tests/Integration/test_media_stores.py
	S3_SERVER=rgw .venv/bin/python -m pytest Tests/Integration/test_media_litellm.py -k https

# The image of docker/Dockerfile, built and tested with podman, and the drop-in before a real LiteLLM.
image:
	@scripts/image

# docker/compose.yml up with podman: PostgreSQL, LiteLLM, the sidecar, Open WebUI, Redis, Prometheus and Alertmanager.
# Open WebUI's packages take 3 GB.
stack:
	@scripts/setup run stack
	@scripts/image Tests/Container/test_stack.py

build: setup
	swift build $(RELEASE)

setup:
	@scripts/setup run

lint:
	swift format lint --strict --recursive Sources Tests Package.swift

format:
	swift format --in-place --recursive Sources Tests Package.swift

# Side by side with nginx, haproxy and LiteLLM, then with other token counters and with the clients of other proxies, on
# this machine. Takes an hour.
bench: build
	@scripts/setup test bench
	Tests/Benchmarks/run
	Tests/Benchmarks/run --targets sidecar,litellm --workloads a,b,d --rounds 1 --starts 0
	Tests/Benchmarks/tokens
	.venv/bin/python Tests/Benchmarks/hops

# Ten minutes of mixed traffic; fails on an answer that is mixed up with another's and on anything leaked.
soak: build
	Tests/Benchmarks/soak

# What takes too long for `make test`: 1 GB each way through every kind of proxy, 100 bodies of 10 MB at once.
accept: build
	@scripts/setup test
	EGRESS_MB=1024 .venv/bin/python -m pytest Tests/Integration/test_egress_peers.py -k "bulk_each_way and not upstream"
	MEDIA_LOAD=100x10 .venv/bin/python -m pytest Tests/Integration/test_media_load.py

# A longer search of every parser of foreign bytes: make fuzz MINUTES=60
fuzz: build
	scripts/fuzz --minutes $(MINUTES)

clean:
	rm -rf .build var
