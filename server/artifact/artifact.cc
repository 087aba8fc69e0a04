// SPDX-License-Identifier: Apache-2.0
#include "server/artifact/artifact.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace ota::server {

namespace {

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

int64_t Nanoseconds(const struct timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

bool IsArtifactName(std::string_view name) {
  if (name.empty() || name.size() > kArtifactNameBytesMax) return false;
  if (!IsAlphanumeric(name[0]) && name[0] != '_') return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '_' || c == '-' || c == '.'; });
}

ArtifactVersion ArtifactVersion::Of(const struct stat& state) {
  return {.device = state.st_dev,
          .inode = state.st_ino,
          .size_bytes = state.st_size,
          .modified_ns = Nanoseconds(state.st_mtim),
          .changed_ns = Nanoseconds(state.st_ctim)};
}

Artifact::Artifact(std::string name, int descriptor, const ArtifactVersion& version,
                   const Digest& digest)
    : name_(std::move(name)), descriptor_(descriptor), version_(version), digest_(digest) {}

Artifact::~Artifact() { close(descriptor_); }

Status Artifact::Read(uint32_t offset, MutableByteSpan target) {
  if (!IsInBounds(offset, target.size(), size_bytes())) return Status::kOutOfRange;
  size_t read_bytes = 0;
  while (read_bytes < target.size()) {
    const ssize_t count = pread(descriptor_, target.data() + read_bytes, target.size() - read_bytes,
                                static_cast<off_t>(offset + read_bytes));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Status::kMediumFailed;
    if (count == 0) return Status::kArtifactChanged;
    read_bytes += static_cast<size_t>(count);
  }
  // Renaming or unlinking touches only the change time; bytes written in place touch both.
  struct stat state;
  if (fstat(descriptor_, &state) != 0) return Status::kMediumFailed;
  const ArtifactVersion now = ArtifactVersion::Of(state);
  const bool is_same =
      now.size_bytes == version_.size_bytes && now.modified_ns == version_.modified_ns;
  return is_same ? Status::kOk : Status::kArtifactChanged;
}

}  // namespace ota::server
