// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/model_store/model_store.h"

namespace ota::storage {

/// Moves models that never change, so that what does change goes round through their places too,
/// and all slots of a RawModelStore wear alike however full it is. UpdateAgent, if it is given one,
/// lets it have its turn after each round that updated a model; where endurance is no matter it
/// need not be linked. (On SPIFFS, where the file system does it, nothing is moved.)
///
/// New images take what is free from its start to its end, again and again. When they come near the
/// models that lie behind it, these are moved to where it starts, one after the other: so what is
/// free stays in one piece and goes round the medium, and with each round every unit is written
/// once. Of a medium of which less than an eighth is free nothing is moved, since that would wear
/// it more than it evens out.
///
/// A move is an update by the model's own bytes: staged, read back, activated and confirmed. A
/// power cut leaves the model at its old place or at its new one. One between the last two steps
/// leaves a trial that is to be reverted, as after any start.
class ModelRotation {
 public:
  /// `store` and `buffer`, through which models are copied, must outlive it.
  ModelRotation(ModelStore& store, MutableByteSpan buffer) : store_(store), buffer_(buffer) {}

  /// Goes on with moving the confirmed models that are due. `update_bytes`: of the images that were
  /// just installed, so many of which are thought to come before the next turn. kOk: they are
  /// moved, or none was due, or the one that is has a candidate. kBusy: call again, and do not
  /// change the store meanwhile. kWrongState: an image is in staging. Others as the store's
  /// operations; in each case the models are there as they were, and the next call begins anew.
  Status Move(uint32_t update_bytes);

 private:
  static constexpr uint32_t kFullness = 8;  ///< less than an eighth free: it would wear too much

  enum class Step : uint8_t { kChoose, kBegin, kCopy, kFinish, kActivate, kConfirm };

  Status Drive();
  Status Choose();
  Result<bool> ReadIsMovable(const ImageInfo& info);
  Result<ImageInfo> ReadNewest();
  Result<ImageInfo> ReadNext(const ImageInfo& newest);
  uint32_t UnitCount(uint32_t size_bytes) const;
  uint32_t ComputeRoom(const StoreSpace& space, const ImageInfo& newest,
                       const ImageInfo& next) const;
  Status Copy();
  void End();

  ModelStore& store_;
  MutableByteSpan buffer_;
  uint32_t update_bytes_ = 0;
  uint64_t first_nonce_ = 0;  ///< of the newest image when the turn began; 0: it begins
  Step step_ = Step::kChoose;
  StageRequest request_;
  ByteSource* source_ = nullptr;
};

}  // namespace ota::storage
