# Targets of image-builder/: included by the Makefile, which knows BUILD and DEB_ARCH.

.PHONY: image-deps image seal-test nspawn bake bake-measure dist dist-deps dist-test
image-deps: ## install what baking and booting need (image-builder/packages.txt)
	@missing=$$(sed 's/#.*//' image-builder/packages.txt | while read -r p; do dpkg-query -W -f '$${Status}' "$$p" 2>/dev/null | grep -q 'ok installed' || echo "$$p"; done); \
	test -z "$$missing" || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

image: $(BUILD)/kubejoin image-deps ## scripts, templates, units, order, examples, packages: without booting
	@KUBEJOIN=$(abspath $<) tests/e2e/image-builder.sh

seal-test: $(BUILD)/kubejoin image-deps ## a real Debian, used, sealed, verified, booted again; the timeline of its boot in a browser (1 minute)
	@KUBEJOIN=$(abspath $<) tests/e2e/seal.sh

nspawn: $(BUILD)/kubejoin image-deps ## real systemd and cloud-init of two Debians in containers, a real cluster (2 minutes)
	@KUBEJOIN=$(abspath $<) tests/e2e/nspawn.sh $(CASES)

bake: $(BUILD)/kubejoin image-deps ## Packer bakes, qemu boots, the real kubelet is Ready (7 minutes with warm caches)
	@KUBEJOIN=$(abspath $<) tests/e2e/bake.sh $(STORIES)

bake-measure: $(BUILD)/kubejoin image-deps ## power-on to Ready: kubejoin's unit, kubejoin and kubeadm from runcmd, RUNS=3 boots of each
	@KUBEJOIN=$(abspath $<) RUNS=$(RUNS) tests/e2e/bake.sh measure

# ---- packages, for both architectures: the one that is not this machine's by Debian's cross compiler --------------------------
ARCHES := amd64 arm64
GNU_amd64 := x86_64-linux-gnu
GNU_arm64 := aarch64-linux-gnu
native := $(shell dpkg --print-architecture 2>/dev/null)
# cross ARCH: the make that builds for ARCH. Its libraries come from their packages, unpacked into the cache.
cross = $(MAKE) --no-print-directory BUILD=$(BUILD)/$(1) DEB_ARCH=$(1) CROSS=$(GNU_$(1))- \
  INCLUDES='-isystem $(CACHE_DIR)/sysroot-$(1)/usr/include -isystem $(CACHE_DIR)/sysroot-$(1)/usr/include/$(GNU_$(1))' \
  LIBRARIES=-L$(CACHE_DIR)/sysroot-$(1)/usr/lib/$(GNU_$(1))

dist: dist-deps $(BUILD)/kubejoin ## .deb, tarball, SBOM, checksums for amd64 and arm64 in build/dist
	@rm -rf $(BUILD)/dist
	+@$(foreach arch,$(filter-out $(native),$(ARCHES)),$(call cross,$(arch)) $(CACHE_DIR)/sysroot-$(arch)/packages && $(call cross,$(arch)) deps && $(call cross,$(arch)) $(BUILD)/$(arch)/kubejoin &&) true
	@$(foreach arch,$(ARCHES),DEB_ARCH=$(arch) NATIVE=$(BUILD)/kubejoin SYSROOT=$(CACHE_DIR)/sysroot-$(arch) \
	  image-builder/package.sh $(BUILD)/$(if $(filter $(native),$(arch)),,$(arch)/)kubejoin $(BUILD)/dist &&) true

dist-test: dist $(OUT)/standin ## what make dist made: the same twice, sound, installs, and arm64 joins (under qemu)
	@tests/dist.sh $(BUILD) $(OUT)/standin

DIST_PACKAGES := $(foreach arch,$(filter-out $(native),$(ARCHES)),g++-$(GNU_$(arch))) qemu-user-static groff man-db bash-completion
dist-deps:
	@missing=$$(for p in $(DIST_PACKAGES); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	test -z "$$missing" || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }
