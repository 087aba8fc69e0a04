// SPDX-License-Identifier: Apache-2.0
#include "formats/trust/root_update.h"

namespace ota::formats {

Status RootUpdate::Begin(const TrustState& state, ByteSpan signed_root) {
  count_.Abandon();
  OTA_TRY(DecodeHeldRoot(state, held_));
  OTA_TRY(DecodeSignedRoot(signed_root, signed_root_));
  OTA_TRY(DecodeRootMetadata(signed_root_.metadata, next_));
  if (next_.version - 1 != held_.version) return Status::kRootVersionWrong;
  count_.Begin({signed_root_.all_signatures(), signed_root_.metadata, kRootExternalData});
  count_.AddKeySet(held_.root);
  count_.AddKeySet(next_.root);
  return Status::kOk;
}

Status RootUpdate::Step(uint32_t operations_max, TrustState& state) {
  OTA_TRY(count_.Step(operations_max));
  const bool is_agreed = count_.FindThresholdsMet() == 3;  // of both sets
  return is_agreed ? ApplyRootMetadata(signed_root_.metadata, state) : Status::kThresholdNotMet;
}

Status VerifyInitialRoot(ByteSpan signed_root) {
  OTA_TRY(const SignedRoot root, DecodeSignedRoot(signed_root));
  OTA_TRY(const RootMetadata metadata, DecodeRootMetadata(root.metadata));
  SignatureCount count;
  count.Begin({root.all_signatures(), root.metadata, kRootExternalData});
  count.AddKeySet(metadata.root);
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = count.Step(0);
  OTA_TRY(status);
  return count.FindThresholdsMet() != 0 ? Status::kOk : Status::kThresholdNotMet;
}

Status CheckRootExpiry(const TrustState& state, uint64_t now_s) {
  RootMetadata metadata;
  OTA_TRY(DecodeHeldRoot(state, metadata));
  const bool is_expired = metadata.expires_s != 0 && now_s >= metadata.expires_s;
  return is_expired ? Status::kRootExpired : Status::kOk;
}

}  // namespace ota::formats
