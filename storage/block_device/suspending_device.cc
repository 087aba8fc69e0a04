// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/suspending_device.h"

namespace ota::storage {

Status SuspendingDevice::Read(uint32_t offset, MutableByteSpan target) {
  const Status status = device_.Read(offset, target);
  if (status != Status::kBusy || flash_.IsInWork(offset, target.size())) return status;
  if (!IsOk(flash_.Suspend())) return Status::kBusy;
  const Status read = flash_.Read(offset, target);
  flash_.Resume();
  return read;
}

}  // namespace ota::storage
