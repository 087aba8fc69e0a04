// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/port/port.h"

// A TLS server for tests, by another library than the device's and without sockets: OpenSSL on
// memory buffers, with certificates made on the spot.

namespace ota::agent {

/// A P-256 key with its certificate.
struct TestIdentity {
  std::shared_ptr<EVP_PKEY> key;
  std::shared_ptr<X509> certificate;

  std::string ToPem() const;  ///< the certificate alone
  std::string ToDer() const;
};

struct TestCertificateOptions {
  std::string subject = "test";
  std::string alternative_names =
      {};                         ///< as OpenSSL writes them: "DNS:a,IP:127.0.0.1"; empty: none
  int64_t valid_from_s = -86400;  ///< from now
  int64_t valid_to_s = 86400;     ///< from now
  const TestIdentity* issuer = nullptr;  ///< null: signs itself, as an authority
  int curve = NID_X9_62_prime256v1;
};

TestIdentity MakeTestIdentity(const TestCertificateOptions& options);

/// The far end of a byte stream: reads and writes of the stream are answered by the server at once.
class TestTlsPeer final : public ByteStream {
 public:
  /// Makes the answer to one request, which ends with an empty line.
  using Answer = std::function<std::string(const std::string& request)>;

  TestTlsPeer(const TestIdentity& identity, Answer answer);

  Result<size_t> Read(MutableByteSpan target) override;
  Result<size_t> Write(ByteSpan data) override;
  void Close() override { is_closed_ = true; }

  /// The link dies when so many bytes have gone to the device.
  uint64_t cut_after_bytes = UINT64_MAX;
  /// The server closes in order once it has answered so many requests.
  int close_after_answers = INT32_MAX;
  /// Flips a bit of that byte on its way to the device.
  uint64_t flipped_byte = UINT64_MAX;
  size_t piece_bytes = 1000;

  uint64_t sent_bytes() const { return sent_bytes_; }
  bool has_sent_alert() const { return has_failed_; }
  const SSL* ssl() const { return ssl_.get(); }

 private:
  void Serve();

  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  BIO* from_device_;
  BIO* to_device_;
  Answer answer_;
  std::string request_;
  uint64_t sent_bytes_ = 0;
  int answer_count_ = 0;
  bool is_closed_ = false;
  bool has_failed_ = false;
};

}  // namespace ota::agent
