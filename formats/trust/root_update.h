// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "formats/trust/signature_count.h"
#include "formats/trust/trust_state.h"

namespace ota::formats {

/// Takes a device from one version of the root metadata to the next. A device that has slept gets
/// all the versions in between, one after the other.
class RootUpdate {
 public:
  /// Starts with what `state` holds now; drops an update in progress. `state` and `signed_root`
  /// must stay as they are until the end. kRootVersionWrong: not exactly one above the held
  /// version. Otherwise the statuses of DecodeSignedRoot and DecodeRootMetadata.
  Status Begin(const TrustState& state, ByteSpan signed_root);

  /// Goes on for about `operations_max` field multiplications. kBusy: not done. kOk: `state`, the
  /// one of Begin, believes in the new metadata; store it. kThresholdNotMet: too few of the held or
  /// of the new root keys have signed. kCryptoMemoryFull, and the statuses of ApplyRootMetadata.
  /// Unless kOk, `state` is unchanged. kWrongState: none in progress.
  Status Step(uint32_t operations_max, TrustState& state);

 private:
  SignedRoot signed_root_;
  RootMetadata held_;
  RootMetadata next_;
  SignatureCount count_;
};

/// Whether root metadata has signatures of a threshold of its own keys: what a publisher checks
/// before it is put into devices. Statuses as RootUpdate.
Status VerifyInitialRoot(ByteSpan signed_root);

/// kRootExpired: the held root metadata is past its time. A time of 0 is not known, and nothing is
/// past it.
Status CheckRootExpiry(const TrustState& state, uint64_t now_s);

}  // namespace ota::formats
