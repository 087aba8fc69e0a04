// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/tls_stream.h"

#include <mbedtls/pem.h>

#include <algorithm>
#include <array>
#include <compare>

#include "agent/transport/certificate_name.h"

namespace ota::agent {
namespace {

constexpr int kSuites[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
                           MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_CCM, 0};
constexpr mbedtls_ecp_group_id kCurves[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE};
constexpr int kSignatureHashes[] = {MBEDTLS_MD_SHA256, MBEDTLS_MD_NONE};
constexpr mbedtls_x509_crt_profile kProfile = {
    MBEDTLS_X509_ID_FLAG(MBEDTLS_MD_SHA256),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECKEY) | MBEDTLS_X509_ID_FLAG(MBEDTLS_PK_ECDSA),
    MBEDTLS_X509_ID_FLAG(MBEDTLS_ECP_DP_SECP256R1), 0};

constexpr uint32_t kDateFlags = MBEDTLS_X509_BADCERT_EXPIRED | MBEDTLS_X509_BADCERT_FUTURE;
constexpr size_t kHostBytesMax = 253;

/// Tags of GeneralName in RFC 5280: context specific, primitive.
constexpr int kDnsNameTag = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2;
constexpr int kIpAddressTag = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7;

bool IsForHost(const mbedtls_x509_crt& certificate, std::string_view host) {
  const std::optional<IpAddress> address = ParseIpAddress(host);
  for (const mbedtls_x509_sequence* name = &certificate.subject_alt_names; name != nullptr;
       name = name->next) {
    const ByteSpan value(name->buf.p, name->buf.len);
    if (address && name->buf.tag == kIpAddressTag) {
      const ByteSpan wanted = address->span();
      if (std::equal(value.begin(), value.end(), wanted.begin(), wanted.end())) return true;
    }
    if (!address && name->buf.tag == kDnsNameTag) {
      const std::string_view text(reinterpret_cast<const char*>(value.data()), value.size());
      if (IsDnsNameMatch(text, host)) return true;
    }
  }
  return false;
}

/// Year, month, day, hour, minute, second in UTC; in the order in which they compare.
using CivilTime = std::array<int64_t, 6>;

/// Days to date by the era method: 400 years have 146097 days, counted from 0000-03-01.
CivilTime ToCivilTime(int64_t unix_time_s) {
  const int64_t second_of_day = ((unix_time_s % 86400) + 86400) % 86400;
  const int64_t day = (unix_time_s - second_of_day) / 86400 + 719468;
  const int64_t era = (day >= 0 ? day : day - 146096) / 146097;
  const int64_t day_of_era = day - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t march_month = (5 * day_of_year + 2) / 153;
  const int64_t day_of_month = day_of_year - (153 * march_month + 2) / 5 + 1;
  const int64_t month = march_month < 10 ? march_month + 3 : march_month - 9;
  const int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
  return {
      year, month, day_of_month, second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60};
}

CivilTime ToCivilTime(const mbedtls_x509_time& time) {
  return {time.year, time.mon, time.day, time.hour, time.min, time.sec};
}

uint32_t ComputeDateFlags(const mbedtls_x509_crt& certificate, int64_t unix_time_s) {
  const CivilTime now = ToCivilTime(unix_time_s);
  if (now < ToCivilTime(certificate.valid_from)) return MBEDTLS_X509_BADCERT_FUTURE;
  if (now > ToCivilTime(certificate.valid_to)) return MBEDTLS_X509_BADCERT_EXPIRED;
  return 0;
}

Status StatusOfCertificateFlags(uint32_t flags) {
  if ((flags & ~(kDateFlags | MBEDTLS_X509_BADCERT_CN_MISMATCH)) != 0) {
    return Status::kCertificateUntrusted;
  }
  if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) return Status::kCertificateExpired;
  if ((flags & MBEDTLS_X509_BADCERT_FUTURE) != 0) return Status::kCertificateNotYetValid;
  return Status::kHostNameMismatch;
}

/// An error is a high-level and a low-level code added up (mbedtls/error.h).
bool IsAllocationFailure(int error) {
  const int high = -(-error & 0xFF80);
  const int low = -(-error & 0x007F);
  return high == MBEDTLS_ERR_SSL_ALLOC_FAILED || high == MBEDTLS_ERR_X509_ALLOC_FAILED ||
         high == MBEDTLS_ERR_ECP_ALLOC_FAILED || high == MBEDTLS_ERR_PK_ALLOC_FAILED ||
         high == MBEDTLS_ERR_MD_ALLOC_FAILED || high == MBEDTLS_ERR_CIPHER_ALLOC_FAILED ||
         high == MBEDTLS_ERR_PEM_ALLOC_FAILED || low == MBEDTLS_ERR_MPI_ALLOC_FAILED ||
         low == MBEDTLS_ERR_ASN1_ALLOC_FAILED;
}

bool IsToBeTriedAgain(int error) {
  return error == MBEDTLS_ERR_SSL_WANT_READ || error == MBEDTLS_ERR_SSL_WANT_WRITE ||
         error == MBEDTLS_ERR_SSL_CRYPTO_IN_PROGRESS;
}

Result<unsigned char> FragmentCode(uint16_t fragment_bytes_max) {
  switch (fragment_bytes_max) {
    case 512:
      return static_cast<unsigned char>(MBEDTLS_SSL_MAX_FRAG_LEN_512);
    case 1024:
      return static_cast<unsigned char>(MBEDTLS_SSL_MAX_FRAG_LEN_1024);
    case 2048:
      return static_cast<unsigned char>(MBEDTLS_SSL_MAX_FRAG_LEN_2048);
    case 4096:
      return static_cast<unsigned char>(MBEDTLS_SSL_MAX_FRAG_LEN_4096);
    default:
      return Status::kInvalidArgument;
  }
}

}  // namespace

TlsStream::TlsStream(Entropy& entropy) : entropy_(entropy) {
  mbedtls_ssl_init(&ssl_);
  mbedtls_ssl_config_init(&config_);
  mbedtls_x509_crt_init(&ca_);
  mbedtls_ctr_drbg_init(&drbg_);
}

TlsStream::~TlsStream() { Close(); }

Status TlsStream::Open(ByteStream& transport, const TlsOptions& options) {
  Close();
  if (options.host.empty() || options.host.size() > kHostBytesMax || options.ca.empty()) {
    return Status::kInvalidArgument;
  }
  OTA_TRY(FragmentCode(options.fragment_bytes_max));
  transport_ = &transport;
  options_ = options;
  transport_status_ = Status::kOk;
  certificate_flags_ = 0;
  const Status status = Configure();
  if (!IsOk(status)) {
    Close();
    return status;
  }
  state_ = State::kHandshaking;
  return Status::kOk;
}

Status TlsStream::Configure() {
  const auto check = [](int error, Status otherwise) {
    if (error == 0) return Status::kOk;
    return IsAllocationFailure(error) ? Status::kTlsMemoryExhausted : otherwise;
  };
  OTA_TRY(check(mbedtls_ctr_drbg_seed(&drbg_, &FillFromEntropy, &entropy_, nullptr, 0),
                Status::kEntropyUnavailable));
  OTA_TRY(check(mbedtls_x509_crt_parse(&ca_, options_.ca.data(), options_.ca.size()),
                Status::kTrustAnchorInvalid));
  OTA_TRY(
      check(mbedtls_ssl_config_defaults(&config_, MBEDTLS_SSL_IS_CLIENT,
                                        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT),
            Status::kTlsFailed));
  mbedtls_ssl_conf_min_version(&config_, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_ciphersuites(&config_, kSuites);
  mbedtls_ssl_conf_curves(&config_, kCurves);
  mbedtls_ssl_conf_sig_hashes(&config_, kSignatureHashes);
  mbedtls_ssl_conf_cert_profile(&config_, &kProfile);
  mbedtls_ssl_conf_ca_chain(&config_, &ca_, nullptr);
  mbedtls_ssl_conf_authmode(&config_, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_verify(&config_, &VerifyCertificate, this);
  mbedtls_ssl_conf_rng(&config_, mbedtls_ctr_drbg_random, &drbg_);
  // Fails when the fragment is larger than the record buffers of this build.
  OTA_TRY(const unsigned char fragment_code, FragmentCode(options_.fragment_bytes_max));
  OTA_TRY(check(mbedtls_ssl_conf_max_frag_len(&config_, fragment_code), Status::kInvalidArgument));
  OTA_TRY(check(mbedtls_ssl_setup(&ssl_, &config_), Status::kTlsFailed));
  if (!ParseIpAddress(options_.host)) {
    std::array<char, kHostBytesMax + 1> name = {};
    std::copy(options_.host.begin(), options_.host.end(), name.begin());
    OTA_TRY(check(mbedtls_ssl_set_hostname(&ssl_, name.data()), Status::kTlsFailed));
  }
  mbedtls_ssl_set_bio(&ssl_, this, &SendToTransport, &ReceiveFromTransport, nullptr);
  return Status::kOk;
}

int TlsStream::FillFromEntropy(void* entropy, unsigned char* target, size_t length) {
  const Status status = static_cast<Entropy*>(entropy)->Fill(MutableByteSpan(target, length));
  return IsOk(status) ? 0 : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

int TlsStream::SendToTransport(void* self, const unsigned char* data, size_t length) {
  auto& stream = *static_cast<TlsStream*>(self);
  const Result<size_t> sent_bytes = stream.transport_->Write(ByteSpan(data, length));
  if (sent_bytes.ok()) return static_cast<int>(*sent_bytes);
  if (sent_bytes.status() == Status::kBusy) return MBEDTLS_ERR_SSL_WANT_WRITE;
  stream.transport_status_ = sent_bytes.status();
  return MBEDTLS_ERR_SSL_INTERNAL_ERROR;
}

int TlsStream::ReceiveFromTransport(void* self, unsigned char* target, size_t length) {
  auto& stream = *static_cast<TlsStream*>(self);
  const Result<size_t> read_bytes = stream.transport_->Read(MutableByteSpan(target, length));
  if (read_bytes.ok()) return static_cast<int>(*read_bytes);
  if (read_bytes.status() == Status::kBusy) return MBEDTLS_ERR_SSL_WANT_READ;
  stream.transport_status_ = read_bytes.status();
  return MBEDTLS_ERR_SSL_CONN_EOF;
}

/// Called for each certificate of the chain, the peer's own at depth 0 last. The library's findings
/// on dates (by a clock that a board does not have) and on the name (which ignores addresses) are
/// replaced by ours.
int TlsStream::VerifyCertificate(void* self, mbedtls_x509_crt* certificate, int depth,
                                 uint32_t* flags) {
  auto& stream = *static_cast<TlsStream*>(self);
  *flags &= ~(kDateFlags | MBEDTLS_X509_BADCERT_CN_MISMATCH);
  if (stream.options_.unix_time_s) {
    *flags |= ComputeDateFlags(*certificate, *stream.options_.unix_time_s);
  }
  if (depth == 0 && !IsForHost(*certificate, stream.options_.host)) {
    *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
  }
  stream.certificate_flags_ |= *flags;
  return 0;
}

Status TlsStream::Fail(int mbedtls_error) {
  state_ = State::kFailed;
  failure_ = Status::kTlsFailed;
  if (transport_status_ == Status::kEndOfInput) {
    failure_ = Status::kConnectionLost;
  } else if (!IsOk(transport_status_)) {
    failure_ = transport_status_;
  } else if (mbedtls_error == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED) {
    certificate_flags_ |= mbedtls_ssl_get_verify_result(&ssl_);
    failure_ = StatusOfCertificateFlags(certificate_flags_);
  } else if (mbedtls_error == MBEDTLS_ERR_SSL_BAD_HS_CERTIFICATE) {
    failure_ = Status::kCertificateUntrusted;
  } else if (IsAllocationFailure(mbedtls_error)) {
    failure_ = Status::kTlsMemoryExhausted;
  }
  return failure_;
}

Status TlsStream::Handshake() {
  if (state_ == State::kOpen) return Status::kOk;
  if (state_ == State::kFailed) return failure_;
  if (state_ == State::kClosed) return Status::kWrongState;
  const int error = mbedtls_ssl_handshake_step(&ssl_);
  if (error != 0 && !IsToBeTriedAgain(error)) return Fail(error);
  if (ssl_.state != MBEDTLS_SSL_HANDSHAKE_OVER) return Status::kBusy;
  state_ = State::kOpen;
  return Status::kOk;
}

Result<size_t> TlsStream::Read(MutableByteSpan target) {
  if (target.empty()) return Status::kInvalidArgument;
  if (state_ == State::kFailed) return failure_;
  if (state_ != State::kOpen) return Status::kWrongState;
  const int result = mbedtls_ssl_read(&ssl_, target.data(), target.size());
  if (result > 0) return static_cast<size_t>(result);
  if (IsToBeTriedAgain(result)) return Status::kBusy;
  if (result == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return Status::kEndOfInput;
  return Fail(result == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : result);
}

Result<size_t> TlsStream::Write(ByteSpan data) {
  if (data.empty()) return Status::kInvalidArgument;
  if (state_ == State::kFailed) return failure_;
  if (state_ != State::kOpen) return Status::kWrongState;
  const int result = mbedtls_ssl_write(&ssl_, data.data(), data.size());
  if (result > 0) return static_cast<size_t>(result);
  if (IsToBeTriedAgain(result)) return Status::kBusy;
  return Fail(result);
}

void TlsStream::Close() {
  if (state_ == State::kOpen) {
    (void)mbedtls_ssl_close_notify(&ssl_);  // a courtesy; the peer may be gone
  }
  mbedtls_ssl_free(&ssl_);
  mbedtls_ssl_config_free(&config_);
  mbedtls_x509_crt_free(&ca_);
  mbedtls_ctr_drbg_free(&drbg_);
  mbedtls_ssl_init(&ssl_);
  mbedtls_ssl_config_init(&config_);
  mbedtls_x509_crt_init(&ca_);
  mbedtls_ctr_drbg_init(&drbg_);
  state_ = State::kClosed;
  transport_ = nullptr;
}

}  // namespace ota::agent
