// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "storage/block_device/flash_controller.h"
#include "storage/block_device/mmc_bus.h"
#include "storage/block_device/read_transfer.h"

namespace ota::storage {

/// How an eMMC is written.
enum class EmmcWriting : uint8_t {
  /// Through the part's cache: fast; what Flush has not covered may be lost, in any order.
  kCached,
  /// Reliably: a power cut leaves a sector's old bytes or its new ones, each Program is final.
  kReliable,
};

/// The user area of an eMMC of version 4.5 or later that is addressed by sectors, as all above 2 GB
/// are. Sectors that follow one another are read with one read of many, which stays open until
/// something else is asked for. Commands, registers and states: JEDEC JESD84-B51, chapters 6 and 7.
///
/// Of a part only the first 4 GiB less one sector are used, since offsets have 32 bits.
class Emmc final : public FlashController {
 public:
  static constexpr uint32_t kSectorBytes = 512;

  /// `bus` must outlive it.
  explicit Emmc(MmcBus& bus, EmmcWriting writing = EmmcWriting::kCached)
      : bus_(bus), writing_(writing) {}

  /// Brings the part from power on to the transfer state, its clock up to 52 MHz, and as many data
  /// lines into use as board and part have and carry data soundly. kBusy: it is at it; call again,
  /// for a second if need be. kNotSupported: no part, or one of a kind not
  /// known. kMediumFailed: its answers have wrong check bits or tell of an error.
  Status Start();

  const Geometry& geometry() const override { return geometry_; }
  uint32_t program_bytes_max() const override { return kSectorBytes; }
  Status StartProgram(uint32_t offset, ByteSpan data) override;
  /// Trims one sector; it then reads as zeros.
  Status StartErase(uint32_t offset) override;
  Status Poll() override;
  Status Flush() override;
  Status Read(uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> Map() const override { return std::nullopt; }

  /// Whether the part has a cache, and it is on.
  bool is_cached() const { return is_cached_; }
  /// The data lines in use.
  uint32_t line_count() const { return line_count_; }

 private:
  friend class EmmcTransfer;

  enum class Step : uint8_t { kReset, kInitialize, kIdentify, kSpeedUp, kWiden, kReady };

  using ShortResponse = std::array<uint8_t, 6>;

  bool Send(uint8_t index, uint32_t argument, MutableByteSpan response);
  Status Command(uint8_t index, uint32_t argument);
  void ClearErrors();
  Status Switch(uint8_t index, uint8_t value);
  Status Initialize();
  Status Identify();
  Status ReadRegisters();
  Status SpeedUp();
  Status Widen();
  Status SwitchLines(uint32_t count);
  Status OpenReading(uint32_t sector);
  Status CloseReading();
  Status ReadData(MutableByteSpan target);
  Status WriteData(ByteSpan data);

  MmcBus& bus_;
  EmmcWriting writing_;
  Geometry geometry_{};
  Step step_ = Step::kReset;
  uint32_t cache_kib_ = 0;
  uint32_t line_count_ = 1;
  bool is_cached_ = false;
  bool is_at_work_ = false;     ///< its end was not seen yet
  bool is_reading_ = false;     ///< a read of many sectors is open
  uint32_t next_sector_ = 0;    ///< of it
  bool has_unflushed_ = false;  ///< sectors may be in the cache only
};

/// Its reading by DMA.
class EmmcTransfer final : public ReadTransfer {
 public:
  /// `emmc`, and `bus`, on which it is, must outlive it.
  EmmcTransfer(Emmc& emmc, MmcDmaBus& bus) : emmc_(emmc), bus_(bus) {}

  Status StartRead(uint32_t offset, MutableByteSpan target) override;
  Status PollRead() override;
  void AbandonRead() override;

 private:
  Emmc& emmc_;
  MmcDmaBus& bus_;
  uint32_t sector_count_ = 0;
};

}  // namespace ota::storage
