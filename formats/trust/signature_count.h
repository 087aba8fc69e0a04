// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "base/bytes.h"
#include "crypto/es256.h"
#include "formats/cose/cose_sign1.h"
#include "formats/trust/root_metadata.h"

namespace ota::formats {

/// Counts for several key sets at once how many of their distinct keys have signed the same bytes,
/// in steps that each stay within a budget. A signature counts for every set that holds its key;
/// two by one key count once; one that is not valid, or whose key no set holds, does not count.
class SignatureCount {
 public:
  static constexpr size_t kKeySetsMax = kReleaseRolesMax;

  /// What the signatures are, each a COSE_Sign1, and what they sign.
  struct Signed {
    std::span<const ByteSpan> signatures;
    ByteSpan payload;  // empty: each signature has its own in it; otherwise none has
    ByteSpan external_data;
  };

  /// Starts, without key sets. All that `signed_bytes` points to must outlive the count.
  void Begin(const Signed& signed_bytes);

  /// Ends a count in progress without a result.
  void Abandon() { is_in_progress_ = false; }

  /// One more, before the first step and at most kKeySetsMax; it must outlive the count.
  void AddKeySet(const KeySet& key_set);

  /// Goes on for about `operations_max` field multiplications (0: to the end of one signature).
  /// kBusy: not done. kOk: all signatures are counted. kCryptoMemoryFull: nothing is known.
  /// kWrongState: none in progress. All but kBusy end it.
  Status Step(uint32_t operations_max);

  /// After the end: a bit for each set, in their order, of which as many keys as its threshold have
  /// signed.
  uint32_t FindThresholdsMet() const;

  /// After the end: why the first signature that does not count does not; kOk if all do.
  Status first_refusal() const { return first_refusal_; }

  /// After the end: whether any signature counts at all.
  bool has_any() const { return signed_ != 0; }

 private:
  Status StepSignature(uint32_t operations_max);
  Status BeginSignature();
  const uint8_t* FindKey(ByteSpan key_id);

  static constexpr size_t kBitsPerSet = 8;

  uint8_t key_set_count_ = 0;
  bool is_in_progress_ = false;
  bool is_verifying_ = false;  // one of the signatures
  Status first_refusal_ = Status::kOk;
  uint32_t signed_ = 0;      // a bit for each key of each set
  uint32_t candidates_ = 0;  // those that are the key of the signature in progress
  std::array<const KeySet*, kKeySetsMax> key_sets_ = {};
  Signed left_;  // the signatures that are not counted yet
  crypto::Es256Verification verification_;
};

}  // namespace ota::formats
