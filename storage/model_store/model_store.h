// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "base/result.h"
#include "crypto/sha256.h"

// The model store: keeps models on a memory unit, whatever happens to the power. RawModelStore
// keeps them in contiguous slots of a partition, FileModelStore as files of a file system; this is
// what both promise.
//
// Invariants, at any moment and after power was lost between any two bytes:
//  - a confirmed image is intact and readable until its name's next image is confirmed, or Delete;
//  - each operation has happened as a whole or not at all;
//  - the staged image is either there, resumable from `durable_bytes`, or gone, its space free;
//  - an image becomes staged only after its bytes were read back and had the digest demanded.
//
// An image's life: Begin -> staging -> Finish -> staged -> Activate -> trial -> Confirm ->
// confirmed; Abandon (from staging) or Revert -> gone. A name has at most one confirmed image and
// one other. In trial, the name stands for the trial image, and the confirmed one waits in case of
// Revert.
//
// No call waits for the medium. Each that changes something returns kBusy until it is done, and is
// to be called again with the same arguments; when another change is asked for before, the first
// is driven to its end and its status lost. A kBusy in the middle may last as long as the medium
// takes to erase a unit.
//
//   StageRequest request{.name = "kws", .size_bytes = size, .digest = digest};
//   while ((status = store.Begin(request)) == Status::kBusy) Idle();
//   while (more) accepted = store.Append(rest);           // kBusy: try again
//   while ((status = store.Finish()) == Status::kBusy) Idle();
//   … Activate("kws"), self-test, Confirm("kws");
//   Result<ByteSource*> model = store.Open("kws");

namespace ota::storage {

inline constexpr size_t kModelNameBytesMax = 31;
inline constexpr size_t kNoteBytesMax = 80;
inline constexpr uint8_t kNoteKeyCount = 4;

/// What a model is called: 1 to 31 bytes of ASCII letters, digits and "._-", not starting with a
/// dot, so that it is a file name on every file system.
class ModelName {
 public:
  ModelName() = default;
  /// Of what is too long nothing is kept; is_valid() tells whether it is a name.
  ModelName(std::string_view text);  // NOLINT(google-explicit-constructor): names are literals
  ModelName(const char* text)        // NOLINT(google-explicit-constructor): names are literals
      : ModelName(std::string_view(text)) {}

  bool is_valid() const;
  std::string_view view() const { return {text_, length_}; }
  bool operator==(const ModelName& other) const { return view() == other.view(); }

 private:
  char text_[kModelNameBytesMax] = {};
  uint8_t length_ = 0;
};

enum class ImageState : uint8_t {
  kStaging = 1,    ///< bytes are still to come
  kStaged = 2,     ///< complete and verified, not yet in use
  kTrial = 3,      ///< in use, may be reverted
  kConfirmed = 4,  ///< in use for good
};

/// What is to be staged.
struct StageRequest {
  ModelName name;
  uint32_t size_bytes = 0;
  crypto::Sha256Digest digest{};  ///< of the image's bytes
  uint64_t sequence_number = 0;   ///< of the manifest; kept, not judged
};

/// What the store knows of an image.
struct ImageInfo {
  ModelName name;
  ImageState state = ImageState::kStaging;
  uint32_t size_bytes = 0;
  uint32_t durable_bytes = 0;  ///< how many survive a power cut; all of them unless kStaging
  crypto::Sha256Digest digest{};
  uint64_t sequence_number = 0;
  uint32_t place = 0;  ///< counted in NeededBytes(1), along the medium
  uint64_t nonce = 0;  ///< grows with each image begun
};

/// Which image of a name.
enum class ImageChoice : uint8_t {
  kInUse,      ///< the trial image if there is one, else the confirmed one
  kConfirmed,  ///< the confirmed one
  kCandidate,  ///< the staging, staged or trial one
};

/// Bytes of the unit that images may take. A model needs NeededBytes(its size) of them in one run.
struct StoreSpace {
  uint32_t total_bytes = 0;
  uint32_t free_bytes = 0;          ///< in use by no image
  uint32_t largest_free_bytes = 0;  ///< what Begin can give at once
  uint32_t first_place = 0;         ///< the least ImageInfo::place; 0: places are mere numbers
};

/// What a pass of scrub has found so far.
struct ScrubReport {
  uint32_t image_count = 0;          ///< images read to their end
  uint32_t damaged_image_count = 0;  ///< with a digest that is not the one they should have
  ModelName damaged;                 ///< the last of these
  bool is_repaired = false;  ///< damaged trial and staged images were dropped; confirmed ones stay
                             ///< listed, since what is not there cannot be repaired from here
};

class ModelStore {
 public:
  /// Finds out what is on the medium. To be called first, and again to start over after power was
  /// lost. Writes nothing. An operation that power loss interrupted may be found done after one
  /// Mount and not done after the next, as long as nothing was changed between them: what is torn
  /// may read differently twice. The first change pins what the last Mount found; so make one, a
  /// note will do, before telling anybody else about the outcome.
  /// kBusy. kCorrupted: no store is there; Format makes one. kMediumFailed. kNotSupported: made by
  /// a later version or with another key, or a geometry that this store cannot handle.
  virtual Status Mount() = 0;

  /// Makes an empty store, and mounts it. All that was there is lost. kBusy, kMediumFailed,
  /// kNotSupported: the unit is too small or its geometry not one that this store handles.
  virtual Status Format() = 0;

  // --- staging

  /// Starts to stage an image: takes its space and makes a record of it. An earlier candidate of
  /// this name is dropped, as is any other image that is staging. The request is remembered, so
  /// that after a power cut FindStaging and Resume go on with it.
  /// kBusy. kNameInvalid, kInvalidArgument (size 0): nothing was done. kStorageFull: too many
  /// images, or no run of NeededBytes(size) bytes even without the candidate that it replaces;
  /// nothing was done, and space() tells what is free. kWrongState: not mounted. kMediumFailed.
  virtual Status Begin(const StageRequest& request) = 0;

  /// Adds the next bytes of the image in staging. Returns how many it took, perhaps not all, at
  /// least one. They are hashed on their way, and made durable in blocks.
  /// kBusy: none was taken, try again. kOutOfRange: more than the image's size was given; none was
  /// taken. kWrongState: none in staging. kMediumFailed: the image cannot be completed; Abandon it
  /// or Begin again.
  virtual Result<uint32_t> Append(ByteSpan bytes) = 0;

  /// The image in staging, if there is one: after a Mount the one that power loss interrupted.
  /// kNotFound: none. The next byte to Append is the one at staged_bytes() once Resume is done.
  virtual Result<ImageInfo> FindStaging() = 0;

  /// Prepares to go on with the image in staging after Mount: reads and hashes what is durable.
  /// Returns kOk at once if Begin or Resume was called since. kBusy. kNotFound: none in staging.
  virtual Status Resume() = 0;

  /// Bytes of the image in staging that were taken so far; 0 if none.
  virtual uint32_t staged_bytes() const = 0;

  /// Completes the image in staging: reads it back from the medium, compares the digest, and makes
  /// it staged by one record.
  /// kBusy. kWrongState: none, or bytes are missing. kDigestMismatch: the bytes taken or those on
  /// the medium are not the ones demanded; the image is gone and its space free. kMediumFailed.
  virtual Status Finish() = 0;

  /// Drops the image in staging. kBusy, kNotFound, kMediumFailed.
  virtual Status Abandon() = 0;

  // --- life of an image. Each is one atomic record; an empty name means all names that have an
  // image in the state asked for, in the same one record. kBusy. kNotFound: no such image, nothing
  // was done. kMediumFailed: it may have happened; Mount tells.

  /// Staged -> trial: from now on the name stands for it.
  virtual Status Activate(const ModelName& name) = 0;

  /// Trial -> confirmed. The image confirmed before is gone; its space is free once nobody has it
  /// open.
  virtual Status Confirm(const ModelName& name) = 0;

  /// Staged or trial -> gone; the name stands for the confirmed image again, if there is one.
  virtual Status Revert(const ModelName& name) = 0;

  /// All images of the name -> gone. The name must not be empty.
  virtual Status Delete(const ModelName& name) = 0;

  // --- looking

  /// How many images there are; they are numbered from 0 until the next change.
  virtual uint32_t image_count() const = 0;

  /// kOutOfRange: no image of that number. kBusy: the medium is at work. kMediumFailed,
  /// kCorrupted: its record cannot be read any more.
  virtual Result<ImageInfo> ReadImageInfo(uint32_t index) = 0;

  /// kNotFound: no such image. kBusy, kMediumFailed, kCorrupted as ReadImageInfo.
  virtual Result<ImageInfo> FindImage(const ModelName& name, ImageChoice choice) = 0;

  /// Opens an image to be read; kCandidate only once it is staged. The source belongs to the store
  /// and stays valid until Close or the next Mount, and so do its bytes, even if the image is
  /// meanwhile replaced or deleted. It is memory mapped where the unit is and at-rest encryption is
  /// off. Its Read returns kBusy while the medium is at work.
  /// kNotFound. kTooManyOpen: close one. kBusy, kMediumFailed, kCorrupted.
  virtual Result<ByteSource*> Open(const ModelName& name,
                                   ImageChoice choice = ImageChoice::kInUse) = 0;

  /// Gives back what Open gave.
  virtual void Close(ByteSource* source) = 0;

  virtual StoreSpace space() = 0;

  /// Bytes of space() that an image of `size_bytes` takes.
  virtual uint32_t NeededBytes(uint32_t size_bytes) const = 0;

  // --- upkeep

  /// One step of reading all images at rest and comparing their digests; kBusy until the pass is
  /// over. At its end damaged candidates are dropped. `report` must live through the pass, and is
  /// reset at its start. kWrongState: an image is in staging.
  virtual Status Scrub(ScrubReport& report) = 0;

  // --- notes: a few small values of the application that change as atomically as images do

  /// Replaces the note `key`, below kNoteKeyCount, by at most kNoteBytesMax bytes; none deletes it.
  /// kBusy, kInvalidArgument, kMediumFailed.
  virtual Status WriteNote(uint8_t key, ByteSpan bytes) = 0;

  /// Reads a note; returns its length. kNotFound, kBufferTooSmall, kInvalidArgument, kBusy,
  /// kMediumFailed, kCorrupted.
  virtual Result<uint32_t> ReadNote(uint8_t key, MutableByteSpan target) = 0;

 protected:
  ~ModelStore() = default;
};

}  // namespace ota::storage
