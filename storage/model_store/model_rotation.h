// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/model_store/model_store.h"

namespace ota::storage {

/// Moves models that never change, so that what does change goes round through their places too,
/// and all slots of a RawModelStore wear alike however full it is. A product that updates often
/// lets it have its turn after each update; where endurance is no matter it need not be linked. (A
/// store on SPIFFS needs none: there the file system does it.)
///
/// New images take what is free from its start to its end, again and again. Each time that they
/// have reached the end, the model that lies behind it is moved to the start; so what is free goes
/// round the medium, model by model, and no memory is needed of where it was.
///
/// A move is an update by the model's own bytes: staged, read back, activated and confirmed. A
/// power cut leaves the model at its old place or at its new one. One between the last two steps
/// leaves a trial that is to be reverted, as after any start.
class ModelRotation {
 public:
  /// `store` and `buffer`, through which models are copied, must outlive it.
  ModelRotation(ModelStore& store, MutableByteSpan buffer) : store_(store), buffer_(buffer) {}

  /// Goes on with moving a confirmed model if one is due. kOk: it is moved, or none was due, or the
  /// one that is has a candidate. kBusy: call again, and do not change the store meanwhile.
  /// kWrongState: an image is in staging. kStorageFull: no room beside where it lies. Others as the
  /// store's operations; in each case the model is there as it was, and the next call begins anew.
  Status Move();

 private:
  enum class Step : uint8_t { kChoose, kBegin, kCopy, kFinish, kActivate, kConfirm };

  Status Drive();
  Status Choose();
  Result<bool> ReadIsMovable(const ImageInfo& info);
  Result<uint32_t> ReadNewestEnd(uint32_t first_place);
  uint32_t UnitCount(uint32_t size_bytes) const;
  Status Copy();
  void End();

  ModelStore& store_;
  MutableByteSpan buffer_;
  Step step_ = Step::kChoose;
  StageRequest request_;
  ByteSource* source_ = nullptr;
};

}  // namespace ota::storage
