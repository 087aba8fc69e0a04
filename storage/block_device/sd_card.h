// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "storage/block_device/flash_controller.h"
#include "storage/block_device/read_transfer.h"
#include "storage/block_device/spi_bus.h"

namespace ota::storage {

/// An SD or SDHC card over SPI. Blocks that follow one another are read with one multiple block
/// read, which stays open until something else is asked for, and written with one multiple block
/// write; Flush, and anything else, ends that. Commands and answers: SD Physical Layer Simplified
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
  friend class SdCardTransfer;

  enum class Step : uint8_t { kReset, kInitialize, kReady };

  uint8_t Command(uint8_t index, uint32_t argument);
  uint8_t ApplicationCommand(uint8_t index, uint32_t argument);
  void EndCommand();
  uint8_t ReadByte();
  Status Reset();
  Status Initialize();
  Status ReadCapacity();
  Status OpenReading(uint32_t block);
  void EndReading();
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
  bool is_reading_ = false;  ///< a multiple block read is open, the card is selected
  bool is_writing_ = false;  ///< a multiple block write is open, the card is selected
  bool is_ending_ = false;   ///< its end was sent, the card may still be busy
  uint32_t next_block_ = 0;  ///< of the read or write that is open
};

/// Its reading by DMA, block by block: between two of them the processor looks for the token, so
/// that PollRead is to be called once in a while.
class SdCardTransfer final : public ReadTransfer {
 public:
  /// `card`, and `bus`, on which it is, must outlive it.
  SdCardTransfer(SdCard& card, SpiDmaBus& bus) : card_(card), bus_(bus) {}

  Status StartRead(uint32_t offset, MutableByteSpan target) override;
  Status PollRead() override;
  void AbandonRead() override;

 private:
  MutableByteSpan block() const { return target_.subspan(at_, SdCard::kBlockBytes); }
  Status PollToken();
  Status TakeBlock();

  SdCard& card_;
  SpiDmaBus& bus_;
  MutableByteSpan target_;
  size_t at_ = 0;  ///< of the block that comes
  bool has_token_ = false;
  uint32_t waited_bytes_ = 0;  ///< for the token
};

}  // namespace ota::storage
