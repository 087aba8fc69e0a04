// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/model_store/journaled_store.h"

// The model store on a block device of its own, which most often is a Partition: a journal at its
// start, behind it slots. A slot is contiguous, so that on a memory mapped unit a model is used in
// place. Bytes on the medium: docs/formats/model_store.md.
//
//   RawModelStore store(partition, workspace);
//   while ((status = store.Mount()) == Status::kBusy) Idle();
//   if (status == Status::kCorrupted) … Format() …

namespace ota::storage {

class RawModelStore final : public JournaledStore {
 public:
  /// `device` and `workspace` must outlive it. `workspace` is what is programmed at once: a
  /// multiple of the device's program unit, best a power of two; it takes at least one unit.
  ///
  /// `segment_count`, at least 2, is how many segments the journal has: with more it wears less and
  /// takes more room; docs/formats/model_store.md tells how to choose. 0: two to four, by the size
  /// of the device. A store is mounted only with the count that it was formatted with.
  RawModelStore(BlockDevice& device, MutableByteSpan workspace, uint32_t segment_count = 0)
      : JournaledStore(device, workspace, ImageCountMaxOf(device.geometry().size_bytes),
                       segment_count),
        device_(device) {}

  Status Mount() override;
  StoreSpace space() override;
  uint32_t NeededBytes(uint32_t size_bytes) const override;

 private:
  bool IsPlace(uint32_t place, uint32_t size_bytes) const override;
  Result<uint32_t> FindPlace(uint32_t size_bytes, uint32_t name_hash) override;
  Status PreparePlace() override;
  Result<uint32_t> ReopenPlace() override;
  Status WriteWorkspace(uint32_t length) override;
  Status SyncWritten() override { return device_.Sync(); }
  uint32_t resume_unit() const override;
  Status ReadImage(const Entry& entry, uint32_t offset, MutableByteSpan target) override;
  std::optional<ByteSpan> MapImage(const Entry& entry) const override;

  uint32_t erase_unit() const { return journal_.geometry().erase_unit; }
  uint32_t first_unit() const { return journal_.size_bytes() / erase_unit(); }
  uint32_t end_unit() const { return journal_.geometry().size_bytes / erase_unit(); }
  uint32_t UnitCount(uint32_t size_bytes) const;
  const Entry* FindBlocking(uint32_t first, uint32_t end, uint32_t replacing_hash) const;

  BlockDevice& device_;
  uint32_t erased_bytes_ = 0;  ///< up to where the slot was erased in this session
};

}  // namespace ota::storage
