// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

#include <compare>
#include <string>
#include <string_view>

#include "base/byte_source.h"
#include "server/artifact/digest.h"

namespace ota::server {

/// Largest model that is served or taken. Its C array then still has a length below 4 GiB.
inline constexpr uint32_t kArtifactBytesMax = 512u * 1024 * 1024;

/// Longest model name.
inline constexpr size_t kArtifactNameBytesMax = 64;

/// Whether `name` may name a model: 1 to 64 letters, digits, `_`, `-` and `.`, the first one a
/// letter, a digit or `_`. No path can be made of such names.
bool IsArtifactName(std::string_view name);

/// What tells one version of a stored model from another without reading it.
struct ArtifactVersion {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size_bytes = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;

  static ArtifactVersion Of(const struct stat& state);
  auto operator<=>(const ArtifactVersion&) const = default;
};

/// One version of one model, open for reading. It stays readable when the name is given to another
/// version or removed; it never mixes two versions: when the bytes are overwritten in place, Read
/// refuses from then on. Several threads may read at once.
class Artifact final : public ByteSource {
 public:
  /// Takes `descriptor` over and closes it at its end.
  Artifact(std::string name, int descriptor, const ArtifactVersion& version, const Digest& digest);
  ~Artifact();
  Artifact(const Artifact&) = delete;
  Artifact& operator=(const Artifact&) = delete;

  const std::string& name() const { return name_; }
  const Digest& digest() const { return digest_; }

  uint32_t size_bytes() const override { return static_cast<uint32_t>(version_.size_bytes); }

  /// As ByteSource; and kArtifactChanged: the bytes were overwritten; `target` holds nothing of
  /// use.
  Status Read(uint32_t offset, MutableByteSpan target) override;

 private:
  const std::string name_;
  const int descriptor_;
  const ArtifactVersion version_;
  const Digest digest_;
};

}  // namespace ota::server
