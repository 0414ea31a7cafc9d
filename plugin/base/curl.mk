# libcurl.a, HTTP only, c-ares instead of getaddrinfo (a static glibc must never dlopen NSS), nghttp2 for one connection.
# Debian's own libcurl.a wants gssapi, for which there is no archive; so Debian's source is built, cached outside the checkout.
# Elsewhere: make CURL_DIR=/prefix of a static curl (include/curl/curl.h, lib/libcurl.a) built with the same switches.

CURL_VERSION := 7.88.1
CACHE_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kubejoin
CURL_DIR ?= $(CACHE_DIR)/curl-$(CURL_VERSION)-$(DEB_ARCH)
CURL_SWITCHES := --disable-shared --enable-static --with-openssl --with-zlib --enable-ares --with-nghttp2 \
  --without-libpsl --without-brotli --without-zstd --without-libidn2 --without-librtmp --without-libssh2 --without-gssapi \
  --without-ca-bundle --without-ca-path --disable-ldap --disable-ldaps --disable-ftp --disable-file --disable-dict \
  --disable-telnet --disable-tftp --disable-pop3 --disable-imap --disable-smb --disable-smtp --disable-gopher --disable-mqtt \
  --disable-rtsp --disable-manual --disable-ntlm --disable-cookies --disable-netrc --disable-alt-svc --disable-hsts --disable-doh \
  --disable-dependency-tracking --enable-symbol-hiding --disable-libcurl-option --disable-get-easy-options

# deb-src through a private list made from the machine's own mirrors: the machine's configuration is not touched.
$(CURL_DIR)/lib/libcurl.a:
	@set -eu; t=$$(mktemp -d); trap 'rm -rf "$$t"' EXIT; mkdir -p "$$t/lists/partial"; \
	apt-get indextargets --format '$$(SITE) $$(RELEASE)' 'Created-By: Packages' | sort -u | \
	  awk '{print "deb-src " $$1 " " $$2 " main"}' > "$$t/src.list"; \
	test -s "$$t/src.list" || { echo "curl: no package mirror configured; give CURL_DIR=/prefix of a static curl" >&2; exit 1; }; \
	o="-o Dir::Etc::SourceList=$$t/src.list -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists=$$t/lists -o APT::Sandbox::User=root"; \
	echo "curl: building $(CURL_VERSION) into $(CURL_DIR)"; \
	apt-get $$o -qq update && cd "$$t" && apt-get $$o -qq source --only-source curl >/dev/null && cd curl-$(CURL_VERSION) && \
	{ ./configure --prefix="$$t/out" $(if $(CROSS),--host=$(CROSS:-=)) CFLAGS="-O2 -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 -ffile-prefix-map=$$t=." $(CURL_SWITCHES) && \
	  $(MAKE) -C lib install && $(MAKE) -C include install; } > "$$t/log" 2>&1 || { tail -30 "$$t/log" >&2; exit 1; }; \
	mkdir -p "$$(dirname $(CURL_DIR))"; rm -rf "$(CURL_DIR)"; mv "$$t/out" "$(CURL_DIR)"
