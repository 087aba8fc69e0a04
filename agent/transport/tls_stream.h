// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/transport/byte_stream.h"
#include "base/entropy.h"

namespace ota::agent {

struct TlsOptions {
  /// Who the peer must be: a DNS name, or an IPv4 or IPv6 address without brackets. Compared with
  /// the subject alternative names of its certificate alone (RFC 9525: the common name counts for
  /// nothing); a DNS name is also sent as server name indication.
  std::string_view host;
  /// The certificates to trust: PEM text with its terminating NUL, or one DER certificate.
  ByteSpan ca;
  /// Time of day for the validity dates. Without it they are not checked, which the application
  /// must make up for (manifests carry their own dates).
  std::optional<int64_t> unix_time_s;
  /// Largest record to ask of the peer (RFC 6066): 512, 1024, 2048, or 4096 where both record
  /// buffers of the build are that large.
  uint16_t fragment_bytes_max = 2048;
};

/// TLS 1.2 over any byte stream, as client: ECDHE with P-256, an ECDSA certificate, AES-128 in GCM
/// or CCM mode, SHA-256, by Mbed TLS. The certificate chain, the host name and, given the time, the
/// validity dates are verified before a byte of application data passes in either direction.
///
/// Memory comes from Mbed TLS's allocator: on a board the fixed pool that was given to
/// ProvideTlsMemory(); on a host built with the distribution's Mbed TLS, which has no such hook,
/// the heap.
class TlsStream final : public ByteStream {
 public:
  /// `entropy` must outlive the stream. It seeds the generator at each Open().
  explicit TlsStream(Entropy& entropy);
  ~TlsStream();
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  /// Gets ready to talk over `transport`, which must be connected and outlive this use, up to
  /// Close(). What `options` point to must live as long. An open stream is closed first.
  /// kTrustAnchorInvalid: no usable certificate in `ca`. kInvalidArgument: `host` empty or too
  /// long, or no such fragment size. kTlsMemoryExhausted: the pool is too small.
  /// kEntropyUnavailable.
  Status Open(ByteStream& transport, const TlsOptions& options);

  /// Goes on with the handshake; one call does at most one bounded piece of elliptic curve
  /// arithmetic where the build allows it to be split (see tls_memory.h). Once kOk, Read and Write
  /// may be used. kBusy: call again. kCertificateUntrusted, kCertificateExpired,
  /// kCertificateNotYetValid, kHostNameMismatch, kTlsFailed, kTlsMemoryExhausted, kConnectionLost:
  /// the stream is dead.
  Status Handshake();

  /// As ByteStream; kWrongState before the handshake is done.
  Result<size_t> Read(MutableByteSpan target) override;
  Result<size_t> Write(ByteSpan data) override;

  /// Says goodbye to the peer if that needs no waiting, forgets keys and frees all memory. Does not
  /// close `transport`.
  void Close() override;

  /// The peer's certificate flags of the last handshake (MBEDTLS_X509_BADCERT_…), for logs.
  uint32_t certificate_flags() const { return certificate_flags_; }

 private:
  enum class State : uint8_t { kClosed, kHandshaking, kOpen, kFailed };

  static int SendToTransport(void* self, const unsigned char* data, size_t length);
  static int ReceiveFromTransport(void* self, unsigned char* target, size_t length);
  static int VerifyCertificate(void* self, mbedtls_x509_crt* certificate, int depth,
                               uint32_t* flags);
  static int FillFromEntropy(void* entropy, unsigned char* target, size_t length);

  Status Configure();
  Status Fail(int mbedtls_error);

  Entropy& entropy_;
  ByteStream* transport_ = nullptr;
  TlsOptions options_;
  State state_ = State::kClosed;
  Status transport_status_ = Status::kOk;  ///< why the transport failed, if it did
  Status failure_ = Status::kOk;           ///< what a dead stream goes on answering
  uint32_t certificate_flags_ = 0;
  mbedtls_ssl_context ssl_;
  mbedtls_ssl_config config_;
  mbedtls_x509_crt ca_;
  mbedtls_ctr_drbg_context drbg_;
};

}  // namespace ota::agent
