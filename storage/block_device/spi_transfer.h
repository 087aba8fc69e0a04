// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/block_device/read_transfer.h"
#include "storage/block_device/spi_bus.h"

namespace ota::storage {

/// Reading by DMA of a part on SPI that gives its bytes in one go, whatever the length. `Part` is
/// its driver: BeginRead(offset) selects the part, which then gives the bytes from there on.
template <typename Part>
class SpiTransfer final : public ReadTransfer {
 public:
  /// `part`, and `bus`, on which it is, must outlive it.
  SpiTransfer(Part& part, SpiDmaBus& bus) : part_(part), bus_(bus) {}

  Status StartRead(uint32_t offset, MutableByteSpan target) override {
    part_.BeginRead(offset);
    bus_.StartRead(target);
    return Status::kOk;
  }
  Status PollRead() override {
    if (bus_.IsReading()) return Status::kBusy;
    bus_.Deselect();
    return Status::kOk;
  }
  void AbandonRead() override {
    bus_.StopReading();
    bus_.Deselect();
  }

 private:
  Part& part_;
  SpiDmaBus& bus_;
};

}  // namespace ota::storage
