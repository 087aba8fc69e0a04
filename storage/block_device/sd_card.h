// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "storage/block_device/flash_controller.h"
#include "storage/block_device/spi_bus.h"

namespace ota::storage {

/// An SD or SDHC card over SPI. Blocks that follow one another are written with one multiple block
/// write; Flush, and anything else, ends it. Commands and answers: SD Physical Layer Simplified
/// Specification, chapter 7.
///
/// Of a card only the first 4 GiB less one block are used, since offsets have 32 bits.
class SdCard final : public FlashController {
 public:
  static constexpr uint32_t kBlockBytes = 512;

  /// `bus` must outlive it, and runs at 400 kHz at most until Start has finished.
  explicit SdCard(SpiBus& bus) : bus_(bus) {}

  /// Brings the card up. kBusy: it is at it; call again, for a second if need be. kNotSupported: no
  /// card, or one of a kind not known. kMediumFailed: its answers have wrong check bits.
  Status Start();

  const Geometry& geometry() const override { return geometry_; }
  uint32_t program_bytes_max() const override { return kBlockBytes; }
  Status StartProgram(uint32_t offset, ByteSpan data) override;
  /// Fills one block with zeros.
  Status StartErase(uint32_t offset) override;
  Status Poll() override;
  Status Flush() override;
  Status Read(uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> Map() const override { return std::nullopt; }

 private:
  enum class Step : uint8_t { kReset, kInitialize, kReady };

  uint8_t Command(uint8_t index, uint32_t argument);
  uint8_t ApplicationCommand(uint8_t index, uint32_t argument);
  void EndCommand();
  uint8_t ReadByte();
  Status Reset();
  Status Initialize();
  Status ReadCapacity();
  Status ReadData(MutableByteSpan target);
  Status EndWriting();
  Status StartWriting(uint32_t block);
  bool IsLineBusy();
  uint32_t BlockArgument(uint32_t block) const;

  SpiBus& bus_;
  Geometry geometry_{};
  Step step_ = Step::kReset;
  bool is_version2_ = false;
  bool is_block_addressed_ = false;
  bool is_writing_ = false;  ///< a multiple block write is open, the card is selected
  bool is_ending_ = false;   ///< its end was sent, the card may still be busy
  uint32_t next_block_ = 0;  ///< of the write that is open
};

}  // namespace ota::storage
