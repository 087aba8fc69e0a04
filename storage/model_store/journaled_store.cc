// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/journaled_store.h"

#include <algorithm>

namespace ota::storage {
namespace {

/// Tells two requests of one kind apart.
uint32_t MixKey(uint32_t key, ByteSpan bytes) {
  for (const uint8_t byte : bytes) key = (key ^ byte) * 16777619u;
  return key;
}

}  // namespace

// --- operations: one is under way at a time, and needs no arguments to be driven on

bool JournaledStore::IsUnderWay(Operation operation, uint32_t key) const {
  return operation_ == operation && operation_key_ == key;
}

void JournaledStore::Start(Operation operation, uint32_t key) {
  operation_ = operation;
  operation_key_ = key;
}

/// Drives what is under way to its end. kBusy: not yet there.
Status JournaledStore::Settle() {
  if (operation_ == Operation::kScrub && !journal_.is_busy()) operation_ = Operation::kNone;
  const Status status = Drive();
  if (status == Status::kBusy) return status;
  if (!is_mounted_) return Status::kWrongState;  // how the other one ended is lost
  return PrepareChange();
}

Status JournaledStore::Drive() {
  Status status = Status::kOk;
  switch (operation_) {
    case Operation::kNone:
      return Status::kOk;
    case Operation::kFormat:
      status = journal_.Format();
      break;
    case Operation::kScrub:
    case Operation::kRecord:
      status = DriveRecord();
      break;
    case Operation::kBegin:
      status = DriveBegin();
      break;
    case Operation::kResume:
      status = DriveResume();
      break;
    case Operation::kFinish:
      status = DriveFinish();
      break;
  }
  if (status == Status::kBusy) return status;
  operation_ = Operation::kNone;
  if (!IsOk(status) && status != Status::kDigestMismatch) return status;
  OTA_TRY(FinishChange());
  return status;
}

Status JournaledStore::DriveBegin() {
  OTA_TRY(DriveRecord());
  taken_bytes_ = programmed_bytes_ = 0;
  ResetHash();
  OTA_TRY(ReadCipherStart(*staging_, start_));
  const Status status = PreparePlace();
  is_ready_ = IsOk(status);
  return status;
}

/// kCorrupted from the journal means that a record is lost that this store believes in.
Status JournaledStore::DriveRecord() {
  if (!journal_.is_busy()) return Status::kOk;
  const Status status = journal_.Drive();
  if (IsOk(status)) TakeRecord(journal_.last_position(), journal_.queued());
  return status == Status::kCorrupted ? Status::kMediumFailed : status;
}

Status JournaledStore::Mount() {
  Forget();
  const Status status = journal_.Mount();
  is_mounted_ = IsOk(status);
  return status;
}

Status JournaledStore::Format() {
  if (!IsUnderWay(Operation::kFormat, 0)) {
    if (Settle() == Status::kBusy) return Status::kBusy;
    is_mounted_ = false;
    Forget();
    OTA_TRY(journal_.LayOut());
    OTA_TRY(PrepareFormat());
    Start(Operation::kFormat, 0);
  }
  OTA_TRY(Drive());
  Forget();
  is_mounted_ = true;
  return Status::kOk;
}

void JournaledStore::Forget() {
  is_mounted_ = false;
  operation_ = Operation::kNone;
  entries_ = {};
  note_places_ = {};
  for (Reader& reader : readers_) reader.store_ = nullptr;
  staging_ = nullptr;
  newest_nonce_ = newest_place_ = newest_bytes_ = 0;
  has_garbage_ = false;
  is_ready_ = has_failed_ = false;
  taken_bytes_ = programmed_bytes_ = durable_bytes_ = 0;
}

Status JournaledStore::Change(Transition transition, const ModelName& name) {
  const uint32_t hash = name.view().empty() ? 0 : ComputeNameHash(name.view());
  const uint32_t key = hash ^ static_cast<uint32_t>(transition);
  if (!IsUnderWay(Operation::kRecord, key)) {
    OTA_TRY(Settle());
    if (!HasAffected(transition, hash)) return Status::kNotFound;
    Start(Operation::kRecord, key);
    QueueTransition(transition, hash);
  }
  return Drive();
}

void JournaledStore::QueueTransition(Transition transition, uint32_t name_hash) {
  EncodeTransition(transition, name_hash, journal_.draft());
  journal_.Queue();
}

Status JournaledStore::Abandon() { return Change(Transition::kAbandon, ModelName()); }

Status JournaledStore::Activate(const ModelName& name) {
  return Change(Transition::kActivate, name);
}

Status JournaledStore::Confirm(const ModelName& name) { return Change(Transition::kConfirm, name); }

Status JournaledStore::Revert(const ModelName& name) { return Change(Transition::kRevert, name); }

Status JournaledStore::Delete(const ModelName& name) {
  if (!name.is_valid()) return Status::kNameInvalid;
  return Change(Transition::kDelete, name);
}

Status JournaledStore::WriteNote(uint8_t key, ByteSpan bytes) {
  if (key >= kNoteKeyCount || bytes.size() > kNoteBytesMax) return Status::kInvalidArgument;
  const uint32_t request = MixKey(0x4E6F7465u + key, bytes);
  if (!IsUnderWay(Operation::kRecord, request)) {
    OTA_TRY(Settle());
    EncodeNote(key, bytes, journal_.draft());
    Start(Operation::kRecord, request);
    journal_.Queue();
  }
  return Drive();
}

Result<uint32_t> JournaledStore::ReadNote(uint8_t key, MutableByteSpan target) {
  if (key >= kNoteKeyCount) return Status::kInvalidArgument;
  if (note_places_[key] == 0) return Status::kNotFound;
  RecordBytes record;
  OTA_TRY(journal_.ReadRecord(static_cast<uint16_t>(note_places_[key] - 1), record));
  if (!IsNoteSound(record)) return Status::kCorrupted;
  const ByteSpan note = NoteBytesOf(record);
  if (note.size() > target.size()) return Status::kBufferTooSmall;
  std::copy(note.begin(), note.end(), target.begin());
  return static_cast<uint32_t>(note.size());
}

// --- what the journal says

void JournaledStore::TakeRecord(uint16_t position, const RecordBytes& record) {
  switch (RecordKindOf(record)) {
    case RecordKind::kImage:
      if (IsOk(VerifyImage(record))) TakeImage(record, position);
      break;
    case RecordKind::kTransition:
      TakeTransition(TransitionOf(record), NameHashOf(record));
      break;
    case RecordKind::kNote:
      if (IsNoteSound(record)) {
        const bool is_gone = NoteBytesOf(record).empty();
        note_places_[NoteKeyOf(record)] = static_cast<uint16_t>(is_gone ? 0 : position + 1);
      }
      break;
    case RecordKind::kSegment:
      break;
  }
  if (staging_ != nullptr && staging_->state != EntryState::kStaging) staging_ = nullptr;
}

/// The record is about an image that is known if name, slot and size agree; else about a new one.
void JournaledStore::TakeImage(const RecordBytes& image, uint16_t position) {
  if (!IsPlace(ImagePlaceOf(image), ImageBytesOf(image))) return;
  const uint32_t hash = ComputeNameHash(ImageNameOf(image));
  const bool is_confirmed = ImageStateOf(image) == ImageState::kConfirmed;
  Entry* entry = FindEntry(hash, is_confirmed ? ImageChoice::kConfirmed : ImageChoice::kCandidate);
  const bool is_known = entry != nullptr && entry->place == ImagePlaceOf(image) &&
                        entry->size_bytes == ImageBytesOf(image) &&
                        (ImageStateOf(image) != ImageState::kStaging || DurableBytesOf(image) != 0);
  if (!is_known) {
    if (entry != nullptr) Retire(*entry);
    if (ImageStateOf(image) == ImageState::kStaging && staging_ != nullptr) Retire(*staging_);
    entry = FindFreeEntry();
    if (entry == nullptr) return;
    *entry =
        Entry{.name_hash = hash, .place = ImagePlaceOf(image), .size_bytes = ImageBytesOf(image)};
  }
  if (NonceOf(image) >= newest_nonce_) {
    newest_nonce_ = NonceOf(image);
    newest_place_ = ImagePlaceOf(image);
    newest_bytes_ = ImageBytesOf(image);
  }
  entry->position = position;
  entry->state = static_cast<EntryState>(ImageStateOf(image));
  if (ImageStateOf(image) != ImageState::kStaging) return;
  staging_ = entry;
  durable_bytes_ = DurableBytesOf(image);
}

void JournaledStore::TakeTransition(Transition transition, uint32_t name_hash) {
  for (Entry& entry : entries_) {
    if (!IsAffected(entry, transition, name_hash)) continue;
    if (transition == Transition::kActivate) {
      entry.state = EntryState::kTrial;
    } else if (transition == Transition::kConfirm) {
      Entry* const replaced = FindEntry(entry.name_hash, ImageChoice::kConfirmed);
      if (replaced != nullptr) Retire(*replaced);
      entry.state = EntryState::kConfirmed;
    } else {
      Retire(entry);
    }
  }
}

uint16_t JournaledStore::live_count() const {
  uint32_t count = image_count();
  for (const uint16_t place : note_places_) count += place != 0 ? 1 : 0;
  return static_cast<uint16_t>(count);
}

uint16_t JournaledStore::live_position(uint16_t index) const {
  if (const Entry* entry = NthImage(index); entry != nullptr) return entry->position;
  uint32_t skipped = index - image_count();
  for (const uint16_t place : note_places_) {
    if (place != 0 && skipped-- == 0) return static_cast<uint16_t>(place - 1);
  }
  return 0;
}

void JournaledStore::RefreshRecord(uint16_t index, RecordBytes& record) {
  const Entry* const entry = NthImage(index);
  if (entry != nullptr) PatchImageState(static_cast<ImageState>(entry->state), record);
}

void JournaledStore::MarkMoved() {
  uint16_t position = 0;
  for (Entry& entry : entries_) {
    if (entry.is_image()) entry.position = position++;
  }
  for (uint16_t& place : note_places_) {
    if (place != 0) place = ++position;
  }
}

// --- the index

bool JournaledStore::IsAffected(const Entry& entry, Transition transition, uint32_t name_hash) {
  if (!entry.is_image() || (name_hash != 0 && name_hash != entry.name_hash)) return false;
  switch (transition) {
    case Transition::kActivate:
      return entry.state == EntryState::kStaged;
    case Transition::kConfirm:
      return entry.state == EntryState::kTrial;
    case Transition::kRevert:
      return entry.state == EntryState::kStaged || entry.state == EntryState::kTrial;
    case Transition::kDelete:
      return name_hash != 0;
    case Transition::kAbandon:
      return entry.state == EntryState::kStaging;
  }
  return false;
}

bool JournaledStore::HasAffected(Transition transition, uint32_t name_hash) const {
  for (const Entry& entry : entries_) {
    if (IsAffected(entry, transition, name_hash)) return true;
  }
  return false;
}

void JournaledStore::Retire(Entry& entry) {
  if (&entry == staging_) staging_ = nullptr;
  entry.state = entry.open_count == 0 ? EntryState::kFree : EntryState::kRetired;
  has_garbage_ = true;
}

JournaledStore::Entry* JournaledStore::FindEntry(uint32_t name_hash, ImageChoice choice) {
  Entry* found = nullptr;
  for (Entry& entry : entries_) {
    if (!entry.is_image() || entry.name_hash != name_hash) continue;
    const bool is_confirmed = entry.state == EntryState::kConfirmed;
    const bool is_wanted = choice == ImageChoice::kInUse
                               ? is_confirmed || entry.state == EntryState::kTrial
                               : is_confirmed == (choice == ImageChoice::kConfirmed);
    if (is_wanted && (found == nullptr || !is_confirmed)) found = &entry;
  }
  return found;
}

JournaledStore::Entry* JournaledStore::FindFreeEntry() {
  for (uint32_t i = 0; i < journal_.image_count_max(); ++i) {
    if (entries_[i].state == EntryState::kFree) return &entries_[i];
  }
  return nullptr;
}

const JournaledStore::Entry* JournaledStore::NthImage(uint32_t index) const {
  for (const Entry& entry : entries_) {
    if (entry.is_image() && index-- == 0) return &entry;
  }
  return nullptr;
}

Status JournaledStore::ReadImageRecord(const Entry& entry, RecordBytes& image) {
  OTA_TRY(journal_.ReadRecord(entry.position, image));
  return VerifyImage(image);
}

/// Two names may have one hash, so the name itself is compared.
Status JournaledStore::FindNamed(const ModelName& name, ImageChoice choice, Entry*& entry,
                                 RecordBytes& image) {
  if (!is_mounted_) return Status::kWrongState;
  entry = FindEntry(ComputeNameHash(name.view()), choice);
  if (entry == nullptr) return Status::kNotFound;
  OTA_TRY(ReadImageRecord(*entry, image));
  return ImageNameOf(image) == name.view() ? Status::kOk : Status::kNotFound;
}

uint32_t JournaledStore::image_count() const {
  uint32_t count = 0;
  for (const Entry& entry : entries_) count += entry.is_image() ? 1 : 0;
  return count;
}

ImageInfo JournaledStore::DescribeImage(const Entry& entry, const RecordBytes& image) const {
  const bool is_staging = entry.state == EntryState::kStaging;
  ImageInfo info{.name = ImageNameOf(image),
                 .state = static_cast<ImageState>(entry.state),
                 .size_bytes = entry.size_bytes,
                 .durable_bytes = is_staging ? durable_bytes_ : entry.size_bytes,
                 .sequence_number = SequenceNumberOf(image),
                 .place = entry.place,
                 .nonce = NonceOf(image)};
  std::copy_n(ImageDigestOf(image).data(), info.digest.size(), info.digest.data());
  return info;
}

Result<ImageInfo> JournaledStore::ReadInfo(const Entry* entry) {
  RecordBytes image;
  OTA_TRY(ReadImageRecord(*entry, image));
  return DescribeImage(*entry, image);
}

Result<ImageInfo> JournaledStore::ReadImageInfo(uint32_t index) {
  const Entry* const entry = NthImage(index);
  if (entry == nullptr) return Status::kOutOfRange;
  return ReadInfo(entry);
}

Result<ImageInfo> JournaledStore::FindImage(const ModelName& name, ImageChoice choice) {
  Entry* entry = nullptr;
  RecordBytes image;
  OTA_TRY(FindNamed(name, choice, entry, image));
  return DescribeImage(*entry, image);
}

Result<ImageInfo> JournaledStore::FindStaging() {
  if (staging_ == nullptr) return Status::kNotFound;
  return ReadInfo(staging_);
}

// --- open images

Result<ByteSource*> JournaledStore::Open(const ModelName& name, ImageChoice choice) {
  Entry* entry = nullptr;
  RecordBytes image;
  OTA_TRY(FindNamed(name, choice, entry, image));
  if (entry->state == EntryState::kStaging) return Status::kNotFound;
  for (Reader& reader : readers_) {
    if (reader.store_ != nullptr) continue;
    OTA_TRY(OpenImage(*entry));
    reader.start_ = ComputeCipherStart(image);
    reader.store_ = this;
    reader.entry_ = entry;
    entry->open_count += 1;
    return static_cast<ByteSource*>(&reader);
  }
  return Status::kTooManyOpen;
}

void JournaledStore::Close(ByteSource* source) {
  for (Reader& reader : readers_) {
    if (&reader != source || reader.store_ == nullptr) continue;
    Entry& entry = *reader.entry_;
    entry.open_count -= 1;
    if (entry.state == EntryState::kRetired) Retire(entry);
    reader.store_ = nullptr;
  }
}

Status JournaledStore::Reader::Read(uint32_t offset, MutableByteSpan target) {
  if (store_ == nullptr) return Status::kWrongState;
  if (!IsInBounds(offset, target.size(), entry_->size_bytes)) return Status::kOutOfRange;
  return store_->ReadPlain(*entry_, start_, offset, target);
}

std::optional<ByteSpan> JournaledStore::Reader::Map() const {
  if (store_ == nullptr || store_->cipher_ != nullptr) return std::nullopt;
  return store_->MapImage(*entry_);
}

}  // namespace ota::storage
