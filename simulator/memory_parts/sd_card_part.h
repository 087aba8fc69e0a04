// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "simulator/memory_parts/card_cells.h"
#include "simulator/memory_parts/spi_part.h"

namespace ota::simulator {

struct SdCardTraits {
  const char* name = "";
  uint32_t size_bytes = 0;  ///< at most 4 GiB less one block
  bool is_high_capacity = true;
  uint32_t frequency_hz = 20'000'000;
  uint32_t read_ns = 300'000;     ///< until a block comes
  uint32_t write_ns = 250'000;    ///< busy after each block
  uint32_t flush_ns = 4'000'000;  ///< busy after the end of a write
  uint32_t initialize_ns = 100'000'000;
  uint32_t group_bytes = 4 * 1024 * 1024;
  uint64_t group_endurance = 1000;  ///< of a consumer's card
  uint32_t read_ua = 30000;
  uint32_t write_ua = 60000;
  uint32_t voltage_mv = 3300;
};

extern const SdCardTraits kSdsc64M;  ///< 64 MB, addressed by bytes
extern const SdCardTraits kSdhc2G;   ///< 2 GB of an SDHC, addressed by blocks

/// An SD card over SPI, command by command. Written blocks stay in the cache of its CardCells until
/// the end of the write at the latest. Commands: CMD0, 1, 8 to 10, 12, 13, 16 to 18, 24, 25, 32,
/// 33, 38, 55, 58, 59; ACMD13, 22, 23, 41.
class SdCardPart final : public SpiPart {
 public:
  static constexpr uint32_t kBlockBytes = 512;

  /// `clock` and `power` must outlive it. `size_bytes` other than 0: another size.
  SdCardPart(const SdCardTraits& traits, SimulatedClock& clock, PowerSupply& power,
             const std::string& path = "", uint32_t size_bytes = 0);

  /// Power was off: the card has forgotten all but its NAND.
  void Reset();

  /// Answers commands and blocks with wrong check bits, `count` times.
  void CorruptAnswers(uint32_t count) { corrupt_count_ = count; }

  CardCells& cells() { return cells_; }
  OverwriteArray& array() { return cells_.array(); }
  const OverwriteArray& array() const { return cells_.array(); }

 private:
  enum class Mode : uint8_t { kSpiUnknown, kIdle, kReady };
  enum class Receive : uint8_t { kCommand, kToken, kData };

  void OnSelect() override {}
  void OnDeselect() override;
  uint8_t Exchange(uint8_t in) override;
  uint8_t NextOut();
  void TakeCommandByte(uint8_t in);
  void TakeToken(uint8_t in);
  void TakeDataByte(uint8_t in);
  void Execute(uint8_t index, uint32_t argument);
  void ExecuteReady(uint8_t index, uint32_t argument);
  void ExecuteApplication(uint8_t index, uint32_t argument);
  void Initialize(bool is_welcome);
  void Answer(uint8_t r1);
  void QueueBlock(ByteSpan data);
  void QueueSector(uint32_t sector);
  void StartReading(uint8_t index, uint32_t argument);
  void StartWriting(uint8_t index, uint32_t argument);
  void AcceptBlock();
  void FlushCache();
  void SelectErase(uint8_t index, uint32_t argument);
  void EraseSelected();
  void BeBusy(uint64_t ns);
  void QueueCapacity();
  void QueueIdentification();
  void SpendTransfer(uint64_t ns) override;
  uint8_t IdleBit() const { return mode_ == Mode::kIdle ? 1 : 0; }
  bool IsBusy() const { return clock().now_ns() < busy_until_ns_; }

  SdCardTraits traits_;
  CardCells cells_;

  Mode mode_ = Mode::kSpiUnknown;
  Receive receive_ = Receive::kCommand;
  bool checks_bits_ = false;
  bool is_application_ = false;
  bool is_multiple_ = false;
  bool is_reading_many_ = false;
  bool has_failed_ = false;  ///< told by the next status
  uint32_t sector_ = 0;
  uint32_t written_count_ = 0;  ///< blocks of the last write that arrived well
  uint32_t erase_first_ = 0;
  uint32_t erase_last_ = 0;
  uint8_t erase_step_ = 0;  ///< how much of CMD32, CMD33, CMD38 has come in a row
  uint64_t busy_until_ns_ = 0;
  uint64_t ready_at_ns_ = 0;
  uint32_t gap_count_ = 0;    ///< bytes since the last block of several
  uint64_t block_at_ns_ = 0;  ///< from when on what is read comes
  uint32_t corrupt_count_ = 0;
  std::vector<uint8_t> in_;
  std::deque<uint8_t> out_;
};

}  // namespace ota::simulator
