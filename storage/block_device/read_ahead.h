// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/byte_source.h"
#include "storage/block_device/block_device.h"
#include "storage/block_device/read_transfer.h"

// Reading a stored model while the processor computes: of two classes one stands below a store, on
// the driver, and one above it, on the source that the store has opened. What lies between them,
// partition, cache, store and cipher, knows nothing of it and reads as always; a read whose bytes
// are on their way returns kBusy, and is done again until it does not.
//
//   SpiNorFlash flash(bus);                           SpiNorTransfer transfer(flash, bus);
//   FlashDriver driver(flash, queue);                 ReadAheadDevice device(driver, transfer);
//   RawModelStore store(device, workspace);
//   …
//   ReadAheadSource source(**store.Open("kws"), device);
//   interpreter.Prepare(source, arena);
//   while (interpreter.Step(budget) == Status::kBusy) source.Drive();

namespace ota::storage {

/// A block device that reads into one chosen piece of memory by transfers. All other operations are
/// those of the device below; one of them interrupts a transfer, which then begins anew; after some
/// interruptions that memory too is read as always, so that everything comes to its end.
class ReadAheadDevice final : public BlockDevice {
 public:
  /// `device`, and `transfer` of the same part, must outlive it.
  ReadAheadDevice(BlockDevice& device, ReadTransfer& transfer)
      : device_(device), transfer_(transfer) {}

  /// From now on a Read into a part of `memory` returns kBusy until its bytes have come. It must be
  /// asked for again and again with the same arguments; and reads of several parts in the order in
  /// which these lie there, each time from the first one on. False: another memory is chosen.
  bool TryBeginAhead(MutableByteSpan memory);
  /// No memory is chosen any more, and none is written.
  void EndAhead();

  const Geometry& geometry() const override { return device_.geometry(); }
  Status Read(uint32_t offset, MutableByteSpan target) override;
  Status Program(uint32_t offset, ByteSpan data) override;
  Status Erase(uint32_t offset, uint32_t length) override;
  Status Sync() override;
  bool is_busy() const override { return !is_transferring_ && device_.is_busy(); }
  std::optional<ByteSpan> Map() const override { return device_.Map(); }

 private:
  static constexpr uint8_t kInterruptionCountMax = 8;

  Status ReadAhead(uint32_t offset, MutableByteSpan target);
  void Interrupt();

  BlockDevice& device_;
  ReadTransfer& transfer_;
  MutableByteSpan memory_;
  size_t filled_bytes_ = 0;  ///< of `memory_`, from its start
  bool is_transferring_ = false;
  uint8_t interruption_count_ = 0;
  uint32_t offset_ = 0;  ///< of the transfer
  MutableByteSpan target_;
};

/// A source on a store above a ReadAheadDevice, which can read ahead. What begins or ends within a
/// read unit of the device is read there as always. Of several sources on one device one at a time
/// reads ahead, and the others read at once what they are to start.
class ReadAheadSource final : public ByteSource {
 public:
  /// `source` and `device` must outlive it.
  ReadAheadSource(ByteSource& source, ReadAheadDevice& device) : source_(source), device_(device) {}
  ~ReadAheadSource() { AbandonRead(); }
  ReadAheadSource(const ReadAheadSource&) = delete;
  ReadAheadSource& operator=(const ReadAheadSource&) = delete;

  /// Goes on with a read that is under way, if there is one: to be called between steps, the more
  /// often the better, where a read takes several transfers (blocks of a card, pieces of a file).
  /// An interrupt may call it that is held off while source, store or device are used otherwise.
  void Drive();

  uint32_t size_bytes() const override { return source_.size_bytes(); }
  Status Read(uint32_t offset, MutableByteSpan target) override;
  bool can_read_ahead() const override { return true; }
  Status StartRead(uint32_t offset, MutableByteSpan target) override;
  Status FinishRead() override;
  void AbandonRead() override;
  std::optional<ByteSpan> Map() const override { return source_.Map(); }

 private:
  Status ReadRest();

  ByteSource& source_;
  ReadAheadDevice& device_;
  bool is_started_ = false;
  bool is_ahead_ = false;  ///< the device reads what lies in the middle of `target_` by transfers
  uint32_t offset_ = 0;
  MutableByteSpan target_;
  size_t filled_bytes_ = 0;  ///< of `target_`, from its start
  size_t ahead_begin_ = 0;   ///< in it, of whole read units
  size_t ahead_end_ = 0;
  Status result_ = Status::kOk;
};

}  // namespace ota::storage
