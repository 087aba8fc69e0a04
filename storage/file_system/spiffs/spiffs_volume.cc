// SPDX-License-Identifier: Apache-2.0
#include "storage/file_system/spiffs/spiffs_volume.h"

#include <algorithm>
#include <cstring>

namespace ota::storage {
namespace {

constexpr uint32_t kMagic = 0x0529;
constexpr uint32_t kIndexHeaderBytes = 8;  // the page header and its padding
constexpr uint32_t kSizeTypeBytes = 5;     // of the object, in its first index page
constexpr uint32_t kCopyBytes = 64;
constexpr uint32_t kStampMask = 0x7FFF;
constexpr uint32_t kStampNone = 0xFFFF;
constexpr uint32_t kLookupChunk = 16;  // entries
// Of the blocks that are reclaimed at once so many may be such as lag behind.
constexpr uint32_t kLevelRounds = 3;

bool IsPowerOfTwo(uint32_t value) { return value != 0 && (value & (value - 1)) == 0; }

}  // namespace

Status SpiffsVolume::VerifyOptions() const {
  const Geometry& geometry = device_.geometry();
  const SpiffsOptions& o = options_;
  if (!IsPowerOfTwo(o.page_bytes) || o.page_bytes < 64 || o.page_bytes > kSpiffsPageBytesMax ||
      o.page_bytes > buffer_.size() || o.block_bytes % o.page_bytes != 0 ||
      o.block_bytes / o.page_bytes < 4) {
    return Status::kNotSupported;
  }
  if (o.name_bytes < 2 || o.name_bytes > 256 || o.meta_bytes > 256 ||
      kIndexHeaderBytes + kSizeTypeBytes + o.name_bytes + o.meta_bytes + 4 > o.page_bytes) {
    return Status::kNotSupported;
  }
  if (!geometry.needs_erase || !geometry.can_reprogram || geometry.erased_value != 0xFF ||
      geometry.program_unit > DeviceAccess::kWidenedUnitMax ||
      geometry.read_unit > DeviceAccess::kWidenedUnitMax ||
      o.block_bytes % geometry.erase_unit != 0) {
    return Status::kNotSupported;
  }
  const uint32_t blocks = geometry.size_bytes / o.block_bytes;
  // Page numbers have 16 bits, and 0xFFFF is none.
  const bool is_addressable = geometry.size_bytes / o.page_bytes <= 0xFFFF;
  return blocks >= 4 && is_addressable ? Status::kOk : Status::kNotSupported;
}

uint32_t SpiffsVolume::EntriesOffset(uint32_t index_span) const {
  if (index_span != 0) return kIndexHeaderBytes;
  const uint32_t offset =
      kIndexHeaderBytes + kSizeTypeBytes + options_.name_bytes + options_.meta_bytes;
  return options_.is_index_aligned ? offset + offset % 2 : offset;
}

void SpiffsVolume::LocateEntry(uint32_t data_span, uint32_t& index_span, uint32_t& entry) const {
  const uint32_t in_header = EntryCount(0);
  index_span = data_span < in_header ? 0 : 1 + (data_span - in_header) / EntryCount(1);
  entry = data_span < in_header ? data_span : (data_span - in_header) % EntryCount(1);
}

uint32_t SpiffsVolume::MagicOf(uint32_t block) const {
  const uint32_t magic = kMagic ^ options_.page_bytes;
  return (options_.has_magic_length ? magic ^ (block_count_ - block) : magic) & 0xFFFF;
}

uint32_t SpiffsVolume::LookupOffset(uint32_t page) const {
  const uint32_t pages = options_.block_bytes / options_.page_bytes;
  return BlockOffset(page / pages) + 2 * (page % pages - lookup_pages_);
}

Result<uint32_t> SpiffsVolume::ReadLookup(uint32_t page) {
  uint8_t raw[2];
  OTA_TRY(Read(LookupOffset(page), raw));
  return uint32_t{LoadLe16(raw)};
}

Result<SpiffsPageHeader> SpiffsVolume::ReadHeader(uint32_t page) {
  uint8_t raw[kSpiffsPageHeaderBytes];
  OTA_TRY(Read(PageOffset(page), raw));
  return SpiffsPageHeader{LoadLe16(raw), LoadLe16(raw + 2), raw[4]};
}

void SpiffsVolume::SetLayout() {
  const uint32_t pages = options_.block_bytes / options_.page_bytes;
  block_count_ = device_.geometry().size_bytes / options_.block_bytes;
  lookup_pages_ = std::max(1u, pages * 2 / options_.page_bytes);
  usable_pages_ = pages - lookup_pages_;
  open_blocks_.fill(kNoBlock);
  victim_ = kNoBlock;
}

Status SpiffsVolume::Mount() {
  is_mounted_ = false;
  OTA_TRY(VerifyOptions());
  SetLayout();
  if (options_.has_magic && lookup_pages_ * options_.page_bytes < usable_pages_ * 2 + 4) {
    return Status::kNotSupported;
  }
  OTA_TRY(ReadMagics());
  OTA_TRY(CountPages());
  is_mounted_ = true;
  return Status::kOk;
}

/// Stamps run round, and those of a volume lie close together: if some are near the end of the
/// round and some near its start, the newest is the largest of the latter.
Status SpiffsVolume::ReadMagics() {
  struct Newest {
    uint32_t stamp = kStampNone;
    uint32_t block = 0;
  };
  Newest newest[2];  // of the lower and the upper half of the round
  bool is_near_end = false;
  bool is_near_start = false;
  unfinished_block_ = kNoBlock;
  for (uint32_t block = 0; block < block_count_; ++block) {
    uint8_t raw[4];
    OTA_TRY(Read(BlockOffset(block) + lookup_pages_ * options_.page_bytes - 4, raw));
    if (options_.has_magic && LoadLe16(raw) != MagicOf(block)) {
      // One may have lost its power in an erase; two are no volume of this kind.
      if (unfinished_block_ != kNoBlock) return Status::kCorrupted;
      unfinished_block_ = block;
      continue;
    }
    if (LoadLe16(raw + 2) == kStampNone) continue;
    const uint32_t stamp = LoadLe16(raw + 2) & kStampMask;
    is_near_start = is_near_start || stamp <= kStampMask / 4;
    is_near_end = is_near_end || stamp > kStampMask / 4 * 3;
    Newest& half = newest[stamp / (kStampMask / 2 + 1)];
    if (half.stamp == kStampNone || stamp >= half.stamp) half = {stamp, block};
  }
  const bool is_upper = newest[1].stamp != kStampNone && !(is_near_start && is_near_end);
  const Newest& found = newest[is_upper ? 1 : 0];
  next_stamp_ = found.stamp == kStampNone ? 0 : (found.stamp + 1) & kStampMask;
  newest_block_ = found.block;
  return Status::kOk;
}

Status SpiffsVolume::ReadNext(Cursor& cursor, uint32_t& page, uint32_t& id) {
  const uint32_t pages = options_.block_bytes / options_.page_bytes;
  for (; cursor.block < block_count_; ++cursor.block, cursor.entry = 0, cursor.chunk_count = 0) {
    if (cursor.block == unfinished_block_) continue;
    while (cursor.entry < usable_pages_) {
      if (cursor.entry >= cursor.chunk_first + cursor.chunk_count || cursor.chunk_count == 0) {
        cursor.chunk_first = cursor.entry;
        cursor.chunk_count =
            std::min<uint32_t>(sizeof(cursor.chunk) / 2, usable_pages_ - cursor.entry);
        OTA_TRY(Read(BlockOffset(cursor.block) + 2 * cursor.entry,
                     MutableByteSpan(cursor.chunk, 2 * cursor.chunk_count)));
      }
      id = LoadLe16(cursor.chunk + 2 * (cursor.entry - cursor.chunk_first));
      page = cursor.block * pages + lookup_pages_ + cursor.entry;
      ++cursor.entry;
      if (id != kSpiffsFree && id != kSpiffsDeleted) return Status::kOk;
    }
  }
  return Status::kEndOfInput;
}

Result<bool> SpiffsVolume::ReadIsPageOf(uint32_t page, uint32_t id, uint32_t span) {
  if (!IsPage(page)) return false;
  OTA_TRY(const SpiffsPageHeader header, ReadHeader(page));
  return header.id == id && header.span == span && header.is_live() &&
         !(header.is_index() && header.is_being_removed());
}

Result<uint32_t> SpiffsVolume::FindPage(uint32_t id, uint32_t span) {
  Cursor cursor;
  for (;;) {
    uint32_t page = 0;
    uint32_t found_id = 0;
    const Status status = ReadNext(cursor, page, found_id);
    if (status == Status::kEndOfInput) return Status::kNotFound;
    OTA_TRY(status);
    if (found_id != id) continue;
    OTA_TRY(const bool is_it, ReadIsPageOf(page, id, span));
    if (is_it) return page;
  }
}

Result<SpiffsVolume::BlockUse> SpiffsVolume::ReadUse(uint32_t block) {
  BlockUse use;
  uint8_t chunk[32];
  for (uint32_t entry = 0; entry < usable_pages_; entry += sizeof(chunk) / 2) {
    const uint32_t count = std::min<uint32_t>(sizeof(chunk) / 2, usable_pages_ - entry);
    OTA_TRY(Read(BlockOffset(block) + 2 * entry, MutableByteSpan(chunk, 2 * count)));
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t id = LoadLe16(chunk + 2 * i);
      use.free += id == kSpiffsFree ? 1 : 0;
      use.deleted += id == kSpiffsDeleted ? 1 : 0;
    }
  }
  if (options_.has_magic) {
    uint8_t raw[2];
    OTA_TRY(Read(BlockOffset(block) + lookup_pages_ * options_.page_bytes - 2, raw));
    const uint32_t stamp = LoadLe16(raw) == kStampNone ? 0u : LoadLe16(raw) & kStampMask;
    use.age = (next_stamp_ - stamp) & kStampMask;
  }
  return use;
}

Status SpiffsVolume::CountPages() {
  free_pages_ = 0;
  deleted_pages_ = 0;
  for (uint32_t block = 0; block < block_count_; ++block) {
    if (block == unfinished_block_) {
      free_pages_ += usable_pages_;
      continue;
    }
    OTA_TRY(const BlockUse use, ReadUse(block));
    free_pages_ += use.free;
    deleted_pages_ += use.deleted;
  }
  return Status::kOk;
}

Status SpiffsVolume::EraseBlock(uint32_t block) {
  const uint32_t tail = BlockOffset(block) + lookup_pages_ * options_.page_bytes - 4;
  uint8_t raw[4] = {};
  if (options_.has_magic) OTA_TRY(Program(tail, ByteSpan(raw, 2)));
  OTA_TRY(SyncDevice());
  OTA_TRY(device_.Erase(BlockOffset(block), options_.block_bytes));
  OTA_TRY(SyncDevice());
  if (!options_.has_magic) return Status::kOk;
  StoreLe16(raw, static_cast<uint16_t>(MagicOf(block)));
  StoreLe16(raw + 2, static_cast<uint16_t>(next_stamp_));
  OTA_TRY(Program(tail + 2, ByteSpan(raw + 2, 2)));
  OTA_TRY(SyncDevice());
  OTA_TRY(Program(tail, ByteSpan(raw, 2)));
  OTA_TRY(SyncDevice());
  next_stamp_ = (next_stamp_ + 1) & kStampMask;
  return Status::kOk;
}

Status SpiffsVolume::FinishErase() {
  if (unfinished_block_ == kNoBlock) return Status::kOk;
  OTA_TRY(EraseBlock(unfinished_block_));
  unfinished_block_ = kNoBlock;
  return Status::kOk;
}

Status SpiffsVolume::StrengthenMarks() {
  if (options_.has_magic && newest_block_ != unfinished_block_) {
    const uint32_t tail = BlockOffset(newest_block_) + lookup_pages_ * options_.page_bytes - 4;
    uint8_t raw[2];
    StoreLe16(raw, static_cast<uint16_t>(MagicOf(newest_block_)));
    OTA_TRY(Program(tail, raw));
  }
  for (uint32_t block = 0; block < block_count_; ++block) {
    for (uint32_t entry = 0; entry < usable_pages_; entry += kLookupChunk) {
      uint8_t chunk[2 * kLookupChunk];
      const uint32_t count = std::min(kLookupChunk, usable_pages_ - entry);
      const MutableByteSpan part(chunk, 2 * count);
      OTA_TRY(Read(BlockOffset(block) + 2 * entry, part));
      bool has_deleted = false;
      for (uint32_t i = 0; i < count; ++i) {
        if (LoadLe16(chunk + 2 * i) == kSpiffsFree) continue;
        // A page's own flags go first, so they tell of an entry that was being marked.
        const uint32_t pages = options_.block_bytes / options_.page_bytes;
        OTA_TRY(const SpiffsPageHeader header,
                ReadHeader(block * pages + lookup_pages_ + entry + i));
        if ((header.flags & kSpiffsNotDeleted) == 0) StoreLe16(chunk + 2 * i, kSpiffsDeleted);
        has_deleted = has_deleted || LoadLe16(chunk + 2 * i) == kSpiffsDeleted;
      }
      const Status status =
          has_deleted ? Program(BlockOffset(block) + 2 * entry, part) : Status::kOk;
      if (status != Status::kNotErased) OTA_TRY(status);  // something read as more than is there
    }
  }
  return SyncDevice();
}

Status SpiffsVolume::Format() {
  is_mounted_ = false;
  OTA_TRY(VerifyOptions());
  SetLayout();
  next_stamp_ = 0;
  // Two blocks without magic are no volume: the first two lose it first and get it last.
  for (uint32_t i = 0; options_.has_magic && i < 2; ++i) {
    const uint8_t none[2] = {};
    OTA_TRY(Program(BlockOffset(i) + lookup_pages_ * options_.page_bytes - 4, none));
    OTA_TRY(SyncDevice());
  }
  for (uint32_t i = 0; i < block_count_; ++i) {
    OTA_TRY(EraseBlock((i + 2) % block_count_));
    next_stamp_ = 0;  // all are of one age
  }
  return Mount();
}

Result<bool> SpiffsVolume::ReadIsErased(uint32_t page) {
  uint8_t chunk[kCopyBytes];
  for (uint32_t at = 0; at < options_.page_bytes; at += kCopyBytes) {
    OTA_TRY(Read(PageOffset(page) + at, chunk));
    for (const uint8_t byte : chunk) {
      if (byte != 0xFF) return false;
    }
  }
  return true;
}

/// The first free page of a block; kSpiffsNoPage: none. Pages are taken in order.
Result<uint32_t> SpiffsVolume::FindFreePage(uint32_t block) {
  const uint32_t pages = options_.block_bytes / options_.page_bytes;
  if (block == kNoBlock || block == victim_ || block == unfinished_block_) return kSpiffsNoPage;
  OTA_TRY(const uint32_t last, ReadLookup(block * pages + pages - 1));
  if (last != kSpiffsFree) return kSpiffsNoPage;
  for (uint32_t entry = 0; entry < usable_pages_; ++entry) {
    const uint32_t page = block * pages + lookup_pages_ + entry;
    OTA_TRY(const uint32_t owner, ReadLookup(page));
    if (owner == kSpiffsFree) return page;
  }
  return kSpiffsNoPage;
}

/// A free page where that use took its last one; else in a block that was begun and left; else in
/// an empty one; else in one that another use has begun.
Result<uint32_t> SpiffsVolume::FindPageFor(PageUse use) {
  uint32_t& open_block = open_blocks_[static_cast<size_t>(use)];
  OTA_TRY(const uint32_t next, FindFreePage(open_block));
  if (next != kSpiffsNoPage) return next;
  const uint32_t start = open_block == kNoBlock ? newest_block_ : open_block;
  uint32_t empty = kSpiffsNoPage;
  uint32_t other = kSpiffsNoPage;
  for (uint32_t i = 1; i <= block_count_; ++i) {
    const uint32_t block = (start + i) % block_count_;
    OTA_TRY(const uint32_t page, FindFreePage(block));
    if (page == kSpiffsNoPage) continue;
    const bool is_others =
        std::find(open_blocks_.begin(), open_blocks_.end(), block) != open_blocks_.end();
    const bool is_empty = page % (options_.block_bytes / options_.page_bytes) == lookup_pages_;
    uint32_t& kept = is_others ? other : empty;
    if (!is_others && !is_empty) {
      open_block = block;
      return page;
    }
    if (kept == kSpiffsNoPage) kept = page;
  }
  if (empty == kSpiffsNoPage) return other;
  open_block = empty / (options_.block_bytes / options_.page_bytes);
  return empty;
}

Result<uint32_t> SpiffsVolume::Allocate(uint32_t id, PageUse use) {
  for (;;) {
    OTA_TRY(const uint32_t page, FindPageFor(use));
    if (page == kSpiffsNoPage) return Status::kStorageFull;
    OTA_TRY(const bool is_erased, ReadIsErased(page));
    uint8_t raw[2] = {};
    if (is_erased) StoreLe16(raw, static_cast<uint16_t>(id));
    OTA_TRY(Program(LookupOffset(page), raw));
    if (free_pages_ != 0) --free_pages_;
    if (is_erased) return page;
    ++deleted_pages_;  // somebody else's cut left bytes there
  }
}

Status SpiffsVolume::DeletePage(uint32_t page) {
  uint8_t flags = 0;
  OTA_TRY(Read(PageOffset(page) + 4, MutableByteSpan(&flags, 1)));
  flags = static_cast<uint8_t>(flags & ~(kSpiffsNotDeleted | kSpiffsUsed));
  OTA_TRY(Program(PageOffset(page) + 4, ByteSpan(&flags, 1)));
  OTA_TRY(SyncDevice());
  const uint8_t deleted[2] = {};
  OTA_TRY(Program(LookupOffset(page), deleted));
  ++deleted_pages_;
  return SyncDevice();
}

Result<uint32_t> SpiffsVolume::ReplaceIndexPage(uint32_t old_page) {
  uint8_t* const at = buffer_.data();
  OTA_TRY(const uint32_t page, Allocate(LoadLe16(at), PageUse::kIndex));
  const uint8_t final_flags = at[4];
  at[4] = final_flags | kSpiffsFinal;
  OTA_TRY(Program(PageOffset(page), buffer()));
  OTA_TRY(SyncDevice());
  at[4] = final_flags;
  OTA_TRY(Program(PageOffset(page) + 4, ByteSpan(at + 4, 1)));
  OTA_TRY(SyncDevice());
  if (old_page != kSpiffsNoPage) OTA_TRY(DeletePage(old_page));
  return page;
}

Status SpiffsVolume::Reserve(uint32_t count) {
  OTA_TRY(FinishErase());
  const uint32_t wanted = reserved_page_count() + count;
  for (uint32_t round = 0; free_pages_ < wanted; ++round) {
    if (round == 2 * block_count_ || free_pages_ + deleted_pages_ < wanted) {
      return Status::kStorageFull;
    }
    const bool levels = round < kLevelRounds && free_pages_ >= reserved_page_count();
    OTA_TRY(const uint32_t victim, ChooseVictim(levels));
    OTA_TRY(Reclaim(victim));
  }
  return Status::kOk;
}

/// The block with most deleted pages, of several the one whose erase is longest ago; or, if it
/// `levels`, one that lags behind, whatever it holds: since its erase all blocks together were
/// erased more often than there are blocks.
Result<uint32_t> SpiffsVolume::ChooseVictim(bool levels) {
  uint32_t best = kNoBlock;
  BlockUse best_use;
  uint32_t oldest = kNoBlock;
  uint32_t oldest_age = block_count_;
  for (uint32_t block = 0; block < block_count_; ++block) {
    OTA_TRY(const BlockUse use, ReadUse(block));
    if (use.free != 0) continue;
    if (use.age > oldest_age) {
      oldest = block;
      oldest_age = use.age;
    }
    const bool is_better = use.deleted > best_use.deleted ||
                           (use.deleted == best_use.deleted && use.age > best_use.age);
    if (use.deleted == 0 || !is_better) continue;
    best = block;
    best_use = use;
  }
  if (levels && oldest != kNoBlock) return oldest;
  if (best != kNoBlock) return best;
  // Only blocks that are partly free have deleted pages: take what there is.
  for (uint32_t block = 0; block < block_count_; ++block) {
    OTA_TRY(const BlockUse use, ReadUse(block));
    if (use.deleted <= best_use.deleted) continue;
    best = block;
    best_use = use;
  }
  return best == kNoBlock ? Result<uint32_t>(Status::kStorageFull) : best;
}

Status SpiffsVolume::Reclaim(uint32_t block) {
  const uint32_t pages = options_.block_bytes / options_.page_bytes;
  victim_ = block;
  ++move_count_;
  Status status = Status::kOk;
  for (uint32_t entry = 0; entry < usable_pages_ && IsOk(status); ++entry) {
    status = MovePage(block * pages + lookup_pages_ + entry);
  }
  victim_ = kNoBlock;
  OTA_TRY(status);
  // From here until its magic is back the block holds nothing.
  unfinished_block_ = block;
  OTA_TRY(FinishErase());
  return CountPages();
}

// Moves what is live; what no index refers to is lost with the block.
Status SpiffsVolume::MovePage(uint32_t page) {
  OTA_TRY(const uint32_t id, ReadLookup(page));
  if (id == kSpiffsFree || id == kSpiffsDeleted) return Status::kOk;
  OTA_TRY(const SpiffsPageHeader header, ReadHeader(page));
  if (!header.is_live() || header.id != id) return Status::kOk;
  if (header.is_index()) return MoveIndex(page, header);
  uint32_t index_span = 0;
  uint32_t entry = 0;
  LocateEntry(header.span, index_span, entry);
  const Result<uint32_t> index_page = FindPage(header.id | kSpiffsIndexBit, index_span);
  if (index_page.status() == Status::kNotFound) return Status::kOk;
  OTA_TRY(index_page.status());
  uint8_t raw[2];
  OTA_TRY(Read(PageOffset(*index_page) + EntriesOffset(index_span) + 2 * entry, raw));
  if (LoadLe16(raw) != page) return Status::kOk;
  return MoveIndex(*index_page, {header.id | kSpiffsIndexBit, index_span, 0});
}

// Moves an index page and all data pages of the victim that it refers to.
Status SpiffsVolume::MoveIndex(uint32_t index_page, const SpiffsPageHeader& header) {
  const uint32_t pages = options_.block_bytes / options_.page_bytes;
  const uint32_t data_id = header.id & ~kSpiffsIndexBit;
  const uint32_t first_span =
      header.span == 0 ? 0 : EntryCount(0) + (header.span - 1) * EntryCount(1);
  OTA_TRY(LoadPage(index_page));
  for (uint32_t i = 0; i < EntryCount(header.span); ++i) {
    const uint32_t old_page = BufferedEntry(header.span, i);
    if (!IsPage(old_page) || old_page / pages != victim_) continue;
    OTA_TRY(const bool is_it, ReadIsPageOf(old_page, data_id, first_span + i));
    if (!is_it) continue;
    OTA_TRY(const uint32_t new_page, CopyPage(old_page, data_id));
    SetBufferedEntry(header.span, i, new_page);
  }
  return ReplaceIndexPage(index_page).status();
}

Result<uint32_t> SpiffsVolume::CopyPage(uint32_t page, uint32_t id) {
  OTA_TRY(const uint32_t copy, Allocate(id, PageUse::kMovedData));
  uint8_t chunk[kCopyBytes];
  for (uint32_t at = 0; at < options_.page_bytes; at += kCopyBytes) {
    OTA_TRY(Read(PageOffset(page) + at, chunk));
    OTA_TRY(Program(PageOffset(copy) + at, chunk));
  }
  return copy;
}

}  // namespace ota::storage
