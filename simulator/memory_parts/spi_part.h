// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulator/memory_parts/simulated_clock.h"
#include "storage/block_device/spi_bus.h"

namespace ota::simulator {

/// A part on SPI, seen byte by byte; each byte takes its time on the bus.
class SpiPart : public storage::SpiBus {
 public:
  void Select() final {
    is_selected_ = true;
    OnSelect();
  }
  void Deselect() final {
    if (!is_selected_) return;
    OnDeselect();
    is_selected_ = false;
    SpendTransfer(transfer_ns_);
    transfer_ns_ = 0;
  }
  void Write(ByteSpan bytes) final {
    for (const uint8_t byte : bytes) (void)Clock(byte);  // what comes in is not wanted
  }
  void Read(MutableByteSpan bytes) final {
    for (uint8_t& byte : bytes) byte = Clock(0xFF);
  }

 protected:
  /// `clock` must outlive it.
  SpiPart(SimulatedClock& clock, uint32_t frequency_hz)
      : clock_(clock), byte_ns_(8'000'000'000u / uint64_t{frequency_hz}) {}
  ~SpiPart() = default;

  virtual void OnSelect() = 0;
  virtual void OnDeselect() = 0;

  /// One byte in, one out, while selected.
  virtual uint8_t Exchange(uint8_t in) = 0;

  /// A selection has ended that kept the bus for so long: time and energy to be accounted for.
  virtual void SpendTransfer(uint64_t ns) = 0;

  SimulatedClock& clock() { return clock_; }
  const SimulatedClock& clock() const { return clock_; }

 private:
  uint8_t Clock(uint8_t in) {
    clock_.AdvanceNs(byte_ns_);
    if (!is_selected_) return 0xFF;
    transfer_ns_ += byte_ns_;
    return Exchange(in);
  }

  SimulatedClock& clock_;
  uint64_t byte_ns_;
  uint64_t transfer_ns_ = 0;
  bool is_selected_ = false;
};

}  // namespace ota::simulator
