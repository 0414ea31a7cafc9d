// Key, request and certificate of a node, with OpenSSL.
#include "kube/csr.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

#include "base/text.h"
#include "kube/certificate.h"
#include "kube/openssl.h"

namespace kubejoin::kube {
namespace {

constexpr std::string_view kOrganization = "system:nodes", kNamePrefix = "system:node:";

// Instead of OpenSSL's own, which would ask the terminal for the passphrase of an encrypted key.
int no_passphrase(char*, int, int, void*) { return -1; }

PkeyPtr read_key(const Secret& pem) {
  const BioPtr in = read_from(pem.expose());
  return PkeyPtr(PEM_read_bio_PrivateKey(in.get(), nullptr, no_passphrase, nullptr));
}

bool is_p256(const EVP_PKEY* key) {
  char group[32] = "";
  return EVP_PKEY_is_a(key, "EC") == 1 && EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) == 1 &&
         std::string_view(group) == SN_X9_62_prime256v1;
}

std::string taken(unsigned char* der, int size) {
  if (size <= 0) return {};
  std::string text(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return text;
}
std::string spki_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  return taken(der, size);
}
std::string spki_of(const X509* certificate) {  // as it stands there: no key is made of it
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  return taken(der, size);
}

Result<Identity> identity_of(const PkeyPtr& key) {
  const BioPtr out = write_to_memory();
  Identity identity;
  if (PEM_write_bio_PrivateKey_traditional(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1)
    identity.key_pem = Secret(written(out.get()));
  identity.spki_der = spki_of(key.get());
  if (identity.key_pem.empty() || identity.spki_der.empty())
    return fail(Kind::internal, "kube.key", "unable to encode the node's key: " + openssl_reason());
  return identity;
}

// Go writes a PrintableString where the text allows it; OpenSSL would choose UTF8String, and the bytes of the request
// would differ.
bool add_entry(X509_NAME* name, int nid, const std::string& text) {
  constexpr std::string_view kPrintable = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?";
  const int type = text.find_first_not_of(kPrintable) == text.npos ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING;
  return X509_NAME_add_entry_by_NID(name, nid, type, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

X509NamePtr node_subject(const std::string& node_name) {
  X509NamePtr name(X509_NAME_new());
  if (!name || !add_entry(name.get(), NID_organizationName, std::string(kOrganization)) ||
      !add_entry(name.get(), NID_commonName, std::string(kNamePrefix) + node_name))
    return nullptr;
  return name;
}

X509ListPtr certificates_of(const std::vector<Certificate>& certificates) {
  X509ListPtr list(sk_X509_new_null());
  for (const Certificate& certificate : certificates) {
    const auto* at = reinterpret_cast<const unsigned char*>(certificate.der.data());
    sk_X509_push(list.get(), d2i_X509(nullptr, &at, static_cast<long>(certificate.der.size())));
  }
  return list;
}

// Empty when `chain` leads from its leaf to `root` at `now` and may be used by a TLS client; else the reason.
std::string chain_fault(X509* leaf, STACK_OF(X509) * between, X509* root, WallTime now) {
  const X509StorePtr store(X509_STORE_new());
  const X509StoreCtxPtr context(X509_STORE_CTX_new());
  if (!store || !context || X509_STORE_add_cert(store.get(), root) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), leaf, between) != 1)
    return openssl_reason();
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(rules, std::chrono::system_clock::to_time_t(now));
  X509_VERIFY_PARAM_set_flags(
      rules, X509_V_FLAG_PARTIAL_CHAIN);  // Go trusts every certificate of the bundle, intermediates too
  X509_VERIFY_PARAM_set_purpose(rules, X509_PURPOSE_SSL_CLIENT);
  const bool verified = X509_verify_cert(context.get()) == 1;
  ERR_clear_error();
  return verified ? "" : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

// The same for a bundle. Its certificates are tried one by one, because OpenSSL takes the first issuer of the right
// name for the only one, and while a CA is being replaced there are two "CN=kubernetes".
std::string chain_fault(STACK_OF(X509) * chain, const std::vector<Certificate>& roots, WallTime now) {
  const X509ListPtr trusted = certificates_of(roots);
  std::string fault;
  for (int i = 0; i < sk_X509_num(trusted.get()); ++i) {
    fault = chain_fault(sk_X509_value(chain, 0), chain, sk_X509_value(trusted.get(), i), now);
    if (fault.empty()) break;
  }
  return fault;
}

// What the certificate may do beyond what the signer's contract has for a kubelet (kubernetes.io/kube-apiserver-client-kubelet:
// "digital signature", "key encipherment", "client auth", no CA); empty: nothing.
std::string excess_of(X509* leaf) {
  if ((X509_get_extension_flags(leaf) & EXFLAG_CA) != 0) return "it is a CA (CA:TRUE): whoever has its key can make certificates of others";
  const std::uint32_t usage = X509_get_key_usage(leaf);
  if (usage != UINT32_MAX && (usage & ~static_cast<std::uint32_t>(KU_DIGITAL_SIGNATURE | KU_KEY_ENCIPHERMENT)) != 0) return "its key may be used for more than a kubelet needs: key usage " + std::to_string(usage);
  const std::unique_ptr<EXTENDED_KEY_USAGE, Freer<EXTENDED_KEY_USAGE_free>> extended(static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(leaf, NID_ext_key_usage, nullptr, nullptr)));
  if (!extended) return "it is not limited to client authentication";
  for (int i = 0; i < sk_ASN1_OBJECT_num(extended.get()); ++i) {
    const ASN1_OBJECT* one = sk_ASN1_OBJECT_value(extended.get(), i);
    char name[80] = "";
    OBJ_obj2txt(name, sizeof name, one, 0);
    if (OBJ_obj2nid(one) != NID_client_auth) return "it is for more than client authentication: " + std::string(name);
  }
  return {};
}

}  // namespace

Result<Identity> make_identity() {
  const PkeyPtr key(EVP_EC_gen(SN_X9_62_prime256v1));
  if (!key) return fail(Kind::internal, "kube.key", "unable to make the node's key: " + openssl_reason());
  return identity_of(key);
}

Result<Identity> parse_identity(const Secret& key_pem) {
  const PkeyPtr key = read_key(key_pem);
  if (!key)
    return fail(Kind::machine, "kube.key", "unable to read the node's key: " + openssl_reason(),
                "remove the file that holds it: a new key is made then");
  if (!is_p256(key.get()))
    return fail(Kind::machine, "kube.key", "unable to use the node's key: it is not an ECDSA P-256 key",
                "remove the file that holds it: a new key is made then");
  return identity_of(key);
}

Result<std::string> make_csr(const Identity& identity, const std::string& node_name) {
  const PkeyPtr key = read_key(identity.key_pem);
  const X509ReqPtr request(X509_REQ_new());
  const X509NamePtr subject = node_subject(node_name);
  const BioPtr out = write_to_memory();
  if (!key || !request || !subject || X509_REQ_set_subject_name(request.get(), subject.get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) == 0 ||
      PEM_write_bio_X509_REQ(out.get(), request.get()) != 1)
    return fail(
        Kind::internal, "kube.csr",
        "unable to make the certificate signing request for node " + quoted(node_name) + ": " + openssl_reason());
  return written(out.get());
}

std::string csr_name(std::string_view spki_der, const std::string& node_name, std::span<const std::string> usages) {
  // '|' is not in the alphabet of base64url, so no two inputs make the same text.
  std::string digested = base64url(spki_der) + "|" + base64url(std::string(kNamePrefix) + node_name) + "|" +
                         base64url(kOrganization) + "|";
  for (const std::string& usage : usages) digested += base64url(usage) + "|";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  EVP_Digest(digested.data(), digested.size(), digest, &length, EVP_sha512_256(), nullptr);
  return "node-csr-" + base64url({reinterpret_cast<char*>(digest), length});
}

std::string csr_object(const std::string& name, const std::string& csr_pem, const std::string& api_version) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> json(out);
  const auto text = [&](std::string_view key, std::string_view value) {
    json.Key(key.data(), static_cast<rapidjson::SizeType>(key.size()));
    json.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  json.StartObject();
  text("apiVersion", api_version);
  text("kind", "CertificateSigningRequest");
  json.Key("metadata");
  json.StartObject();
  text("name", name);
  json.EndObject();
  json.Key("spec");
  json.StartObject();
  text("request", base64(csr_pem));
  text("signerName", kNodeSigner);
  json.Key("usages");
  json.StartArray();
  for (const std::string& usage : kNodeUsages) json.String(usage);
  json.EndArray();
  json.EndObject();
  json.EndObject();
  return {out.GetString(), out.GetSize()};
}

Status check_issued(std::string_view cert_pem, const Identity& identity, const std::string& node_name,
                    std::string_view ca_pem, WallTime now) {
  const std::string signer_hint =
      "look at the cluster's signer: the approved request got a certificate of no use to a node";
  const std::string clock_hint = "compare the clocks of this machine and of the control plane";
  const auto refused = [&](const std::string& why, const std::string& hint) {
    return fail(Kind::untrusted, "bootstrap.certificate",
                "unable to use the certificate that was issued for node " + quoted(node_name) + ": " + why, hint);
  };
  const auto chain = parse_certificates(cert_pem);
  if (!chain) return refused(chain.error().message, signer_hint);
  const auto roots = parse_certificates(ca_pem);
  if (!roots) return refused("the cluster's CA: " + roots.error().message, signer_hint);

  const Certificate& leaf = chain->front();
  const X509ListPtr x509 = certificates_of(*chain);
  if (spki_of(sk_X509_value(x509.get(), 0)) != identity.spki_der)
    return refused("it is for another key", signer_hint);
  const std::string name = std::string(kNamePrefix) + node_name;
  if (leaf.common_name != name || leaf.organizations != std::vector<std::string>{std::string(kOrganization)})
    return refused(
        "its subject is " + quoted(leaf.subject) + ", not \"CN=" + name + ",O=" + std::string(kOrganization) + "\"",
        signer_hint);
  if (now < leaf.not_before)
    return refused("it is not valid before " + rfc3339(leaf.not_before) + ", and now is " + rfc3339(now), clock_hint);
  if (now > leaf.not_after)
    return refused("it has expired at " + rfc3339(leaf.not_after) + ", and now is " + rfc3339(now), clock_hint);
  if (const std::string excess = excess_of(sk_X509_value(x509.get(), 0)); !excess.empty()) return refused(excess, signer_hint);
  CHECK_OK(check_keys(*roots));
  if (const std::string fault = chain_fault(x509.get(), *roots, now); !fault.empty())
    return refused("the cluster's CA does not vouch for it as a client: " + fault, signer_hint);
  return {};
}

Status check_compatible(const Csr& csr, const Identity& identity, const std::string& node_name) {
  const auto refused = [&](const std::string& why) {
    return fail(Kind::untrusted, "bootstrap.csr-incompatible",
                "unable to go on with the existing CertificateSigningRequest " + quoted(csr.name) + ": " + why,
                "remove it with 'kubectl delete csr " + printable(csr.name) + "'");
  };
  if (!csr.signer_name.empty() && csr.signer_name != kNodeSigner)
    return refused("its signer is " + quoted(csr.signer_name));
  const BioPtr in = read_from(csr.request);
  const X509ReqPtr request(PEM_read_bio_X509_REQ(in.get(), nullptr, no_passphrase, nullptr));
  if (!request) return refused("its request is malformed (" + openssl_reason() + ")");
  const X509NamePtr subject = node_subject(node_name);
  if (!subject || X509_NAME_cmp(X509_REQ_get_subject_name(request.get()), subject.get()) != 0)
    return refused("its subject is another one");
  const PkeyPtr key = read_key(identity.key_pem);
  const bool ours = key && X509_REQ_verify(request.get(), key.get()) == 1;
  ERR_clear_error();
  return ours ? Status() : refused("it is not signed by this node's key");
}

}  // namespace kubejoin::kube
