// SPDX-License-Identifier: Apache-2.0
#include "server/tls/development_certificate.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "server/durable_write.h"

namespace ota::server {

namespace {

constexpr int kDaySeconds = 24 * 60 * 60;
constexpr int kCaDays = 3650;
constexpr int kCertificateDays = 397;  // What browsers accept at most is 398.
constexpr int kRenewDays = 30;

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* thing) const {
    kFree(thing);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free>>;

Error TlsError(const std::string& what) {
  char reason[256] = "unknown reason";
  if (const unsigned long code = ERR_get_error(); code != 0) {
    ERR_error_string_n(code, reason, sizeof reason);
  }
  ERR_clear_error();
  return Error{what + ": " + reason};
}

std::string BioText(BIO* bio) {
  char* data = nullptr;
  const long length = BIO_get_mem_data(bio, &data);
  return std::string(data, static_cast<size_t>(length));
}

std::string KeyText(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return BioText(bio.get());
}

std::string CertificateText(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return BioText(bio.get());
}

bool IsAddress(const std::string& host) {
  uint8_t address[16];
  return inet_pton(AF_INET, host.c_str(), address) == 1 ||
         inet_pton(AF_INET6, host.c_str(), address) == 1;
}

bool IsDnsName(const std::string& host) {
  if (host.empty() || host.size() > 253) return false;
  return host.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") ==
         std::string::npos;
}

std::vector<std::string> AllHostNames(const std::vector<std::string>& wanted) {
  std::vector<std::string> all = {"localhost", "127.0.0.1", "::1"};
  char machine[256] = "";
  if (gethostname(machine, sizeof machine - 1) == 0 && IsDnsName(machine)) all.push_back(machine);
  for (const std::string& host : wanted) {
    if (IsAddress(host) || IsDnsName(host)) all.push_back(host);
  }
  return all;
}

std::string AlternativeNames(const std::vector<std::string>& hosts) {
  std::string names;
  for (const std::string& host : hosts) {
    names += (names.empty() ? "" : ",") + std::string(IsAddress(host) ? "IP:" : "DNS:") + host;
  }
  return names;
}

bool AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool SetSerialNumber(X509* certificate) {
  uint8_t bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return false;
  bytes[0] = (bytes[0] & 0x7F) | 0x40;  // Positive and of full length.
  const std::unique_ptr<BIGNUM, Freer<BN_free>> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate));
}

bool SetSubject(X509* certificate, const char* common_name) {
  X509_NAME* const name = X509_get_subject_name(certificate);
  return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                    reinterpret_cast<const unsigned char*>(common_name), -1, -1,
                                    0) == 1;
}

// What both certificates share; the subject is to be set before.
bool SetBasics(X509* certificate, X509* issuer, EVP_PKEY* key, int days) {
  return X509_set_version(certificate, 2) == 1 && SetSerialNumber(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), -kDaySeconds) != nullptr &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), long{days} * kDaySeconds) != nullptr &&
         X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1 &&
         X509_set_pubkey(certificate, key) == 1;
}

Certificate MakeCa(EVP_PKEY* key) {
  Certificate ca(X509_new());
  const bool is_made =
      ca && SetSubject(ca.get(), "OTA-TinyML development CA") &&
      SetBasics(ca.get(), ca.get(), key, kCaDays) &&
      AddExtension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
      AddExtension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign") &&
      AddExtension(ca.get(), ca.get(), NID_subject_key_identifier, "hash") &&
      X509_sign(ca.get(), key, EVP_sha256()) > 0;
  return is_made ? std::move(ca) : nullptr;
}

Certificate MakeServerCertificate(X509* ca, EVP_PKEY* ca_key, EVP_PKEY* key,
                                  const std::string& alternative_names) {
  Certificate made(X509_new());
  const bool is_made = made && SetSubject(made.get(), "OTA-TinyML development server") &&
                       SetBasics(made.get(), ca, key, kCertificateDays) &&
                       AddExtension(made.get(), ca, NID_basic_constraints, "critical,CA:FALSE") &&
                       AddExtension(made.get(), ca, NID_key_usage, "critical,digitalSignature") &&
                       AddExtension(made.get(), ca, NID_ext_key_usage, "serverAuth") &&
                       AddExtension(made.get(), ca, NID_subject_key_identifier, "hash") &&
                       AddExtension(made.get(), ca, NID_authority_key_identifier, "keyid:always") &&
                       AddExtension(made.get(), ca, NID_subject_alt_name, alternative_names) &&
                       X509_sign(made.get(), ca_key, EVP_sha256()) > 0;
  return is_made ? std::move(made) : nullptr;
}

Expected<Key> ReadKey(const std::string& path) {
  const Bio bio(BIO_new_file(path.c_str(), "r"));
  Key key(bio ? PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!key) return TlsError("cannot read the private key " + path);
  return key;
}

Expected<Certificate> ReadCertificate(const std::string& path) {
  const Bio bio(BIO_new_file(path.c_str(), "r"));
  Certificate certificate(bio ? PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr) : nullptr);
  if (!certificate) return TlsError("cannot read the certificate " + path);
  return certificate;
}

bool EndsWithin(const X509* certificate, int days) {
  time_t moment = time(nullptr) + time_t{days} * kDaySeconds;
  return X509_cmp_time(X509_get0_notAfter(certificate), &moment) <= 0;
}

bool NamesHost(X509* certificate, const std::string& host) {
  if (IsAddress(host)) return X509_check_ip_asc(certificate, host.c_str(), 0) == 1;
  return X509_check_host(certificate, host.c_str(), host.size(), 0, nullptr) == 1;
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

struct Ca {
  Key key;
  Certificate certificate;
};

Expected<Ca> MakeAndStoreCa(const std::string& certificate_path, const std::string& key_path) {
  Ca ca;
  ca.key.reset(EVP_EC_gen("P-256"));
  if (ca.key) ca.certificate = MakeCa(ca.key.get());
  if (!ca.certificate) return TlsError("cannot make the development CA");
  // The certificate last: a CA is there only when both are.
  Failure failure = WriteDurably(key_path, KeyText(ca.key.get()), 0600);
  if (!failure) {
    failure = WriteDurably(certificate_path, CertificateText(ca.certificate.get()), 0644);
  }
  if (failure) return *failure;
  return ca;
}

Expected<Ca> ReadCa(const std::string& certificate_path, const std::string& key_path) {
  Expected<Key> key = ReadKey(key_path);
  if (!key.ok()) {
    return Error{key.error().message + "; restore it, or remove " + certificate_path +
                 " to make a new CA, which all devices must then be given"};
  }
  Expected<Certificate> certificate = ReadCertificate(certificate_path);
  if (!certificate.ok()) return certificate.error();
  if (X509_check_private_key(certificate->get(), key->get()) != 1) {
    ERR_clear_error();
    return Error{certificate_path + " and " + key_path +
                 " do not belong together; restore the right one, or remove both"};
  }
  if (EndsWithin(certificate->get(), kRenewDays)) {
    return Error{
        "the development CA " + certificate_path +
        " ends within 30 days; move it away to make a new one, and give that to all devices"};
  }
  return Ca{std::move(*key), std::move(*certificate)};
}

// Whether the stored certificate is still right: by this CA, for these names, with its key, not
// ending.
bool IsStillGood(const DevelopmentCertificate& paths, X509* ca,
                 const std::vector<std::string>& hosts) {
  if (!Exists(paths.certificate_path) || !Exists(paths.key_path)) return false;
  Expected<Certificate> certificate = ReadCertificate(paths.certificate_path);
  Expected<Key> key = ReadKey(paths.key_path);
  bool is_good = certificate.ok() && key.ok() &&
                 X509_check_private_key(certificate->get(), key->get()) == 1 &&
                 X509_verify(certificate->get(), X509_get0_pubkey(ca)) == 1 &&
                 !EndsWithin(certificate->get(), kRenewDays);
  for (const std::string& host : hosts) is_good = is_good && NamesHost(certificate->get(), host);
  ERR_clear_error();
  return is_good;
}

}  // namespace

Expected<DevelopmentCertificate> EnsureDevelopmentCertificate(
    const std::string& directory, const std::vector<std::string>& host_names) {
  DevelopmentCertificate made = {.ca_path = directory + "/ca.pem",
                                 .certificate_path = directory + "/server.pem",
                                 .key_path = directory + "/server.key"};
  const std::string ca_key_path = directory + "/ca.key";
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return Error{"cannot make the directory " + directory + ": " + std::strerror(errno) +
                 "; give a --data that can be written"};
  }
  made.is_ca_new = !Exists(made.ca_path);
  Expected<Ca> ca = made.is_ca_new ? MakeAndStoreCa(made.ca_path, ca_key_path)
                                   : ReadCa(made.ca_path, ca_key_path);
  if (!ca.ok()) return ca.error();
  const std::vector<std::string> hosts = AllHostNames(host_names);
  if (IsStillGood(made, ca->certificate.get(), hosts)) return made;

  made.is_certificate_new = true;
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate = key ? MakeServerCertificate(ca->certificate.get(), ca->key.get(),
                                                              key.get(), AlternativeNames(hosts))
                                      : nullptr;
  if (!certificate) return TlsError("cannot make the server certificate");
  Failure failure = WriteDurably(made.key_path, KeyText(key.get()), 0600);
  if (!failure) {
    failure = WriteDurably(made.certificate_path, CertificateText(certificate.get()), 0644);
  }
  if (failure) return *failure;
  return made;
}

}  // namespace ota::server
