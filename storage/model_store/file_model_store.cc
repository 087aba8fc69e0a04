// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/file_model_store.h"

#include <algorithm>

#include "base/units.h"
#include "storage/block_device/aligned_read.h"

namespace ota::storage {
namespace {

constexpr std::string_view kEnding = ".ota";
constexpr size_t kDigitCount = 4;
constexpr size_t kMarkBytes = 1 + kDigitCount + kEnding.size();  // ".0007.ota"
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr uint32_t kPlaceMax = 0xFFFF;
constexpr uint32_t kNoPlace = 0;
constexpr size_t kListedNameBytes = 64;

}  // namespace

FileModelStore::FileModelStore(FileSystem& files, BlockDevice& device, Waiter& waiter,
                               MutableByteSpan workspace, std::span<Extent> extents)
    : JournalFilesHolder(files, device, waiter, extents),
      JournaledStore(journal_files_, workspace, journal_files_.image_count_max()),
      files_(files),
      device_(device),
      extents_(extents.subspan(std::min(extents.size(), JournalFiles::kExtentCount))) {}

Status FileModelStore::Mount() {
  if (workspace_.empty() || workspace_.size() % kWorkspaceBytesMin != 0 ||
      extents_.size() < kViewCount) {
    return Status::kNotSupported;
  }
  is_checked_ = false;
  ForgetViews();
  OTA_TRY(files_.Mount());
  return JournaledStore::Mount();
}

Status FileModelStore::PrepareFormat() {
  ForgetViews();
  is_checked_ = true;
  if (!IsOk(files_.Mount())) return files_.Format();
  OTA_TRY(files_.Check(CheckMode::kRepair, workspace_).status());
  OTA_TRY(DeleteFile(JournalFiles::FileName(0)));
  OTA_TRY(DeleteFile(JournalFiles::FileName(1)));
  return RemoveGarbage();
}

// --- names of files

FileModelStore::FileName FileModelStore::MakeFileName(uint32_t place, std::string_view model_name) {
  FileName name;
  const std::string_view kept = model_name.substr(0, kFileNameBytesMax - kMarkBytes);
  char* at = std::copy(kept.begin(), kept.end(), name.text);
  *at++ = '.';
  for (size_t i = kDigitCount; i-- > 0;) *at++ = kDigits[(place >> (4 * i)) & 0xF];
  at = std::copy(kEnding.begin(), kEnding.end(), at);
  name.length = static_cast<uint8_t>(at - name.text);
  return name;
}

/// kNoPlace: not a name of the store's own kind.
uint32_t FileModelStore::ParsePlace(std::string_view file_name) {
  if (file_name.size() <= kMarkBytes || file_name.size() > kFileNameBytesMax) return kNoPlace;
  const std::string_view mark = file_name.substr(file_name.size() - kMarkBytes);
  if (mark[0] != '.' || !mark.ends_with(kEnding)) return kNoPlace;
  uint32_t place = 0;
  for (const char digit : mark.substr(1, kDigitCount)) {
    const size_t value = kDigits.find(digit);
    if (value == std::string_view::npos) return kNoPlace;
    place = place << 4 | static_cast<uint32_t>(value);
  }
  return place;
}

bool FileModelStore::IsOwnName(std::string_view file_name) {
  return ParsePlace(file_name) != kNoPlace || file_name == JournalFiles::FileName(0) ||
         file_name == JournalFiles::FileName(1);
}

// --- what is on the volume and should not be

const FileModelStore::Entry* FileModelStore::FindByPlace(uint32_t place) const {
  for (const Entry& entry : entries_) {
    if (entry.state != EntryState::kFree && entry.place == place) return &entry;
  }
  return nullptr;
}

Result<bool> FileModelStore::ReadIsGarbage(std::string_view file_name) {
  const uint32_t place = ParsePlace(file_name);
  if (place == kNoPlace) return false;
  const Entry* const entry = FindByPlace(place);
  if (entry == nullptr) return true;
  if (!entry->is_image()) return false;  // open, and its record is no more
  RecordBytes image;
  OTA_TRY(ReadImageRecord(*entry, image));
  return MakeFileName(place, ImageNameOf(image)).view() != file_name;
}

Status FileModelStore::DeleteFile(std::string_view name) {
  const Status status = files_.Delete(name);
  return status == Status::kNotFound ? Status::kOk : status;
}

/// A listing ends with the first change, so it begins anew after each file that is removed.
Status FileModelStore::RemoveGarbage() {
  OTA_TRY(Directory directory, files_.OpenDirectory(""));
  for (;;) {
    char name[kListedNameBytes];
    const Result<FileInfo> info = files_.ReadDirectory(directory, name);
    if (info.status() == Status::kBufferTooSmall) continue;
    if (info.status() == Status::kEndOfInput) break;
    OTA_TRY(info.status());
    if (info->is_directory || info->is_read_only) continue;
    OTA_TRY(const bool is_garbage, ReadIsGarbage(info->name));
    if (!is_garbage) continue;
    OTA_TRY(DeleteFile(info->name));
    OTA_TRY(directory, files_.OpenDirectory(""));
  }
  has_garbage_ = false;
  return Status::kOk;
}

/// A power loss may have left the volume in need of repair.
Status FileModelStore::PrepareChange() {
  if (!is_checked_) {
    OTA_TRY(files_.Check(CheckMode::kRepair, workspace_).status());
    journal_files_.Forget();
    has_garbage_ = true;
    is_checked_ = true;
  }
  return FinishChange();
}

Status FileModelStore::FinishChange() { return has_garbage_ ? RemoveGarbage() : Status::kOk; }

// --- space

uint32_t FileModelStore::NeededBytes(uint32_t size_bytes) const {
  return RoundUp(size_bytes, files_.extent_unit());
}

/// SPIFFS cannot reclaim blocks of which hardly any page is deleted. Making a block of an image
/// durable deletes one page, and a new journal file needs its pages at once: so much is kept free.
Result<uint32_t> FileModelStore::ReadFreeBytes() {
  OTA_TRY(const VolumeSpace space, files_.ReadSpace());
  const uint32_t reserve = journal_file_bytes() + kBlockCountMax * files_.extent_unit();
  return space.free_bytes - std::min(space.free_bytes, reserve);
}

StoreSpace FileModelStore::space() {
  const Result<uint32_t> free_bytes = ReadFreeBytes();
  if (!free_bytes.ok()) return {};
  StoreSpace space{
      .total_bytes = *free_bytes, .free_bytes = *free_bytes, .largest_free_bytes = *free_bytes};
  for (const Entry& entry : entries_) {
    if (entry.state != EntryState::kFree) space.total_bytes += NeededBytes(entry.size_bytes);
  }
  return space;
}

bool FileModelStore::IsPlace(uint32_t place, uint32_t size_bytes) const {
  (void)size_bytes;  // where the bytes lie is the file system's business
  return place != kNoPlace && place <= kPlaceMax;
}

Result<uint32_t> FileModelStore::FindPlace(uint32_t size_bytes, uint32_t name_hash) {
  OTA_TRY(uint32_t free_bytes, ReadFreeBytes());
  for (const Entry& entry : entries_) {
    if (entry.IsReplacedBy(name_hash)) free_bytes += NeededBytes(entry.size_bytes);
  }
  if (size_bytes > free_bytes) return Status::kStorageFull;
  uint32_t place = newest_place_;
  do {
    place = place == kPlaceMax ? 1 : place + 1;
  } while (FindByPlace(place) != nullptr);
  return place;
}

// --- the file of the image in staging

Status FileModelStore::PreparePlace() {
  OTA_TRY(RemoveGarbage());  // what the new image replaces makes room for it
  RecordBytes image;
  OTA_TRY(ReadImageRecord(*staging_, image));
  OTA_TRY(staging_file_, files_.Create(MakeFileName(ImagePlaceOf(image), ImageNameOf(image)).view(),
                                       ImageBytesOf(image)));
  return Status::kOk;
}

/// The size on the medium is that of the last Sync or of the one that power loss cut short. Any
/// other is torn, and the file begins anew.
Result<uint32_t> FileModelStore::ReopenPlace() {
  ForgetStagingView();
  RecordBytes image;
  OTA_TRY(ReadImageRecord(*staging_, image));
  const FileName name = MakeFileName(ImagePlaceOf(image), ImageNameOf(image));
  const Result<File> file = files_.Open(name.view());
  if (file.ok()) {
    staging_file_ = *file;
    const uint32_t size = file->size_bytes;
    const bool is_sound = size == durable_bytes_ || size == durable_bytes_ + ComputeBlockBytes() ||
                          size == ImageBytesOf(image);
    if (is_sound && size <= ImageBytesOf(image)) return size;
  }
  OTA_TRY(DeleteFile(name.view()));
  OTA_TRY(staging_file_, files_.Create(name.view(), ImageBytesOf(image)));
  return uint32_t{0};
}

Status FileModelStore::WriteWorkspace(uint32_t length) {
  return files_.Append(staging_file_, workspace_.first(length));
}

Status FileModelStore::SyncWritten() {
  ForgetStagingView();
  return files_.Sync(staging_file_);
}

// --- reading

void FileModelStore::ForgetViews() {
  for (View& view : views_) view.file.Forget();
  journal_files_.Forget();
}

/// The file was written.
void FileModelStore::ForgetStagingView() {
  for (View& view : views_) {
    if (view.place == staging_->place) view.file.Forget();
  }
}

Status FileModelStore::OpenImage(const Entry& entry) {
  const Status status = OpenView(entry).status();
  return status == Status::kNotFound ? Status::kCorrupted : status;
}

/// Each open image keeps its view; the others take turns with what is left. Returns its number.
Result<size_t> FileModelStore::OpenView(const Entry& entry) {
  size_t unused = 0;
  for (size_t i = 0; i < kViewCount; ++i) {
    const View& view = views_[i];
    if (view.file.is_open() && view.place == entry.place) return i;
    const Entry* const user = view.file.is_open() ? FindByPlace(view.place) : nullptr;
    if (user == nullptr || user->open_count == 0) unused = i;
  }
  RecordBytes image;
  OTA_TRY(ReadImageRecord(entry, image));
  const uint32_t size_bytes = &entry == staging_ ? staging_file_.size_bytes : entry.size_bytes;
  View& view = views_[unused];
  view.place = entry.place;
  OTA_TRY(view.file.Open(files_, MakeFileName(entry.place, ImageNameOf(image)).view(), size_bytes));
  return unused;
}

Status FileModelStore::ReadImage(const Entry& entry, uint32_t offset, MutableByteSpan target) {
  const Result<size_t> index = OpenView(entry);
  if (index.status() == Status::kNotFound) return Status::kCorrupted;
  OTA_TRY(index.status());
  const size_t share = extents_.size() / kViewCount;
  const std::span<Extent> extents = extents_.subspan(*index * share, share);
  while (!target.empty()) {
    OTA_TRY(const FileView::Range range, views_[*index].file.Locate(files_, extents, offset));
    const MutableByteSpan part = target.first(std::min<size_t>(target.size(), range.length));
    OTA_TRY(ReadUnaligned(device_, range.device_offset, part));
    target = target.subspan(part.size());
    offset += static_cast<uint32_t>(part.size());
  }
  return Status::kOk;
}

/// The parts of a file need not lie in a row.
std::optional<ByteSpan> FileModelStore::MapImage(const Entry& entry) const {
  (void)entry;
  return std::nullopt;
}

}  // namespace ota::storage
