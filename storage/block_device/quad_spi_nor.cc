// SPDX-License-Identifier: Apache-2.0
#include "storage/block_device/quad_spi_nor.h"

namespace ota::storage {
namespace {

constexpr uint32_t kLineCount = 4;

}  // namespace

Status QuadSpiNorFlash::Start() {
  OTA_TRY(has_asked_ ? flash_.Poll() : flash_.Start());
  const Status status = flash_.EnableQuad();
  if (status != Status::kBusy) return status;
  if (has_asked_) return Status::kNotSupported;
  has_asked_ = true;
  return status;
}

void QuadSpiNorFlash::BeginRead(uint32_t offset) {
  flash_.BeginQuadRead(offset);
  bus_.SetReadLines(kLineCount);
}

Status QuadSpiNorFlash::Read(uint32_t offset, MutableByteSpan target) {
  BeginRead(offset);
  bus_.Read(target);
  bus_.Deselect();
  return Status::kOk;
}

}  // namespace ota::storage
