// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "crypto/p256.h"
#include "crypto/sha256.h"

// Verification of ES256 signatures: ECDSA on P-256 over a SHA-256 digest (FIPS 186-4, RFC 9053).
//
// Malleability. For each valid (r, s) the pair (r, n - s) is valid too, so that anyone can turn one
// valid signature into a second. Our signers always give the lower of the two s, and by default the
// upper is refused: one signed statement has one form.

namespace ota::crypto {

enum class SignatureForm : uint8_t {
  kLowerSOnly,  // our rule
  kAny,         // what COSE alone asks for; for signatures of others
};

/// One verification as an operation in steps, so that no step takes longer than the caller's budget
/// where Mbed TLS is built with restartable curves (the device); elsewhere the first step does all.
/// One operation of the library may be in progress at a time.
///
///   Es256Verification verification;
///   OTA_TRY(verification.Begin(key, digest, signature));
///   while ((status = verification.Step(budget)) == Status::kBusy) DoSomethingElse();
class Es256Verification {
 public:
  Es256Verification() = default;
  ~Es256Verification();
  Es256Verification(const Es256Verification&) = delete;
  Es256Verification& operator=(const Es256Verification&) = delete;

  /// Starts; drops a verification in progress. The arguments need not outlive the call.
  /// kSignatureInvalid: `signature` has not 64 bytes, or r or s is not in [1, n-1].
  /// kSignatureMalleated: s lies in the upper half, and `form` wants the lower.
  /// kKeyInvalid: the key is no point of P-256. kCryptoMemoryFull: see there. Nothing is started.
  Status Begin(P256PublicKeySpan key, const Sha256Digest& digest, ByteSpan signature,
               SignatureForm form = SignatureForm::kLowerSOnly);

  /// Goes on for about `operations_max` multiplications in the field (0: to the end); a whole
  /// verification takes about 4,500. kBusy: not done. kOk: valid. kSignatureInvalid: not valid.
  /// kCryptoMemoryFull: nothing is known. kWrongState: none in progress. All but kBusy end it.
  Status Step(uint32_t operations_max);

  /// Ends a verification in progress without a result.
  void Abandon();

 private:
  Status LoadKey(P256PublicKeySpan key);

  static constexpr size_t kDerBytesMax = 72;

  alignas(8) std::array<uint8_t, 64 * sizeof(void*)> context_ = {};
  alignas(8) std::array<uint8_t, 16 * sizeof(void*)> restart_ = {};
  std::array<uint8_t, kDerBytesMax> der_ = {};  // the library takes signatures as DER
  Sha256Digest digest_ = {};
  uint8_t der_bytes_ = 0;
  bool is_in_progress_ = false;
};

/// The whole verification in one call; statuses of Begin and Step.
Status VerifyEs256(const P256PublicKey& key, const Sha256Digest& digest, ByteSpan signature,
                   SignatureForm form = SignatureForm::kLowerSOnly);

}  // namespace ota::crypto
