# libcurl.a, HTTP only, c-ares instead of getaddrinfo (a static glibc must never dlopen NSS), nghttp2 for one connection.
# Debian's own libcurl.a wants gssapi, for which there is no archive; so Debian's source is built, cached outside the checkout: that of
# Debian 13 on 12 too, for 7.88.1 loses an answer that arrives beside another one on the same HTTP/2 connection.
# Elsewhere: make CURL_DIR=/prefix of a static curl (include/curl/curl.h, lib/libcurl.a) built with the same switches.

CURL_VERSION := 8.14.1
CURL_SUITE := trixie
CACHE_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kubejoin
CURL_DIR ?= $(CACHE_DIR)/curl-$(CURL_VERSION)-$(DEB_ARCH)
CURL_SWITCHES := --disable-shared --enable-static --with-openssl --with-zlib --enable-ares --with-nghttp2 \
  --without-libpsl --without-brotli --without-zstd --without-libidn2 --without-librtmp --without-libssh2 --without-gssapi \
  --without-ca-bundle --without-ca-path --disable-ldap --disable-ldaps --disable-ftp --disable-file --disable-dict \
  --disable-telnet --disable-tftp --disable-pop3 --disable-imap --disable-smb --disable-smtp --disable-gopher --disable-mqtt \
  --disable-rtsp --disable-manual --disable-ntlm --disable-cookies --disable-netrc --disable-alt-svc --disable-hsts --disable-doh \
  --disable-websockets --disable-ipfs --disable-form-api --disable-mime --disable-headers-api --disable-tls-srp --disable-aws \
  --disable-digest-auth --disable-bearer-auth --disable-negotiate-auth --disable-kerberos-auth --disable-docs \
  --disable-dependency-tracking --enable-symbol-hiding --disable-libcurl-option --disable-get-easy-options

# private_apt KIND, OPTIONS, SUITE: $$t, a temporary folder; $$o, apt's options for the machine's own mirrors, of SUITE if given, in
# lists of ours: neither its configuration nor its package state is touched. One at a time, as others may be waiting for the same thing.
define private_apt
set -eu; mkdir -p "$(CACHE_DIR)"; exec 9>"$(CACHE_DIR)/lock"; flock 9; test ! -e $@ || exit 0; \
t=$$(mktemp -d); trap 'rm -rf "$$t"' EXIT; mkdir -p "$$t/lists/partial"; \
apt-get indextargets --format '$$(SITE) $$(RELEASE)' 'Created-By: Packages' | sort -u | awk '{print "$(1) " $$1 " " $$2 " main"}' > "$$t/src.list"; \
$(if $(3),sed -Ei "s/ $$(. /etc/os-release; echo "$$VERSION_CODENAME")(-[a-z-]+)? main/ $(3)\1 main/" "$$t/src.list";) \
test -s "$$t/src.list" || { echo "kubejoin: no package mirror is configured; give CURL_DIR=/prefix of a static curl" >&2; exit 1; }; \
o="-o Dir::Etc::SourceList=$$t/src.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$$t/lists -o APT::Sandbox::User=root $(2)"; \
apt-get $$o -qq update; cd "$$t"
endef

$(CURL_DIR)/lib/libcurl.a:
	@$(call private_apt,deb-src,,$(CURL_SUITE)); echo "curl: building $(CURL_VERSION) into $(CURL_DIR)"; \
	for v in $$(apt-cache $$o showsrc curl | sed -n 's/^Version: \($(CURL_VERSION)-.*\)/\1/p' | sort -rVu); do \
	  ! apt-get $$o -qq source --only-source "curl=$$v" > "$$t/log" 2>&1 || break; done; test -d curl-$(CURL_VERSION) || { cat "$$t/log" >&2; exit 1; }; \
	cd curl-$(CURL_VERSION) && \
	{ ./configure --prefix="$$t/out" $(if $(CROSS),--host=$(CROSS:-=)) CPPFLAGS="$(INCLUDES)" LDFLAGS="$(filter-out -L$(CURL_DIR)/lib,$(LIBRARIES))" \
	    CFLAGS="-Os -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$$t=." $(CURL_SWITCHES) && \
	  $(MAKE) -C lib install && $(MAKE) -C include install; } > "$$t/log" 2>&1 || { tail -30 "$$t/log" >&2; exit 1; }; \
	mkdir -p "$$(dirname $(CURL_DIR))"; rm -rf "$(CURL_DIR)"; mv "$$t/out" "$(CURL_DIR)"

# The libraries of another architecture, unpacked beside this machine's: SYSROOT/packages says which, in which version.
SYSROOT := $(CACHE_DIR)/sysroot-$(DEB_ARCH)
SYSROOT_PACKAGES := libssl-dev libc-ares-dev libnghttp2-dev zlib1g-dev libyaml-cpp-dev
$(SYSROOT)/packages:
	@$(call private_apt,deb,-o APT::Architecture=$(DEB_ARCH) -o APT::Architectures=$(DEB_ARCH) -o Dir::State::status=/dev/null); \
	echo "sysroot: $(SYSROOT_PACKAGES) of $(DEB_ARCH) into $(SYSROOT)"; \
	apt-get $$o -qq download $(SYSROOT_PACKAGES) >/dev/null; mkdir out; for p in *.deb; do dpkg-deb -x "$$p" out; dpkg-deb -W "$$p"; done > out/packages; \
	rm -rf "$(SYSROOT)"; mv out "$(SYSROOT)"
