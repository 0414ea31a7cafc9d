// What a static program must never do: load libraries of the machine it runs on. OpenSSL and c-ares refer to calls that
// would (resolver modules of nsswitch.conf, OpenSSL providers) on paths that kubejoin does not take; defined here, they
// refuse, and libc's own are not even linked. Nor is what else would only make it larger.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KJ_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define KJ_SANITIZED 1
#endif

#include <dlfcn.h>
#include <netdb.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <cstdio>
#include <exception>

namespace {

// The host's openssl.cnf may name providers to be loaded, or break a TLS that must work before anybody can log in and
// mend it. This runs before main(), as OpenSSL reads the file at its first use by anybody; once refused, it is not read
// later.
[[gnu::constructor]] void ignore_host_openssl_config() { OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr); }

}  // namespace

#ifndef KJ_SANITIZED  // a sanitizer's runtime is a shared program's, and needs the real ones

extern "C" {

int getaddrinfo(const char*, const char*, const addrinfo*, addrinfo**) { return EAI_FAIL; }
void freeaddrinfo(addrinfo*) noexcept {}
int getnameinfo(const sockaddr*, socklen_t, char*, socklen_t, char*, socklen_t, int) { return EAI_FAIL; }
hostent* gethostbyname(const char*) { return nullptr; }
servent* getservbyname(const char*, const char*) { return nullptr; }
int getservbyport_r(int, const char*, servent*, char*, size_t, servent** result) {
  *result = nullptr;
  return 0;
}
void* dlopen(const char*, int) noexcept { return nullptr; }
void* dlsym(void*, const char*) noexcept { return nullptr; }
int dlclose(void*) noexcept { return -1; }
char* dlerror() noexcept { return nullptr; }
int dladdr(const void*, Dl_info*) noexcept { return 0; }

// OpenSSL's table of ciphers by their old names, for encrypted PEM and PKCS#12 (0.15 MB). TLS asks the provider.
void openssl_add_all_ciphers_int();
void openssl_add_all_ciphers_int() {}

}  // extern "C"

namespace {

// An exception that nobody caught is a defect: said in one line, with its exit status.
[[noreturn]] void tell_and_exit() {
  const char* what = "terminated";
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "unknown exception";
  }
  std::fprintf(stderr, "kubejoin: error: %s [internal.exception]\n  hint: this is a defect of kubejoin\n", what);
  _exit(70);
}

}  // namespace

// In the place of the default, which brings a demangler (0.05 MB).
namespace __cxxabiv1 {
extern std::terminate_handler __terminate_handler;
std::terminate_handler __terminate_handler = tell_and_exit;
}  // namespace __cxxabiv1

#endif
