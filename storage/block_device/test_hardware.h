// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "simulator/memory_parts/emmc_part.h"
#include "simulator/memory_parts/sd_card_part.h"
#include "simulator/memory_parts/spi_nor_part.h"
#include "storage/block_device/emmc.h"
#include "storage/block_device/sd_card.h"
#include "storage/block_device/spi_nor.h"

namespace ota::storage {

/// A simulated part that is up, with its driver and its transfers by DMA.
class TestHardware {
 public:
  virtual ~TestHardware() = default;
  virtual FlashController& controller() = 0;
  virtual ReadTransfer& transfer() = 0;
  /// How often the bus was used while bytes came.
  virtual uint32_t collision_count() const = 0;
  virtual void FailNextRead() = 0;

  simulator::SimulatedClock clock;
  simulator::PowerSupply power;
};

class NorHardware final : public TestHardware {
 public:
  explicit NorHardware(uint32_t size_bytes)
      : part_(simulator::kW25Q16, clock, power, "", size_bytes) {
    while (flash_.Start() == Status::kBusy) {
    }
  }
  FlashController& controller() override { return flash_; }
  ReadTransfer& transfer() override { return transfer_; }
  uint32_t collision_count() const override { return part_.collision_count(); }
  void FailNextRead() override {}

 private:
  simulator::SpiNorPart part_;
  SpiNorFlash flash_{part_};
  SpiNorTransfer transfer_{flash_, part_};
};

class SdHardware final : public TestHardware {
 public:
  explicit SdHardware(uint32_t size_bytes)
      : part_(simulator::kSdhc2G, clock, power, "", size_bytes) {
    while (card_.Start() == Status::kBusy) {
    }
  }
  FlashController& controller() override { return card_; }
  ReadTransfer& transfer() override { return transfer_; }
  uint32_t collision_count() const override { return part_.collision_count(); }
  void FailNextRead() override { part_.array().FailReads(0, 1); }

 private:
  simulator::SdCardPart part_;
  SdCard card_{part_};
  SdCardTransfer transfer_{card_, part_};
};

class EmmcHardware final : public TestHardware {
 public:
  explicit EmmcHardware(uint32_t size_bytes)
      : part_(simulator::kEmmc4G, clock, power, "", size_bytes) {
    while (emmc_.Start() == Status::kBusy) {
    }
  }
  FlashController& controller() override { return emmc_; }
  ReadTransfer& transfer() override { return transfer_; }
  uint32_t collision_count() const override { return part_.collision_count(); }
  void FailNextRead() override { part_.array().FailReads(0, 1); }

 private:
  simulator::EmmcPart part_;
  Emmc emmc_{part_};
  EmmcTransfer transfer_{emmc_, part_};
};

}  // namespace ota::storage
