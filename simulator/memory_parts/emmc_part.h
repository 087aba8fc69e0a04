// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "simulator/memory_parts/card_cells.h"
#include "simulator/memory_parts/simulated_clock.h"
#include "storage/block_device/mmc_bus.h"

namespace ota::simulator {

struct EmmcTraits {
  const char* name = "";
  uint32_t size_bytes = 0;  ///< of the user area, at most 4 GiB less one sector
  uint32_t line_count = 8;  ///< data lines that it has and that are connected: 1, 4 or 8
  uint32_t cache_kib = 64;  ///< 0: it has none, each write is final
  uint64_t initialize_ns = 100'000'000;
  uint64_t read_ns = 150'000;         ///< until the first sector of a command comes
  uint64_t cached_write_ns = 30'000;  ///< busy after a sector into the cache
  uint64_t program_ns = 1'500'000;    ///< busy after a sector past it
  uint64_t flush_ns = 5'000'000;      ///< and 100 µs for each cached sector
  uint64_t erase_ns = 2'000'000;      ///< of an erase or trim
  uint32_t group_bytes = 4 * 1024 * 1024;
  uint64_t group_endurance = 3000;
  uint32_t read_ua = 60000;
  uint32_t write_ua = 80000;
  uint32_t voltage_mv = 3300;
};

extern const EmmcTraits kEmmc4G;  ///< 3.5 GiB of user area

/// An eMMC, command by command, after JEDEC JESD84-B51: CMD0 to 3, 6 to 10, 12, 13, 16 to 18, 23 to
/// 25, 35, 36, 38. A command that does not belong to the state it is in, or whose check bits are
/// wrong, it does not answer; the next answer tells. Data go over 1, 4 or 8 lines, at single rate;
/// over other ones than both sides use, nothing sound comes.
class EmmcPart final : public storage::MmcDmaBus {
 public:
  static constexpr uint32_t kSectorBytes = CardCells::kSectorBytes;
  static constexpr uint32_t kGroupSectors = 1024;  ///< erase group: 512 KiB

  /// In the numbers that the status has.
  enum class State : uint8_t {
    kIdle = 0,
    kReady = 1,
    kIdentification = 2,
    kStandby = 3,
    kTransfer = 4,
    kSending = 5,
    kReceiving = 6,
    kProgramming = 7,
  };

  /// `clock` and `power` must outlive it. `size_bytes` other than 0: another size.
  EmmcPart(const EmmcTraits& traits, SimulatedClock& clock, PowerSupply& power,
           const std::string& path = "", uint32_t size_bytes = 0);

  bool Command(ByteSpan frame, MutableByteSpan response) override;
  bool ReadBlock(MutableByteSpan data, storage::LineCheckBits& crc) override;
  storage::BlockAnswer WriteBlock(ByteSpan data, const storage::LineCheckBits& crc) override;
  void StartBlocks(MutableByteSpan data) override;
  Status PollBlocks() override;
  void StopBlocks() override;
  bool IsBusy() override;
  void SetFrequency(uint32_t hz) override { frequency_hz_ = hz; }
  uint32_t line_count() const override { return board_line_count_; }
  void SetLineCount(uint32_t count) override { host_line_count_ = count; }

  /// How many lines the board has, whatever is connected to them.
  void set_board_line_count(uint32_t count) { board_line_count_ = count; }

  /// Power was off: it has forgotten all but its NAND.
  void Reset();

  /// Answers and blocks have wrong check bits, `count` times.
  void CorruptAnswers(uint32_t count) { corrupt_count_ = count; }

  State state();
  /// How often the bus was used while blocks came by DMA.
  uint32_t collision_count() const { return collision_count_; }
  CardCells& cells() { return cells_; }
  OverwriteArray& array() { return cells_.array(); }
  const OverwriteArray& array() const { return cells_.array(); }

 private:
  using Register = std::array<uint8_t, 16>;

  void Transfer(uint64_t bit_count);
  void Account(uint64_t ns);
  uint64_t BlockNs() const;
  bool SendBlock(MutableByteSpan data, storage::LineCheckBits& crc);
  void BeBusy(uint64_t ns);
  bool IsClockLegal() const;
  bool Execute(uint8_t index, uint32_t argument, MutableByteSpan response);
  bool ExecuteTransfer(uint8_t index, uint32_t argument);
  bool StartUp(uint8_t index, uint32_t argument, MutableByteSpan response);
  bool IsLegal(uint8_t index);
  bool Refuse(uint32_t status_bit);
  bool Move(State next);
  bool StartData(State next, uint32_t sector, uint32_t count);
  bool SetRegister(uint32_t argument);
  bool HasRegister(uint32_t index, uint32_t value) const;
  bool is_heard() const {
    return host_line_count_ == line_count_ && line_count_ <= traits_.line_count;
  }
  bool SelectErase(uint8_t index, uint32_t sector);
  bool Erase(uint32_t argument);
  void AnswerStatus(uint8_t index, MutableByteSpan response);
  void AnswerRegister(Register content, MutableByteSpan response);
  void Finish(MutableByteSpan response, size_t skipped);
  void EndBlock();
  void Store(ByteSpan data);
  void FillExtendedCsd(MutableByteSpan data) const;
  storage::LineCheckBits ComputeCrc(ByteSpan data);

  EmmcTraits traits_;
  SimulatedClock& clock_;
  CardCells cells_;

  State state_ = State::kIdle;
  uint32_t status_ = 0;  ///< errors that were not told yet
  uint32_t frequency_hz_ = 400'000;
  bool is_high_speed_ = false;
  uint32_t line_count_ = 1;
  uint32_t host_line_count_ = 1;
  uint32_t board_line_count_ = 8;
  bool is_cached_ = false;
  uint32_t cached_count_ = 0;  ///< sectors written since the last flush
  uint16_t relative_address_ = 1;
  uint32_t block_count_ = 0;  ///< of CMD23, for the next command
  bool is_reliable_ = false;  ///< likewise
  bool writes_reliably_ = false;
  uint32_t sector_ = 0;
  uint32_t blocks_left_ = 0;  ///< of the transfer; kOpenEnded: until it is stopped
  bool sends_registers_ = false;
  bool has_started_ = false;  ///< the first block of a read is out
  uint32_t erase_first_ = 0;
  uint32_t erase_last_ = 0;
  uint8_t erase_step_ = 0;  ///< how much of CMD35, CMD36, CMD38 has come in a row
  uint64_t busy_until_ns_ = 0;
  uint64_t ready_at_ns_ = 0;
  uint32_t corrupt_count_ = 0;
  MutableByteSpan incoming_;  ///< by DMA, and from when on
  uint64_t incoming_from_ns_ = 0;
  uint32_t collision_count_ = 0;
};

}  // namespace ota::simulator
