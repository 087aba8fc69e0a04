// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "formats/trust/trust_state.h"
#include "storage/model_store/model_store.h"

namespace ota::agent {

/// Keeps a device's trust state in its model store, as an image of its own that is replaced as a
/// whole: after a power cut the device believes what it believed before or after, nothing between.
class TrustRecord {
 public:
  /// The image's name. No component may have it.
  static constexpr std::string_view kName = "trust-state";

  /// `store` must outlive it, mounted.
  explicit TrustRecord(storage::ModelStore& store) : store_(store) {}

  /// Reads the state, and raises the installed sequence numbers in it to those of the confirmed
  /// images, which a power cut may have let run ahead of the record.
  /// kBusy. kNotFound: none was ever stored; begin with InitializeTrustState. kTrustStateInvalid
  /// and others as DecodeTrustState and ModelStore::Open: `state` is not to be used.
  Status Load(formats::TrustState& state);

  /// Goes on storing `state`; kBusy until that is done, to be called again with the same state.
  /// An image in staging is lost by it. kStorageFull, kMediumFailed: the old record stays.
  Status Save(const formats::TrustState& state);

 private:
  enum class Step : uint8_t { kIdle, kBegin, kAppend, kFinish, kActivate, kConfirm };

  Status SaveStep();
  Status ReadRecord(formats::TrustState& state);
  Status RaiseFromImages(formats::TrustState& state);

  storage::ModelStore& store_;
  Step step_ = Step::kIdle;
  std::array<uint8_t, formats::kTrustStateBytesMax> bytes_ = {};
  storage::StageRequest request_;
};

}  // namespace ota::agent
