// SPDX-License-Identifier: Apache-2.0
#include "agent/update/image_writer.h"

namespace ota::agent {

Status ImageWriter::Stage(const storage::StageRequest& request, ByteSpan bytes) {
  const Status status = StageStep(request, bytes);
  if (status != Status::kBusy) step_ = Step::kBegin;
  return status;
}

Status ImageWriter::StageStep(const storage::StageRequest& request, ByteSpan bytes) {
  switch (step_) {
    case Step::kBegin:
      OTA_TRY(store_.Begin(request));
      step_ = Step::kAppend;
      return Status::kBusy;
    case Step::kAppend:
      if (store_.staged_bytes() < bytes.size()) {
        OTA_TRY(store_.Append(bytes.subspan(store_.staged_bytes())));
      } else {
        step_ = Step::kFinish;
      }
      return Status::kBusy;
    case Step::kFinish:
      return store_.Finish();
  }
  return Status::kWrongState;
}

}  // namespace ota::agent
