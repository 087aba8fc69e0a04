// SPDX-License-Identifier: Apache-2.0
#include "server/artifact/artifact_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace ota::server {

namespace {

constexpr size_t kReadBytes = 64 * 1024;

// File systems stamp times with the tick of the kernel, at most 10 ms. A version that is younger
// could be overwritten in place within the same tick, and then look the same with other bytes.
constexpr int64_t kSettledNs = 20'000'000;

class OwnedDescriptor {
 public:
  explicit OwnedDescriptor(int descriptor) : descriptor_(descriptor) {}
  ~OwnedDescriptor() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  OwnedDescriptor(const OwnedDescriptor&) = delete;
  OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
  int value() const { return descriptor_; }
  int Release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

Status StatusOfOpenError(int error) {
  const bool is_absent = error == ENOENT || error == ELOOP || error == EISDIR || error == ENXIO;
  return is_absent ? Status::kNotFound : Status::kMediumFailed;
}

int64_t NowNs() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void WaitUntilSettled(const ArtifactVersion& version) {
  const int64_t age_ns = NowNs() - std::max(version.modified_ns, version.changed_ns);
  if (age_ns < 0 || age_ns >= kSettledNs) return;  // A time in the future comes from another clock.
  const struct timespec rest = {0, kSettledNs - age_ns};
  nanosleep(&rest, nullptr);
}

Result<ArtifactVersion> ReadVersion(int descriptor) {
  struct stat state;
  if (fstat(descriptor, &state) != 0) return Status::kMediumFailed;
  if (!S_ISREG(state.st_mode) || state.st_size == 0) return Status::kNotFound;
  if (state.st_size > int64_t{kArtifactBytesMax}) return Status::kPayloadTooLarge;
  return ArtifactVersion::Of(state);
}

Result<Digest> ReadDigest(int descriptor, int64_t size_bytes) {
  DigestStream stream;
  std::vector<uint8_t> block(kReadBytes);
  int64_t offset = 0;
  while (offset < size_bytes) {
    const ssize_t count = pread(descriptor, block.data(), block.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Status::kMediumFailed;
    if (count == 0) return Status::kBusy;
    stream.Update(ByteSpan(block).first(static_cast<size_t>(count)));
    offset += count;
  }
  return stream.Finish();
}

}  // namespace

Expected<std::unique_ptr<ArtifactStore>> ArtifactStore::Open(const std::string& directory,
                                                             std::string_view suffix) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    return Error{"cannot open the models directory " + directory + ": " + std::strerror(errno) +
                 "; make it, or give another --data"};
  }
  return std::unique_ptr<ArtifactStore>(new ArtifactStore(descriptor, suffix));
}

ArtifactStore::~ArtifactStore() { close(directory_); }

Result<std::shared_ptr<Artifact>> ArtifactStore::OpenArtifact(std::string_view name) {
  if (!IsArtifactName(name)) return Status::kNameInvalid;
  const std::string owned_name(name);
  const std::string entry = owned_name + suffix_;
  // Not blocking, so that opening a FIFO returns.
  OwnedDescriptor descriptor(
      openat(directory_, entry.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (descriptor.value() < 0) return StatusOfOpenError(errno);
  OTA_TRY(const ArtifactVersion version, ReadVersion(descriptor.value()));
  OTA_TRY(const Digest digest, FindOrComputeDigest(owned_name, descriptor.value(), version));
  return std::make_shared<Artifact>(owned_name, descriptor.Release(), version, digest);
}

Result<Digest> ArtifactStore::FindOrComputeDigest(const std::string& name, int descriptor,
                                                  const ArtifactVersion& version) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = known_.find(name);
    if (known != known_.end() && known->second.version == version) return known->second.digest;
  }
  WaitUntilSettled(version);
  OTA_TRY(const Digest digest, ReadDigest(descriptor, version.size_bytes));
  OTA_TRY(const ArtifactVersion version_after, ReadVersion(descriptor));
  if (version_after.size_bytes != version.size_bytes ||
      version_after.modified_ns != version.modified_ns) {
    return Status::kBusy;
  }
  const std::lock_guard lock(mutex_);
  known_.insert_or_assign(name, Known{version, digest});
  return digest;
}

std::vector<std::string> ArtifactStore::ReadNames() const {
  std::vector<std::string> names;
  // Opened anew, since a duplicate would share its position with other threads.
  const int copy = openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return names;
  DIR* const entries = fdopendir(copy);
  if (entries == nullptr) {
    close(copy);
    return names;
  }
  while (const struct dirent* entry = readdir(entries)) {
    const std::string_view text = entry->d_name;
    if (!text.ends_with(suffix_)) continue;
    const std::string_view name = text.substr(0, text.size() - suffix_.size());
    if (IsArtifactName(name)) names.emplace_back(name);
  }
  closedir(entries);
  std::sort(names.begin(), names.end());
  return names;
}

void ArtifactStore::ForgetAllBut(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  std::erase_if(known_, [&](const auto& known) {
    return !std::binary_search(names.begin(), names.end(), known.first);
  });
}

std::vector<ArtifactStore::Entry> ArtifactStore::List() {
  const std::vector<std::string> names = ReadNames();
  ForgetAllBut(names);
  std::vector<Entry> entries;
  for (const std::string& name : names) {
    const Result<std::shared_ptr<Artifact>> artifact = OpenArtifact(name);
    if (!artifact.ok()) continue;
    entries.push_back({name, (*artifact)->size_bytes(), (*artifact)->digest()});
  }
  return entries;
}

}  // namespace ota::server
