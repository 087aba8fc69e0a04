// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/model_store/model_store.h"

namespace ota::agent {

/// Stages an image whose bytes are all at hand.
class ImageWriter {
 public:
  /// `store` must outlive it, mounted.
  explicit ImageWriter(storage::ModelStore& store) : store_(store) {}

  /// Goes on; kBusy until it is done, to be called again with the same arguments, of which `bytes`
  /// has request.size_bytes. kOk: the image is staged. Otherwise statuses of ModelStore's Begin,
  /// Append and Finish.
  Status Stage(const storage::StageRequest& request, ByteSpan bytes);

  /// Gives up what is half staged; the next Stage begins anew.
  void Abandon() { step_ = Step::kBegin; }

 private:
  enum class Step : uint8_t { kBegin, kAppend, kFinish };

  Status StageStep(const storage::StageRequest& request, ByteSpan bytes);

  storage::ModelStore& store_;
  Step step_ = Step::kBegin;
};

}  // namespace ota::agent
