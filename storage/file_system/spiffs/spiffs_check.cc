// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/spiffs/spiffs_check.h"

#include "storage/file_system/spiffs/spiffs_object.h"

namespace ota::storage {
namespace {

// Reclaiming space in between may move a page past the walk; then another one finds it.
constexpr uint32_t kTailPassesMax = 16;

// A bit that a cut left weak reads either way: once it has read as programmed, it is.
constexpr uint32_t kFlagReads = 16;
constexpr uint32_t kFlagsOffset = 4;

}  // namespace

template <typename Visit>
Status SpiffsChecker::ForEachPage(Visit visit) {
  SpiffsVolume::Cursor cursor;
  owner_ = {};
  for (;;) {
    uint32_t page = 0;
    uint32_t id = 0;
    const Status status = volume_.ReadNext(cursor, page, id);
    if (status == Status::kEndOfInput) return Status::kOk;
    OTA_TRY(status);
    OTA_TRY(const SpiffsPageHeader header, volume_.ReadHeader(page));
    OTA_TRY(visit(page, id, header));
  }
}

Result<CheckReport> SpiffsChecker::Run() {
  if (volume_.has_unfinished_erase()) ++report_.other_count;
  if (repairs_) {
    OTA_TRY(volume_.FinishErase());
    OTA_TRY(volume_.StrengthenMarks());
  }
  using Header = const SpiffsPageHeader&;
  OTA_TRY(ForEachPage(
      [&](uint32_t page, uint32_t id, Header header) { return CheckLookup(page, id, header); }));
  OTA_TRY(ForEachPage(
      [&](uint32_t page, uint32_t, Header header) { return CheckRemoval(page, header); }));
  OTA_TRY(ForEachPage(
      [&](uint32_t page, uint32_t, Header header) { return CheckDuplicate(page, header); }));
  OTA_TRY(ForEachPage(
      [&](uint32_t page, uint32_t, Header header) { return CheckOwner(page, header); }));
  OTA_TRY(
      ForEachPage([&](uint32_t page, uint32_t, Header header) { return CheckFile(page, header); }));
  OTA_TRY(CheckTails());
  OTA_TRY(volume_.CountPages());
  return report_;
}

Status SpiffsChecker::Drop(uint32_t page, uint32_t& count) {
  ++count;
  owner_ = {};
  return repairs_ ? volume_.DeletePage(page) : Status::kOk;
}

// A page that was not completed, whose lookup entry was torn, or whose deletion was begun.
Status SpiffsChecker::CheckLookup(uint32_t page, uint32_t id, SpiffsPageHeader header) {
  if (repairs_ && header.is_index()) OTA_TRY(StrengthenFlags(page, header.flags));
  if (header.id == id && header.is_live()) return Status::kOk;
  return Drop(page, report_.other_count);
}

// So that what is decided by the flags of an index page, which say whether it counts, stays so.
Status SpiffsChecker::StrengthenFlags(uint32_t page, uint8_t& flags) {
  for (uint32_t i = 0; i < kFlagReads; ++i) {
    OTA_TRY(const SpiffsPageHeader again, volume_.ReadHeader(page));
    flags &= again.flags;
  }
  const Status status = volume_.Program(volume_.PageOffset(page) + kFlagsOffset, {&flags, 1});
  return status == Status::kNotErased ? Status::kOk : status;  // it read as more than is there
}

Status SpiffsChecker::CheckRemoval(uint32_t page, const SpiffsPageHeader& header) {
  if (!header.is_live() || !header.is_index() || header.span != 0 || !header.is_being_removed()) {
    return Status::kOk;
  }
  ++report_.other_count;
  return repairs_ ? RemoveSpiffsObject(volume_, header.id & ~kSpiffsIndexBit, page) : Status::kOk;
}

// Of two copies of an index page the one that knows the larger size is the newer.
Status SpiffsChecker::CheckDuplicate(uint32_t page, const SpiffsPageHeader& header) {
  if (!header.is_live() || !header.is_index() || header.is_being_removed()) return Status::kOk;
  const Result<uint32_t> first = volume_.FindPage(header.id, header.span);
  if (first.status() == Status::kNotFound) return Status::kOk;
  OTA_TRY(first.status());
  if (*first == page) return Status::kOk;
  uint32_t older = page;
  if (header.span == 0) {
    OTA_TRY(const SpiffsObjectHeader one, ReadSpiffsObjectHeader(volume_, *first));
    OTA_TRY(const SpiffsObjectHeader other, ReadSpiffsObjectHeader(volume_, page));
    if (other.size_bytes > one.size_bytes) older = *first;
  }
  return Drop(older, report_.duplicate_count);
}

Status SpiffsChecker::LoadOwner(uint32_t id) {
  if (owner_.id == id) return Status::kOk;
  owner_ = {};
  owner_.id = id;
  const Result<uint32_t> header = volume_.FindPage(id | kSpiffsIndexBit, 0);
  if (header.status() == Status::kNotFound) return Status::kOk;
  OTA_TRY(header.status());
  OTA_TRY(const SpiffsObjectHeader object, ReadSpiffsObjectHeader(volume_, *header));
  owner_.header_page = *header;
  owner_.index_page = *header;
  const uint32_t data_bytes = volume_.data_bytes();
  owner_.page_count =
      object.size_bytes / data_bytes + (object.size_bytes % data_bytes != 0 ? 1 : 0);
  return Status::kOk;
}

// The page that the loaded owner's index has for a span; kSpiffsNoPage when it has none.
Result<uint32_t> SpiffsChecker::FindEntry(uint32_t data_span) {
  uint32_t index_span = 0;
  uint32_t entry = 0;
  volume_.LocateEntry(data_span, index_span, entry);
  if (index_span != owner_.index_span) {
    const Result<uint32_t> found = volume_.FindPage(owner_.id | kSpiffsIndexBit, index_span);
    if (!found.ok() && found.status() != Status::kNotFound) return found.status();
    owner_.index_span = index_span;
    owner_.index_page = found.ok() ? *found : kSpiffsNoPage;
  }
  if (owner_.index_page == kSpiffsNoPage) return kSpiffsNoPage;
  return ReadSpiffsEntry(volume_, owner_.index_page, index_span, entry);
}

// A repair leaves no page behind that reads as live in one pass and not in another.
Status SpiffsChecker::CheckOwner(uint32_t page, const SpiffsPageHeader& header) {
  if (!header.is_live()) return repairs_ ? Drop(page, report_.other_count) : Status::kOk;
  if (header.is_index() && header.span == 0) return Status::kOk;
  OTA_TRY(LoadOwner(header.id & ~kSpiffsIndexBit));
  if (owner_.header_page == kSpiffsNoPage || owner_.page_count == 0) {
    return Drop(page, report_.leaked_unit_count);
  }
  if (header.is_index()) {
    uint32_t last_span = 0;
    uint32_t entry = 0;
    volume_.LocateEntry(owner_.page_count - 1, last_span, entry);
    return header.span > last_span ? Drop(page, report_.leaked_unit_count) : Status::kOk;
  }
  if (header.span >= owner_.page_count) return Drop(page, report_.leaked_unit_count);
  OTA_TRY(const uint32_t entry, FindEntry(header.span));
  return entry == page ? Status::kOk : Drop(page, report_.leaked_unit_count);
}

Status SpiffsChecker::CheckFile(uint32_t page, const SpiffsPageHeader& header) {
  if (!header.is_live() || !header.is_index() || header.span != 0 || header.is_being_removed()) {
    return Status::kOk;
  }
  ++report_.file_count;
  OTA_TRY(LoadOwner(header.id & ~kSpiffsIndexBit));
  const uint32_t pages_max = volume_.block_count() * volume_.usable_pages_per_block();
  bool is_whole = owner_.header_page == page && owner_.page_count <= pages_max;
  for (uint32_t span = 0; is_whole && span < owner_.page_count; ++span) {
    OTA_TRY(const uint32_t entry, FindEntry(span));
    OTA_TRY(is_whole, volume_.ReadIsPageOf(entry, owner_.id, span));
  }
  report_.damaged_file_count += is_whole ? 0 : 1;
  return Status::kOk;
}

// Entries behind the size were being appended when the power failed.
Status SpiffsChecker::CheckTail(uint32_t page, const SpiffsPageHeader& header, bool& is_changed) {
  if (!header.is_live() || !header.is_index() || header.is_being_removed()) return Status::kOk;
  OTA_TRY(LoadOwner(header.id & ~kSpiffsIndexBit));
  if (owner_.header_page == kSpiffsNoPage) return Status::kOk;
  const uint32_t count = volume_.EntryCount(header.span);
  const uint32_t first_span =
      header.span == 0 ? 0 : volume_.EntryCount(0) + (header.span - 1) * volume_.EntryCount(1);
  const uint32_t used = owner_.page_count > first_span ? owner_.page_count - first_span : 0;
  bool has_tail = false;
  for (uint32_t i = used; i < count && !has_tail; ++i) {
    OTA_TRY(const uint32_t entry, ReadSpiffsEntry(volume_, page, header.span, i));
    has_tail = entry != kSpiffsNoPage;
  }
  if (!has_tail) return Status::kOk;
  ++report_.other_count;
  if (!repairs_) return Status::kOk;
  // Append would clear them too; without room now it is left to it.
  const Status reserved = volume_.Reserve(1);
  if (reserved == Status::kStorageFull) return Status::kOk;
  OTA_TRY(reserved);
  is_changed = true;
  owner_ = {};
  OTA_TRY(const bool is_there, volume_.ReadIsPageOf(page, header.id, header.span));
  if (!is_there) return Status::kOk;
  OTA_TRY(volume_.LoadPage(page));
  for (uint32_t i = used; i < count; ++i) volume_.SetBufferedEntry(header.span, i, kSpiffsNoPage);
  return volume_.ReplaceIndexPage(page).status();
}

Status SpiffsChecker::CheckTails() {
  bool is_changed = true;
  for (uint32_t pass = 0; is_changed && pass < kTailPassesMax; ++pass) {
    is_changed = false;
    OTA_TRY(ForEachPage([&](uint32_t page, uint32_t, const SpiffsPageHeader& header) {
      return CheckTail(page, header, is_changed);
    }));
  }
  return Status::kOk;
}

}  // namespace ota::storage
