// SPDX-License-Identifier: Apache-2.0
#include "server/release/release_index.h"

#include <algorithm>

#include "server/release/release_store.h"
#include "server/release/release_verification.h"
#include "server/transparency_log/merkle_tree.h"

namespace ota::server {

namespace {

bool AreEqual(ByteSpan first, ByteSpan second) {
  return std::equal(first.begin(), first.end(), second.begin(), second.end());
}

OfferedRelease::Id IdOf(ByteSpan bytes) {
  OfferedRelease::Id id{};
  std::copy_n(bytes.begin(), std::min(bytes.size(), id.size()), id.begin());
  return id;
}

OfferedRelease Describe(const formats::Manifest& manifest) {
  OfferedRelease release;
  release.kind = manifest.kind;
  release.name = manifest.component_name;
  release.sequence_number = manifest.sequence_number;
  release.vendor_id = IdOf(manifest.vendor_id);
  for (size_t i = 0; i < manifest.class_id_count; ++i) {
    release.class_ids.push_back(IdOf(manifest.class_ids[i]));
  }
  release.device_id.assign(manifest.device_id.begin(), manifest.device_id.end());
  return release;
}

}  // namespace

bool OfferedRelease::IsFor(const formats::PollQuestion& question) const {
  if (!AreEqual(vendor_id, question.vendor_id)) return false;
  if (!device_id.empty() && !AreEqual(device_id, question.device_id)) return false;
  const auto classes = std::span(question.class_ids).first(question.class_id_count);
  return std::any_of(class_ids.begin(), class_ids.end(), [&classes](const Id& own) {
    return std::any_of(classes.begin(), classes.end(),
                       [&own](ByteSpan id) { return AreEqual(own, id); });
  });
}

std::optional<OfferedRelease> ReleaseIndex::Read(const std::string& name, const Digest& digest,
                                                 const formats::TrustState& trust) {
  const Result<std::shared_ptr<Artifact>> envelope = envelopes_.OpenArtifact(name);
  if (!envelope.ok() || (*envelope)->digest() != digest) return std::nullopt;
  if ((*envelope)->size_bytes() > kEnvelopeBytesMax) return std::nullopt;
  std::vector<uint8_t> bytes((*envelope)->size_bytes());
  if (!IsOk((*envelope)->Read(0, bytes))) return std::nullopt;
  formats::Manifest manifest;
  if (!IsOk(VerifyRelease(trust, bytes, manifest))) return std::nullopt;
  OfferedRelease release = Describe(manifest);
  release.envelope_digest = digest;
  release.envelope_bytes = static_cast<uint32_t>(bytes.size());
  release.log_leaf = ComputeLeafDigest(bytes);
  return release;
}

void ReleaseIndex::Refresh() {
  const std::lock_guard refresh_lock(refresh_mutex_);
  formats::TrustState trust;
  const uint32_t root_version = roots_.newest_version();
  auto found = std::make_shared<Releases>();
  if (IsOk(roots_.LoadNewest(trust))) {
    const std::shared_ptr<const Releases> known = releases();
    for (const ArtifactStore::Entry& entry : envelopes_.List()) {
      const auto same = std::find_if(known->begin(), known->end(), [&entry](const auto& release) {
        return release.envelope_digest == entry.digest;
      });
      if (same != known->end() && root_version == root_version_) {
        found->push_back(*same);
      } else if (auto release = Read(entry.name, entry.digest, trust)) {
        found->push_back(std::move(*release));
      }
    }
  }
  root_version_ = root_version;
  const std::lock_guard lock(mutex_);
  releases_ = std::move(found);
}

std::shared_ptr<const ReleaseIndex::Releases> ReleaseIndex::releases() const {
  const std::lock_guard lock(mutex_);
  return releases_;
}

}  // namespace ota::server
