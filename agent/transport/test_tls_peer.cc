// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/test_tls_peer.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace ota::agent {
namespace {

/// Tests cannot go on without what they asked for.
template <typename T>
T* Must(T* pointer) {
  if (pointer == nullptr) std::abort();
  return pointer;
}
void Must(int ok) {
  if (ok <= 0) std::abort();
}

void AddExtension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension =
      Must(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  Must(X509_add_ext(certificate, extension, -1));
  X509_EXTENSION_free(extension);
}

std::string Drain(BIO* bio) {
  char* data = nullptr;
  const auto length = static_cast<size_t>(BIO_get_mem_data(bio, &data));
  std::string text(data, length);
  BIO_free(bio);
  return text;
}

}  // namespace

std::string TestIdentity::ToPem() const {
  BIO* const bio = BIO_new(BIO_s_mem());
  Must(PEM_write_bio_X509(bio, certificate.get()));
  return Drain(bio);
}

std::string TestIdentity::ToDer() const {
  BIO* const bio = BIO_new(BIO_s_mem());
  Must(i2d_X509_bio(bio, certificate.get()));
  return Drain(bio);
}

TestIdentity MakeTestIdentity(const TestCertificateOptions& options) {
  static long serial = 1;
  TestIdentity identity;
  identity.key.reset(Must(EVP_EC_gen(OBJ_nid2sn(options.curve))), EVP_PKEY_free);
  identity.certificate.reset(Must(X509_new()), X509_free);
  X509* const certificate = identity.certificate.get();
  X509* const issuer =
      options.issuer != nullptr ? options.issuer->certificate.get() : identity.certificate.get();
  Must(X509_set_version(certificate, 2));
  Must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial));
  X509_gmtime_adj(X509_getm_notBefore(certificate), options.valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(certificate), options.valid_to_s);
  const auto* const name = reinterpret_cast<const unsigned char*>(options.subject.c_str());
  Must(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8, name, -1,
                                  -1, 0));
  Must(X509_set_issuer_name(certificate, X509_get_subject_name(issuer)));
  Must(X509_set_pubkey(certificate, identity.key.get()));
  const bool is_authority = options.issuer == nullptr;
  AddExtension(certificate, issuer, NID_basic_constraints,
               is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!options.alternative_names.empty()) {
    AddExtension(certificate, issuer, NID_subject_alt_name, options.alternative_names);
  }
  const TestIdentity& signer = is_authority ? identity : *options.issuer;
  Must(X509_sign(certificate, signer.key.get(), EVP_sha256()));
  return identity;
}

TestTlsPeer::TestTlsPeer(const TestIdentity& identity, Answer answer)
    : context_(Must(SSL_CTX_new(TLS_server_method())), SSL_CTX_free), answer_(std::move(answer)) {
  Must(SSL_CTX_use_certificate(context_.get(), identity.certificate.get()));
  Must(SSL_CTX_use_PrivateKey(context_.get(), identity.key.get()));
  ssl_.reset(Must(SSL_new(context_.get())), SSL_free);
  from_device_ = BIO_new(BIO_s_mem());
  to_device_ = BIO_new(BIO_s_mem());
  SSL_set_bio(ssl_.get(), from_device_, to_device_);
  SSL_set_accept_state(ssl_.get());
}

void TestTlsPeer::Serve() {
  std::array<char, 4096> text;
  while (!has_failed_) {
    const int count = SSL_read(ssl_.get(), text.data(), static_cast<int>(text.size()));
    if (count <= 0) {
      const int error = SSL_get_error(ssl_.get(), count);
      has_failed_ = error != SSL_ERROR_WANT_READ && error != SSL_ERROR_ZERO_RETURN;
      break;
    }
    request_.append(text.data(), static_cast<size_t>(count));
  }
  while (request_.find("\r\n\r\n") != std::string::npos && answer_count_ < close_after_answers) {
    const size_t end = request_.find("\r\n\r\n") + 4;
    const std::string answer = answer_(request_.substr(0, end));
    request_.erase(0, end);
    ++answer_count_;
    Must(SSL_write(ssl_.get(), answer.data(), static_cast<int>(answer.size())));
  }
  if (answer_count_ >= close_after_answers && SSL_get_shutdown(ssl_.get()) == 0) {
    SSL_shutdown(ssl_.get());
  }
}

Result<size_t> TestTlsPeer::Write(ByteSpan data) {
  if (is_closed_ || sent_bytes_ >= cut_after_bytes) return Status::kConnectionLost;
  const size_t count = std::min(data.size(), piece_bytes);
  Must(BIO_write(from_device_, data.data(), static_cast<int>(count)));
  return count;
}

Result<size_t> TestTlsPeer::Read(MutableByteSpan target) {
  if (is_closed_) return Status::kConnectionLost;
  Serve();
  size_t count = std::min({target.size(), piece_bytes, BIO_ctrl_pending(to_device_)});
  count = static_cast<size_t>(std::min<uint64_t>(count, cut_after_bytes - sent_bytes_));
  if (count == 0) {
    if (sent_bytes_ >= cut_after_bytes) return Status::kConnectionLost;
    const bool has_closed = SSL_get_shutdown(ssl_.get()) != 0 || has_failed_;
    return has_closed ? Status::kEndOfInput : Status::kBusy;
  }
  Must(BIO_read(to_device_, target.data(), static_cast<int>(count)));
  if (flipped_byte >= sent_bytes_ && flipped_byte - sent_bytes_ < count) {
    target[static_cast<size_t>(flipped_byte - sent_bytes_)] ^= 0x10;
  }
  sent_bytes_ += count;
  return count;
}

}  // namespace ota::agent
