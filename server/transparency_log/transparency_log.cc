// SPDX-License-Identifier: Apache-2.0
#include "server/transparency_log/transparency_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <iterator>

#include "crypto/es256.h"
#include "server/durable_write.h"
#include "server/key_pair.h"

namespace ota::server {

namespace {

constexpr uint32_t kRecordHeadBytes = 4 + 32;  // length, leaf digest
constexpr uint64_t kHeadAgeMaxS = 60;

bool ReadAt(int descriptor, uint64_t offset, MutableByteSpan target) {
  size_t done = 0;
  while (done < target.size()) {
    const ssize_t count = pread(descriptor, target.data() + done, target.size() - done,
                                static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    done += static_cast<size_t>(count);
  }
  return true;
}

std::string ReadText(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

Error Damaged(const std::string& path, const std::string& how) {
  return Error{"the transparency log " + path + " is damaged: " + how +
               "; restore it from a backup, it cannot be made again"};
}

}  // namespace

Expected<std::unique_ptr<TransparencyLog>> TransparencyLog::Open(const std::string& directory) {
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return SystemError("make the directory", directory, errno);
  }
  std::unique_ptr<TransparencyLog> log(new TransparencyLog(directory));
  if (Failure failure = log->LoadKey()) return *failure;
  if (Failure failure = log->LoadEntries()) return *failure;
  if (Failure failure = log->SignHead()) return *failure;
  return log;
}

TransparencyLog::~TransparencyLog() {
  if (descriptor_ >= 0) close(descriptor_);
}

Failure TransparencyLog::LoadKey() {
  // A log that has a head was signed by some key: another one would make it look forged.
  const KeyPairUse use =
      Exists(directory_ + "/head") ? KeyPairUse::kMustExist : KeyPairUse::kMayBeMade;
  Expected<std::unique_ptr<crypto::PemKey>> key = OpenKeyPair(directory_ + "/key", use);
  if (!key.ok()) return key.error();
  key_ = std::move(*key);
  return std::nullopt;
}

std::optional<Digest> TransparencyLog::ReadRecord(uint64_t offset, uint64_t file_bytes,
                                                  uint32_t& length) const {
  std::array<uint8_t, kRecordHeadBytes> head;
  if (!IsInBounds(offset, head.size(), file_bytes)) return std::nullopt;
  if (!ReadAt(descriptor_, offset, head)) return std::nullopt;
  length = LoadLe32(head.data());
  if (length > kLogEntryBytesMax) return std::nullopt;
  if (!IsInBounds(offset + kRecordHeadBytes, length, file_bytes)) return std::nullopt;
  std::vector<uint8_t> entry(length);
  if (!ReadAt(descriptor_, offset + kRecordHeadBytes, entry)) return std::nullopt;
  const Digest leaf = ComputeLeafDigest(entry);
  if (!std::equal(leaf.begin(), leaf.end(), head.begin() + 4)) return std::nullopt;
  return leaf;
}

Failure TransparencyLog::LoadEntries() {
  const std::string path = directory_ + "/entries";
  const bool is_new = !Exists(path);
  descriptor_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  struct stat state;
  if (descriptor_ < 0 || fstat(descriptor_, &state) != 0) return SystemError("open", path, errno);
  if (is_new) {
    if (Failure failure = SyncDirectoryOf(path)) return failure;
  }
  TreeHead head;
  head.root = tree_.ComputeRoot(0);
  if (Exists(directory_ + "/head")) {
    const Result<TreeHead> stored = DecodeTreeHead(ReadText(directory_ + "/head"));
    if (!stored.ok()) return Damaged(directory_, "its head cannot be read");
    const Status status =
        crypto::VerifyEs256(key_->public_key(), ComputeSigningDigest(*stored), stored->signature);
    if (!IsOk(status)) return Damaged(directory_, "its head is not signed by its key");
    head = *stored;
  }
  const auto file_bytes = static_cast<uint64_t>(state.st_size);
  uint32_t length = 0;
  while (const auto leaf = ReadRecord(end_offset_, file_bytes, length)) Remember(*leaf, length);
  return CutTail(head, file_bytes);
}

Failure TransparencyLog::CutTail(const TreeHead& head, uint64_t file_bytes) {
  if (tree_.size() < head.size) {
    return Damaged(directory_, "entry " + std::to_string(tree_.size()) + " is missing or altered");
  }
  if (tree_.ComputeRoot(head.size) != head.root) {
    return Damaged(directory_, "its entries are not those that its head was signed over");
  }
  if (end_offset_ == file_bytes) return std::nullopt;
  if (ftruncate(descriptor_, static_cast<off_t>(end_offset_)) != 0 || fsync(descriptor_) != 0) {
    return SystemError("cut the end of", directory_ + "/entries", errno);
  }
  return std::nullopt;
}

void TransparencyLog::Remember(const Digest& leaf, uint32_t length) {
  indices_.emplace(leaf, tree_.size());
  places_.push_back({end_offset_ + kRecordHeadBytes, length});
  tree_.Append(leaf);
  end_offset_ += kRecordHeadBytes + length;
}

Failure TransparencyLog::StoreRecord(ByteSpan entry, const Digest& leaf) {
  std::vector<uint8_t> record(kRecordHeadBytes + entry.size());
  StoreLe32(record.data(), static_cast<uint32_t>(entry.size()));
  std::copy(leaf.begin(), leaf.end(), record.begin() + 4);
  std::copy(entry.begin(), entry.end(), record.begin() + kRecordHeadBytes);
  size_t done = 0;
  int error = 0;
  while (error == 0 && done < record.size()) {
    const ssize_t count = pwrite(descriptor_, record.data() + done, record.size() - done,
                                 static_cast<off_t>(end_offset_ + done));
    if (count < 0 && errno != EINTR) error = errno;
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (error == 0) {
    if (fdatasync(descriptor_) == 0) return std::nullopt;
    error = errno;
    is_broken_ = true;  // What a failed sync has written is not known.
  }
  if (ftruncate(descriptor_, static_cast<off_t>(end_offset_)) != 0) is_broken_ = true;
  return SystemError("append to", directory_ + "/entries", error);
}

Expected<uint64_t> TransparencyLog::Append(ByteSpan entry) {
  const Digest leaf = ComputeLeafDigest(entry);
  const std::lock_guard lock(mutex_);
  if (const auto found = indices_.find(leaf); found != indices_.end()) {
    if (found->second < head_.size) return found->second;
    if (Failure failure = SignHead()) return *failure;  // It failed when the entry was stored.
    return found->second;
  }
  if (entry.size() > kLogEntryBytesMax) return Error{"the entry is too long for the log"};
  if (is_broken_) return Error{"the transparency log failed before; restart the server"};
  if (Failure failure = StoreRecord(entry, leaf)) return *failure;
  Remember(leaf, static_cast<uint32_t>(entry.size()));
  // The entry is durable, and a start would find it; but nobody is told before a head covers it.
  if (Failure failure = SignHead()) return *failure;
  return tree_.size() - 1;
}

Result<TreeHead> TransparencyLog::MakeHead(uint64_t time_s) const {
  TreeHead head;
  head.size = tree_.size();
  head.time_s = std::max(time_s, head_.time_s);
  head.root = tree_.ComputeRoot(head.size);
  OTA_TRY(head.signature, key_->Sign(ComputeSigningDigest(head)));
  return head;
}

Failure TransparencyLog::SignHead() {
  const Result<TreeHead> head = MakeHead(static_cast<uint64_t>(time(nullptr)));
  if (!head.ok()) return Error{"cannot sign the head of the transparency log"};
  if (Failure failure = WriteDurably(directory_ + "/head", EncodeTreeHead(*head), 0644)) {
    return failure;
  }
  head_ = *head;
  return std::nullopt;
}

TreeHead TransparencyLog::ReadHead() {
  const std::lock_guard lock(mutex_);
  const auto now_s = static_cast<uint64_t>(time(nullptr));
  const bool is_stale = now_s > head_.time_s + kHeadAgeMaxS;
  // Only a stored head covers what was acknowledged; one that is only fresher need not be stored.
  if (is_stale && head_.size == tree_.size()) {
    if (const Result<TreeHead> fresh = MakeHead(now_s); fresh.ok()) head_ = *fresh;
  }
  return head_;
}

TreeHead TransparencyLog::known_head() const {
  const std::lock_guard lock(mutex_);
  return head_;
}

Result<std::vector<uint8_t>> TransparencyLog::ReadEntry(uint64_t index) const {
  Place place;
  {
    const std::lock_guard lock(mutex_);
    if (index >= head_.size) return Status::kNotFound;
    place = places_[index];
  }
  std::vector<uint8_t> entry(place.length);
  if (!ReadAt(descriptor_, place.offset, entry)) return Status::kMediumFailed;
  return entry;
}

Result<TransparencyLog::Inclusion> TransparencyLog::ProveInclusion(const Digest& leaf,
                                                                   uint64_t tree_size) const {
  const std::lock_guard lock(mutex_);
  const auto found = indices_.find(leaf);
  if (found == indices_.end() || tree_size > head_.size || found->second >= tree_size) {
    return Status::kNotFound;
  }
  return Inclusion{found->second, tree_size, tree_.InclusionProof(found->second, tree_size)};
}

Result<std::vector<Digest>> TransparencyLog::ProveConsistency(uint64_t first_size,
                                                              uint64_t second_size) const {
  const std::lock_guard lock(mutex_);
  if (first_size > second_size || second_size > head_.size) return Status::kNotFound;
  return tree_.ConsistencyProof(first_size, second_size);
}

}  // namespace ota::server
