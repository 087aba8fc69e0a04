// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "storage/file_system/file_system.h"
#include "storage/file_system/spiffs/spiffs_volume.h"

namespace ota::storage {

/// Finds, and repairs, what a power cut leaves behind, in passes over the lookup entries.
class SpiffsChecker {
 public:
  SpiffsChecker(SpiffsVolume& volume, CheckMode mode)
      : volume_(volume), repairs_(mode == CheckMode::kRepair) {}

  Result<CheckReport> Run();

 private:
  /// What is known of an object, kept from one page to the next.
  struct Owner {
    uint32_t id = 0;
    uint32_t header_page = kSpiffsNoPage;
    uint32_t page_count = 0;  // data pages that its size needs
    uint32_t index_span = 0;
    uint32_t index_page = kSpiffsNoPage;
  };

  template <typename Visit>
  Status ForEachPage(Visit visit);
  Status CheckLookup(uint32_t page, uint32_t id, SpiffsPageHeader header);
  Status StrengthenFlags(uint32_t page, uint8_t& flags);
  Status CheckRemoval(uint32_t page, const SpiffsPageHeader& header);
  Status CheckDuplicate(uint32_t page, const SpiffsPageHeader& header);
  Status CheckOwner(uint32_t page, const SpiffsPageHeader& header);
  Status CheckFile(uint32_t page, const SpiffsPageHeader& header);
  Status CheckTail(uint32_t page, const SpiffsPageHeader& header, bool& is_changed);
  Status CheckTails();
  Status Drop(uint32_t page, uint32_t& count);
  Status LoadOwner(uint32_t id);
  Result<uint32_t> FindEntry(uint32_t data_span);

  SpiffsVolume& volume_;
  bool repairs_;
  CheckReport report_;
  Owner owner_;
};

}  // namespace ota::storage
