// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "agent/update/image_writer.h"
#include "formats/trust/trust_state.h"
#include "storage/model_store/model_store.h"

namespace ota::agent {

/// Keeps a device's trust state in its model store, as an image of its own that is replaced as a
/// whole: after a power cut the device believes what it believed before or after, nothing between.
/// One serves all who store the state, one after the other.
class TrustRecord {
 public:
  /// The image's name. No component may have it.
  static constexpr std::string_view kName = "trust-state";

  /// `store` must outlive it, mounted.
  explicit TrustRecord(storage::ModelStore& store) : store_(store), writer_(store) {}

  static constexpr uint8_t kNoteKey = 2;

  /// Reads the state, and raises an installed sequence number in it to that of the confirmed image
  /// if a power cut has let the image run ahead of the record: if Announce has told of it, and the
  /// root metadata is still the same, which may have set the number back.
  /// kBusy. kNotFound: none was ever stored; begin with InitializeTrustState. kTrustStateInvalid
  /// and others as DecodeTrustState and ModelStore::Open: `state` is not to be used.
  Status Load(formats::TrustState& state);

  /// Notes that the image `name` with that number is about to be confirmed; to be done before, and
  /// Save after. kBusy: call again. Otherwise statuses of WriteNote.
  Status Announce(const formats::TrustState& state, const storage::ModelName& name,
                  uint64_t sequence_number);

  /// Goes on storing `state`; kBusy until that is done, to be called again with the same state.
  /// kOk: what is stored is `state` as it is now, even if another state was half stored before.
  /// An image in staging is lost by it. kStorageFull, kMediumFailed: the old record stays.
  Status Save(const formats::TrustState& state);

  /// Gives up a Save that is half done: the old record stays, or the new one if it is in use
  /// already. To be called before anything else is staged.
  void Abandon();

 private:
  enum class Step : uint8_t { kIdle, kStage, kActivate, kConfirm };

  Status SaveStep();
  Status ReadRecord(formats::TrustState& state);
  Status RaiseAnnounced(formats::TrustState& state);

  storage::ModelStore& store_;
  ImageWriter writer_;
  Step step_ = Step::kIdle;
  std::array<uint8_t, formats::kTrustStateBytesMax> bytes_ = {};
  storage::StageRequest request_;
};

}  // namespace ota::agent
