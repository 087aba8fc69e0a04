// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "storage/file_system/device_access.h"

namespace ota::storage {

/// How a volume was made; nothing of it is on the medium. The defaults are the ESP32's.
struct SpiffsOptions {
  uint32_t page_bytes = 256;
  uint32_t block_bytes = 4096;
  uint32_t name_bytes = 32;  ///< with the zero behind it
  uint32_t meta_bytes = 4;
  bool has_magic = true;
  bool has_magic_length = true;  ///< the magic depends on the count of blocks
  bool is_index_aligned = false;

  /// As the ESP8266's tools make them.
  static SpiffsOptions Esp8266(uint32_t block_bytes) {
    return {256, block_bytes, 32, 0, true, false, true};
  }
};

/// Bits of a page's flags; each says what it says when it is 0.
inline constexpr uint8_t kSpiffsUsed = 0x01;
inline constexpr uint8_t kSpiffsFinal = 0x02;
inline constexpr uint8_t kSpiffsIndex = 0x04;
inline constexpr uint8_t kSpiffsNotRemoved = 0x40;
inline constexpr uint8_t kSpiffsNotDeleted = 0x80;

inline constexpr uint32_t kSpiffsPageHeaderBytes = 5;
inline constexpr uint32_t kSpiffsIndexBit = 0x8000;
inline constexpr uint32_t kSpiffsIdMax = 0x7FFE;
inline constexpr uint32_t kSpiffsFree = 0xFFFF;
inline constexpr uint32_t kSpiffsDeleted = 0x0000;
inline constexpr uint32_t kSpiffsNoPage = 0xFFFF;
inline constexpr uint32_t kSpiffsPageBytesMax = 2048;

struct SpiffsPageHeader {
  uint32_t id;  ///< with kSpiffsIndexBit for index pages
  uint32_t span;
  uint8_t flags;

  bool is_index() const { return (id & kSpiffsIndexBit) != 0; }
  /// In use, complete, and not deleted.
  bool is_live() const {
    return (flags & (kSpiffsUsed | kSpiffsFinal)) == 0 && (flags & kSpiffsNotDeleted) != 0 &&
           ((flags & kSpiffsIndex) == 0) == is_index();
  }
  bool is_being_removed() const { return (flags & kSpiffsNotRemoved) == 0; }
};

/// The pages of a SPIFFS volume: which object each belongs to, taking free ones, and reclaiming
/// deleted ones. docs/formats/spiffs.md has every byte.
///
/// Invariants:
///  - a page's lookup entry is programmed before the page, and is marked deleted after the page's
///    own flags, so that a page whose entry says free is erased;
///  - a block is erased only when no index refers into it, and its magic is cancelled before the
///    erase and programmed as the last of it: at most one block has none;
///  - page numbers from the medium go through IsPage before they are used.
class SpiffsVolume {
 public:
  /// `buffer` holds one page.
  SpiffsVolume(BlockDevice& device, Waiter& waiter, MutableByteSpan buffer,
               const SpiffsOptions& options)
      : device_(device, waiter), buffer_(buffer), options_(options) {}

  Status Mount();
  Status Format();
  bool is_mounted() const { return is_mounted_; }

  const SpiffsOptions& options() const { return options_; }
  uint32_t block_count() const { return block_count_; }
  uint32_t usable_pages_per_block() const { return usable_pages_; }
  uint32_t data_bytes() const { return options_.page_bytes - kSpiffsPageHeaderBytes; }
  uint32_t free_page_count() const { return free_pages_; }
  uint32_t deleted_page_count() const { return deleted_pages_; }
  uint32_t move_count() const { return move_count_; }
  /// Pages that are kept free for reclaiming.
  uint32_t reserved_page_count() const { return 2 * usable_pages_; }

  bool IsPage(uint32_t page) const {
    const uint32_t pages = options_.block_bytes / options_.page_bytes;
    return page < block_count_ * pages && page % pages >= lookup_pages_;
  }
  uint32_t PageOffset(uint32_t page) const { return page * options_.page_bytes; }

  /// Index entries: where they begin in an index page and how many there are.
  uint32_t EntriesOffset(uint32_t index_span) const;
  uint32_t EntryCount(uint32_t index_span) const {
    return (options_.page_bytes - EntriesOffset(index_span)) / 2;
  }
  /// The index page that a data page's number is in, and the entry there.
  void LocateEntry(uint32_t data_span, uint32_t& index_span, uint32_t& entry) const;

  Status Read(uint32_t offset, MutableByteSpan target) { return device_.Read(offset, target); }
  Status Program(uint32_t offset, ByteSpan bytes) { return device_.Program(offset, bytes); }
  Status SyncDevice() { return device_.Sync(); }
  Result<SpiffsPageHeader> ReadHeader(uint32_t page);

  /// A walk over the lookup entries of all sound blocks that are neither free nor deleted.
  struct Cursor {
    uint32_t block = 0;
    uint32_t entry = 0;
    uint32_t chunk_first = 0;  // entries held in `chunk`
    uint32_t chunk_count = 0;
    uint8_t chunk[32];
  };
  /// The next page in use and the id that its lookup entry says. kEndOfInput: no more.
  Status ReadNext(Cursor& cursor, uint32_t& page, uint32_t& id);

  /// The live page of that id and span. kNotFound. An index header being removed is none.
  Result<uint32_t> FindPage(uint32_t id, uint32_t span);
  /// Whether `page` is the live page of that id and span.
  Result<bool> ReadIsPageOf(uint32_t page, uint32_t id, uint32_t span);

  /// Makes sure that `count` pages can be taken, reclaiming deleted ones. Moves pages.
  /// kStorageFull.
  Status Reserve(uint32_t count);

  /// What pages are taken for. Each kind fills blocks of its own, so that pages that are replaced
  /// soon do not lie among those that stay, and a block that is reclaimed has little to be moved.
  enum class PageUse : uint8_t { kIndex, kNewData, kMovedData };

  /// Takes an erased page and says in the lookup whose it is. After Reserve.
  Result<uint32_t> Allocate(uint32_t id, PageUse use);

  /// Marks a page deleted: its flags, then its lookup entry.
  Status DeletePage(uint32_t page);

  /// Programs the page in the buffer as a new index page, complete only after its last bit; then
  /// deletes `old_page` unless that is kSpiffsNoPage. Returns the new page.
  Result<uint32_t> ReplaceIndexPage(uint32_t old_page);

  /// The page buffer, filled by LoadPage. Reserve and Check overwrite it.
  MutableByteSpan buffer() const { return buffer_.first(options_.page_bytes); }
  Status LoadPage(uint32_t page) { return Read(PageOffset(page), buffer()); }
  uint32_t BufferedEntry(uint32_t index_span, uint32_t entry) const {
    return LoadLe16(buffer_.data() + EntriesOffset(index_span) + 2 * entry);
  }
  void SetBufferedEntry(uint32_t index_span, uint32_t entry, uint32_t page) {
    StoreLe16(buffer_.data() + EntriesOffset(index_span) + 2 * entry, static_cast<uint16_t>(page));
  }

  /// Erases the block whose erase was cut short, if there is one.
  Status FinishErase();
  /// Programs once more what a cut may have programmed weakly and what reads as programmed: entries
  /// of deleted pages, and the magic of the block that was erased last.
  Status StrengthenMarks();
  bool has_unfinished_erase() const { return unfinished_block_ != kNoBlock; }

  /// Counts the free and the deleted pages anew.
  Status CountPages();

 private:
  static constexpr uint32_t kNoBlock = 0xFFFFFFFF;
  static constexpr size_t kPageUseCount = 3;
  struct BlockUse {
    uint32_t free = 0;
    uint32_t deleted = 0;
    uint32_t age = 0;
  };

  Status VerifyOptions() const;
  void SetLayout();
  uint32_t BlockOffset(uint32_t block) const { return block * options_.block_bytes; }
  uint32_t MagicOf(uint32_t block) const;
  uint32_t LookupOffset(uint32_t page) const;
  Result<uint32_t> ReadLookup(uint32_t page);
  Status ReadMagics();
  Status EraseBlock(uint32_t block);
  Result<BlockUse> ReadUse(uint32_t block);
  Result<uint32_t> ChooseVictim(bool levels);
  Status Reclaim(uint32_t block);
  Status MovePage(uint32_t page);
  Status MoveIndex(uint32_t index_page, const SpiffsPageHeader& header);
  Result<uint32_t> CopyPage(uint32_t page, uint32_t id);
  Result<bool> ReadIsErased(uint32_t page);
  Result<uint32_t> FindFreePage(uint32_t block);
  Result<uint32_t> FindPageFor(PageUse use);

  DeviceAccess device_;
  MutableByteSpan buffer_;
  SpiffsOptions options_;
  uint32_t block_count_ = 0;
  uint32_t lookup_pages_ = 0;
  uint32_t usable_pages_ = 0;
  uint32_t free_pages_ = 0;
  uint32_t deleted_pages_ = 0;
  uint32_t newest_block_ = 0;  // the one erased last
  uint32_t next_stamp_ = 0;    // what the next erased block gets as its erase count
  std::array<uint32_t, kPageUseCount> open_blocks_{};  // where each use took its last page
  uint32_t unfinished_block_ = kNoBlock;
  uint32_t victim_ = kNoBlock;  // the block being reclaimed, in which none is taken
  uint32_t move_count_ = 0;
  bool is_mounted_ = false;
};

}  // namespace ota::storage
