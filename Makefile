# kubejoin: the one entry for people and CI. `make help` lists the targets. What may be given (make NAME=VALUE):
#
#   MODE        release (default), asan                    BUILD      where everything that is made goes: build
#   CXX         g++ 12 or newer, clang++ 14 or newer       CROSS      a cross compiler's prefix: aarch64-linux-gnu-
#   DEB_ARCH    the machine that the program is for        CACHE_DIR  what outlives a checkout: ~/.cache/kubejoin
#   CURL_DIR    prefix of a static, HTTP-only libcurl (plugin/base/curl.mk); built from Debian's source when not given
#   INCLUDES    more flags for headers that are not in the compiler's own path: -isystem /opt/openssl/include
#   LIBRARIES   more flags for archives: -L/opt/openssl/lib
#   CCACHE      empty: compile without ccache
#   RELEASE     1.37 (default), 1.20: of the real cluster

VERSION := 0.1.0
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:

MODE ?= release
BUILD ?= build
CROSS ?=
CXX := $(if $(filter default undefined,$(origin CXX)),$(CROSS)g++,$(CXX))
ifeq ($(origin CCACHE),undefined)
  CCACHE := $(shell command -v ccache)
endif
DEB_ARCH ?= $(shell dpkg --print-architecture 2>/dev/null || uname -m)
OUT := $(BUILD)/$(MODE)

include plugin/base/curl.mk

# ---- flags ------------------------------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wconversion -Wmissing-declarations -Werror
SYSTEM := -isystem $(CURL_DIR)/include $(INCLUDES)
CPPFLAGS := -Iplugin $(SYSTEM) -DRAPIDJSON_HAS_STDSTRING=1 -DKUBEJOIN_VERSION='"$(VERSION)"'
CXXFLAGS := -std=c++20 -g1 $(WARN) -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(abspath $(BUILD))=build -fstack-protector-strong -MMD -MP
ARCHIVES := curl nghttp2 cares ssl crypto z
override LIBRARIES := -L$(CURL_DIR)/lib $(LIBRARIES)
LIBS := $(LIBRARIES) $(ARCHIVES:%=-l%) -lyaml-cpp
ifeq ($(MODE),asan)
  CXXFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
  LDFLAGS := -fsanitize=address,undefined
  # rapidjson's stack.h adds 0 to a null pointer, which clang's newer check takes for an error.
  ifneq ($(findstring clang,$(CXX)),)
    CXXFLAGS += -fno-sanitize=pointer-overflow
  endif
else ifeq ($(MODE),fuzz)
  CXX := clang++
  CXXFLAGS += -O1 -fno-omit-frame-pointer -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize=pointer-overflow -fno-sanitize-recover=all
  LDFLAGS := -fsanitize=address,undefined,fuzzer
else
  # -Os: a third of -O2's code here, compiled in half the time; what takes time at run time is OpenSSL's, the server's, the kubelet's.
  CXXFLAGS += -Os -D_FORTIFY_SOURCE=2 -fPIE -ffunction-sections -fdata-sections
  # lld: folds equal functions and packs a static-pie's 20000 relative relocations (DT_RELR, which glibc 2.36 applies itself).
  LDFLAGS := -fuse-ld=lld -static-pie -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--gc-sections,--icf=all,--pack-dyn-relocs=relr -Wl,--build-id=sha1
  # A cross compiler looks for lld beside its own tools only.
  LDFLAGS += $(if $(CROSS),-B$(dir $(realpath $(shell command -v ld.lld))))
  LIBS := $(ARCHIVES:%=$(OUT)/lib/lib%.a) $(LIBRARIES) -lyaml-cpp
endif

# ---- what is built ----------------------------------------------------------------------------------------------------
PLUGIN := $(sort $(shell find plugin -name '*.cc'))
SCHEMAS := $(sort $(wildcard schemas/*.json))
UNIT := $(sort $(shell find tests/unit -name '*.cc' 2>/dev/null))
STANDIN := $(sort $(wildcard tests/standin/*.cc))
PLUGIN_OBJ := $(PLUGIN:%.cc=$(OUT)/%.o) $(OUT)/gen/schemas.o
LIB_OBJ := $(filter-out $(OUT)/plugin/main.o,$(PLUGIN_OBJ))
UNIT_OBJ := $(UNIT:%.cc=$(OUT)/%.o)
STANDIN_OBJ := $(STANDIN:%.cc=$(OUT)/%.o)
FUZZ := $(sort $(wildcard tests/fuzz/*.cc))
PURE := $(sort $(wildcard $(addprefix plugin/,base/http.cc base/result.cc base/secret.cc base/text.cc image/lines.cc image/secrets.cc image/table.cc image/traces.cc $(addsuffix /*.cc,parse kube schema config))))
PURE_OBJ := $(PURE:%.cc=$(OUT)/%.o) $(OUT)/gen/schemas.o

.PHONY: all help deps
all: $(BUILD)/kubejoin ## build build/kubejoin

help: ## list the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  \1\t\2/' | expand -t 20

# ---- the machine's packages -------------------------------------------------------------------------------------------
PACKAGES := g++ clang clang-tidy clang-format lld make libssl-dev libc-ares-dev libnghttp2-dev zlib1g-dev libyaml-cpp-dev \
  rapidjson-dev doctest-dev libexpected-dev libclang-rt-14-dev dpkg-dev file \
  binutils shellcheck jq json-schema-test-suite python3 python3-jsonschema python3-yaml openssl ca-certificates iproute2 xz-utils ccache strace

deps: ## install what the build and the tests need (Debian packages; static curl into the cache)
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	test -z "$$missing" || { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }
	@$(MAKE) --no-print-directory $(CURL_DIR)/lib/libcurl.a

# An absent header is told by its package, not by a page of compiler text.
$(OUT)/headers.ok: Makefile plugin/base/curl.mk
	@mkdir -p $(@D); ok=1; $(if $(findstring lld,$(LDFLAGS)),command -v ld.lld >/dev/null || { echo "kubejoin: the linker lld is missing: install lld (on Debian: make deps)" >&2; ok=0; };) \
	while read -r header package; do \
	  echo "#include <$$header>" | $(CXX) -std=c++20 $(SYSTEM) -E -x c++ - >/dev/null 2>&1 || \
	    { echo "kubejoin: <$$header> is missing: install $$package (on Debian: make deps)" >&2; ok=0; }; \
	done < <(printf '%s\n' 'tl/expected.hpp libexpected-dev' 'openssl/ssl.h libssl-dev' 'yaml-cpp/yaml.h libyaml-cpp-dev' 'rapidjson/document.h rapidjson-dev' \
	  'zlib.h zlib1g-dev' 'nghttp2/nghttp2.h libnghttp2-dev' 'ares.h libc-ares-dev' 'curl/curl.h a-static-curl-in-CURL_DIR'); \
	test $$ok = 1 && touch $@

# Tests are compiled more often than they run.
$(OUT)/tests/unit/%.o: CXXFLAGS := $(filter-out -O% -D_FORTIFY_SOURCE=%,$(CXXFLAGS)) -O0 -DDOCTEST_CONFIG_SUPER_FAST_ASSERTS

# What other flags made is made anew.
FLAGS := $(strip $(CXX) $(CPPFLAGS) $(CXXFLAGS))
ifneq ($(FLAGS),$(strip $(file <$(OUT)/flags)))
.PHONY: $(OUT)/flags
endif
$(OUT)/flags:
	@mkdir -p $(@D); printf '%s\n' '$(subst ','\'',$(FLAGS))' > $@

$(OUT)/%.o: %.cc $(OUT)/flags | $(OUT)/headers.ok $(CURL_DIR)/lib/libcurl.a
	@mkdir -p $(@D); echo "  CXX $<"; $(CCACHE) $(CXX) $(CPPFLAGS) $(CXXFLAGS) -c $< -o $@

$(OUT)/gen/schemas.cc: $(SCHEMAS) Makefile
	@mkdir -p $(@D); { echo '// Generated from schemas/*.json.'; echo '#include <string_view>'; echo '#include <utility>'; \
	  echo 'namespace kubejoin::schema {'; echo 'extern const std::pair<std::string_view, std::string_view> kSchemaTexts[]; extern const unsigned kSchemaCount;'; \
	  echo 'const std::pair<std::string_view, std::string_view> kSchemaTexts[] = {'; \
	  for f in $(SCHEMAS); do printf '{"%s", R"json(' "$$(basename $$f .json)"; cat $$f; printf ')json"},\n'; done; \
	  echo '{"", ""}};'; echo 'const unsigned kSchemaCount = $(words $(SCHEMAS));'; echo '}'; } > $@
$(OUT)/gen/schemas.o: $(OUT)/gen/schemas.cc
	@$(CCACHE) $(CXX) -std=c++20 $(filter -O% -f% -g,$(CXXFLAGS)) -c $< -o $@

# Nothing is thrown through C, so its tables for unwinding (0.6 MB) are left out.
archive = $(or $(firstword $(wildcard $(patsubst -L%,%/lib$(1).a,$(LIBRARIES)))),$(shell $(CXX) -print-file-name=lib$(1).a))
$(OUT)/lib/lib%.a: $(OUT)/flags | $(CURL_DIR)/lib/libcurl.a
	@mkdir -p $(@D); test -e "$(call archive,$*)" || { echo "kubejoin: the archive lib$*.a is missing: install the package that has it, or say where it is: LIBRARIES=-L/folder" >&2; exit 1; }; \
	$(CROSS)objcopy --remove-section=.eh_frame "$(call archive,$*)" $@
$(OUT)/kubejoin.debug $(OUT)/unit $(OUT)/standin: Makefile $(filter %.a,$(LIBS))

$(OUT)/kubejoin.debug: $(PLUGIN_OBJ)
	@echo "  LD  $@"; $(CXX) $(LDFLAGS) $(filter %.o,$^) $(LIBS) -o $@
$(OUT)/kubejoin: $(OUT)/kubejoin.debug
	@$(CROSS)strip -o $@ $<
$(BUILD)/kubejoin: $(OUT)/kubejoin
	@cp $< $@.new && mv $@.new $@
$(OUT)/unit: $(UNIT_OBJ) $(LIB_OBJ)
	@echo "  LD  $@"; $(CXX) $(LDFLAGS) $(filter %.o,$^) $(LIBS) -o $@
$(OUT)/standin: $(STANDIN_OBJ) $(LIB_OBJ)
	@echo "  LD  $@"; $(CXX) $(LDFLAGS) $(filter %.o,$^) $(LIBS) -o $@

$(OUT)/pure.a: $(PURE_OBJ)
	@rm -f $@; ar rcs $@ $^
$(FUZZ:%.cc=$(OUT)/%): %: %.o $(OUT)/pure.a
	@echo "  LD  $@"; $(CXX) $(LDFLAGS) $^ $(LIBS) -o $@

-include $(FUZZ:%.cc=$(OUT)/%.d) $(PLUGIN_OBJ:.o=.d) $(UNIT_OBJ:.o=.d) $(STANDIN_OBJ:.o=.d)

# ---- tests ------------------------------------------------------------------------------------------------------------
.PHONY: fuzz fuzz-build mistakes oracle readme test unit asan cases crash demo metadata check-build layers lint cluster-up cluster-down reference e2e bench storm
RELEASE ?= 1.37

test: deps ## set up, build, and run every test that needs no cluster
	@$(MAKE) --no-print-directory -j2 all unit layers check-build lint readme mistakes cases

unit: $(OUT)/unit ## unit tests
	@$(OUT)/unit

asan: ## unit tests once more under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory -j2 MODE=asan unit

fuzz: ## every parser under libFuzzer, FUZZ_SECONDS=60 each
	@$(MAKE) --no-print-directory -j2 MODE=fuzz fuzz-build
	@tests/fuzz/run.sh $(BUILD)/fuzz/tests/fuzz
fuzz-build: $(FUZZ:%.cc=$(OUT)/%)

mistakes: $(BUILD)/kubejoin ## what users get wrong, and every word that they are told
	@tests/mistakes/run.sh $(BUILD)/kubejoin

oracle: $(BUILD)/kubejoin ## real cloud-init, Cluster API, Ignition and kubeadm judge what the user writes; built once into the cache
	@tests/oracle/run.sh $(BUILD)/kubejoin

readme: $(BUILD)/kubejoin ## what README.md shows is what the program prints
	@tests/readme.sh $(BUILD)/kubejoin

cases: $(BUILD)/kubejoin $(OUT)/standin ## whole-program cases against the stand-in API server, which plays every fault
	@tests/cases/run.sh -j 2 $(BUILD)/kubejoin $(OUT)/standin | { grep -v '^ok' || true; }

CRASH_EVERY ?= 1
crash: $(BUILD)/kubejoin $(OUT)/standin ## kill the program at each system call that changes anything, finish with a second run
	@tests/crash.sh -j 2 --every $(CRASH_EVERY) $(BUILD)/kubejoin $(OUT)/standin

demo: deps ## see a join: no cluster is needed
	@$(MAKE) --no-print-directory -j2 $(BUILD)/kubejoin $(OUT)/standin
	@tests/demo.sh $(BUILD)/kubejoin $(OUT)/standin

metadata: $(BUILD)/kubejoin ## the sources against recorded services at their real addresses, in a network namespace
	@tests/metadata/run.sh $(BUILD)/kubejoin

layers: ## who includes whom, against tests/layers.txt
	@tests/check-layers.sh

check-build: $(BUILD)/kubejoin ## what was built: static, hardened, small, without NSS, alone in an empty chroot
	@tests/check-build.sh $(BUILD)/kubejoin $(OUT)/kubejoin.debug $(OUT)/plugin $(CURL_DIR)/lib/libcurl.a

lint: ## shellcheck
	@shellcheck -S warning -x -P SCRIPTDIR tests/*.sh tests/cases/*.sh tests/metadata/*.sh tests/fuzz/*.sh tests/mistakes/run.sh tests/oracle/*.sh tests/cluster/*.sh tests/reference/*.sh tests/e2e/*.sh tests/bench/*.sh image-builder/steps/*.sh && echo "lint: ok"

cluster-up: ## a real control plane of RELEASE=1.37 or 1.20 in a network namespace
	@tests/cluster/up.sh $(RELEASE)
cluster-down: ## take it down
	@tests/cluster/down.sh $(RELEASE)

reference: $(BUILD)/kubejoin ## every sentence of the reference page, a test a statement, on a real 1.37 and a real 1.20
	@KUBEJOIN=$(BUILD)/kubejoin tests/reference/run.sh 1.37
	@KUBEJOIN=$(BUILD)/kubejoin tests/reference/run.sh 1.20

bench: $(BUILD)/kubejoin ## kubejoin and real kubeadm in turn against the same API servers: N=10 rounds, RELEASE= one of 1.37 and 1.20
	@tests/bench/validate.sh $(BUILD)/kubejoin
	@tests/bench/run.sh $(BUILD)/kubejoin $(if $(filter file,$(origin RELEASE)),1.37 1.20,$(RELEASE))

storm: $(BUILD)/kubejoin ## a boot storm: JOINS=30 machines at once against a real API server
	@tests/bench/storm.sh $(BUILD)/kubejoin $(RELEASE)

e2e: $(BUILD)/kubejoin ## real nodes join real clusters, kubeadm beside them as the oracle; every sentence of the page; every metadata source
	@tests/e2e/join.sh $(BUILD)/kubejoin
	@tests/e2e/reset.sh $(BUILD)/kubejoin
	@$(MAKE) --no-print-directory reference metadata

# ---- compilers and style: each file on its own, nothing is linked --------------------------------------------------------
.PHONY: clang tidy check-reproducible
CLANG ?= clang++
ALL_CC := $(PLUGIN) $(UNIT) $(STANDIN)
CHECK_FLAGS = $(filter-out -MMD -MP,$(CPPFLAGS) $(CXXFLAGS))

$(OUT)/clang/%.ok: %.cc $(OUT)/flags | $(OUT)/headers.ok $(CURL_DIR)/lib/libcurl.a
	@mkdir -p $(@D); echo "  CLANG $<"; $(CLANG) $(CHECK_FLAGS) -fsyntax-only -MMD -MP -MT $@ -MF $(@:.ok=.d) $< && touch $@
# Headers are looked at with the first file that includes them.
$(OUT)/tidy/%.ok: %.cc .clang-tidy $(OUT)/clang/%.ok
	@mkdir -p $(@D); echo "  TIDY $<"; clang-tidy --quiet $< -- $(filter-out -Werror,$(CHECK_FLAGS)) 2>/dev/null && touch $@
-include $(ALL_CC:%.cc=$(OUT)/clang/%.d)

clang: $(ALL_CC:%.cc=$(OUT)/clang/%.ok) ## everything through clang++ too, with the same warnings as errors
tidy: $(PLUGIN:%.cc=$(OUT)/tidy/%.ok) ## clang-tidy over plugin/: the checks of .clang-tidy (make -j2 tidy)

check-reproducible: $(BUILD)/kubejoin ## build again in another folder: the same bytes (minutes)
	@tests/check-reproducible.sh $(BUILD)/kubejoin

include image-builder/image-builder.mk
