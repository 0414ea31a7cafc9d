# Targets of image-builder/: included by the Makefile, which knows BUILD and DEB_ARCH.

.PHONY: image-deps image nspawn bake dist
image-deps: ## install what baking and booting need (image-builder/packages.txt)
	@missing=$$(sed 's/#.*//' image-builder/packages.txt | while read -r p; do dpkg-query -W -f '$${Status}' "$$p" 2>/dev/null | grep -q 'ok installed' || echo "$$p"; done); \
	test -z "$$missing" || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

image: $(BUILD)/kubejoin image-deps ## scripts, templates, units, order, examples, packages: without booting
	@KUBEJOIN=$(abspath $<) tests/e2e/image-builder.sh

nspawn: $(BUILD)/kubejoin image-deps ## real systemd and cloud-init of two Debians in containers, a real cluster (10 minutes)
	@KUBEJOIN=$(abspath $<) tests/e2e/nspawn.sh $(CASES)

bake: $(BUILD)/kubejoin image-deps ## Packer bakes, qemu boots, the real kubelet is Ready (15 minutes)
	@KUBEJOIN=$(abspath $<) tests/e2e/bake.sh $(STORIES)

dist: $(BUILD)/kubejoin ## .deb, tarball, SBOM, checksums in build/dist
	@DEB_ARCH=$(DEB_ARCH) image-builder/package.sh $< $(BUILD)/dist
