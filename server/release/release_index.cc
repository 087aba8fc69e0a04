// SPDX-License-Identifier: Apache-2.0
#include "server/release/release_index.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "formats/manifest/envelope.h"
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
  const ByteSpan payload_digest =
      manifest.payload_digest.empty() ? manifest.image_digest : manifest.payload_digest;
  std::copy_n(payload_digest.begin(),
              std::min(payload_digest.size(), release.payload_digest.size()),
              release.payload_digest.begin());
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

bool OfferedRelease::Supersedes(const OfferedRelease& older) const {
  if (kind != older.kind || name != older.name || vendor_id != older.vendor_id) return false;
  if (sequence_number <= older.sequence_number) return false;
  if (!device_id.empty() && device_id != older.device_id) return false;
  return std::all_of(older.class_ids.begin(), older.class_ids.end(), [this](const Id& id) {
    return std::find(class_ids.begin(), class_ids.end(), id) != class_ids.end();
  });
}

std::optional<OfferedRelease> ReleaseIndex::Read(const std::string& name, const Digest& digest,
                                                 const formats::TrustState& trust) {
  const Result<std::shared_ptr<Artifact>> envelope = envelopes_.OpenArtifact(name);
  if (!envelope.ok() || (*envelope)->digest() != digest) return std::nullopt;
  if ((*envelope)->size_bytes() > kEnvelopeBytesMax) return std::nullopt;
  std::vector<uint8_t> bytes((*envelope)->size_bytes());
  if (!IsOk((*envelope)->Read(0, bytes))) return std::nullopt;
  const Result<formats::Envelope> decoded = formats::DecodeEnvelope(bytes);
  if (!decoded.ok()) return std::nullopt;
  formats::Manifest manifest;
  if (!IsOk(formats::DecodeManifest(decoded->manifest, manifest))) return std::nullopt;
  OfferedRelease release = Describe(manifest);
  ByteSpan integrated;
  release.is_allowed = IsOk(VerifyRelease(trust, bytes, manifest, integrated));
  release.envelope_digest = digest;
  release.envelope_bytes = static_cast<uint32_t>(bytes.size());
  release.log_leaf = ComputeLeafDigest(bytes);
  return release;
}

void ReleaseIndex::ReadAll(const formats::TrustState& trust, bool is_root_known) {
  std::map<Digest, OfferedRelease> before = std::exchange(known_, {});
  for (const ArtifactStore::Entry& entry : envelopes_.List()) {
    const auto same = before.find(entry.digest);
    if (same != before.end() && is_root_known) {
      known_.insert(before.extract(same));
    } else if (auto release = Read(entry.name, entry.digest, trust)) {
      known_.emplace(entry.digest, std::move(*release));
    }
  }
}

void ReleaseIndex::Refresh() {
  const std::lock_guard refresh_lock(refresh_mutex_);
  formats::TrustState trust;
  const uint32_t root_version = roots_.newest_version();
  if (IsOk(roots_.LoadNewest(trust))) {
    ReadAll(trust, root_version == root_version_);
  } else {
    known_.clear();
  }
  root_version_ = root_version;
  Releases found;
  for (const auto& [digest, release] : known_) found.push_back(release);
  std::sort(found.begin(), found.end(), [](const auto& first, const auto& second) {
    return std::tie(first.name, first.kind, second.sequence_number) <
           std::tie(second.name, second.kind, first.sequence_number);
  });
  auto kept = std::make_shared<Releases>();
  auto superseded = std::make_shared<Releases>();
  for (OfferedRelease& release : found) {
    const bool is_superseded = std::any_of(
        kept->begin(), kept->end(), [&](const auto& newer) { return newer.Supersedes(release); });
    (is_superseded ? superseded : kept)->push_back(std::move(release));
  }
  const std::lock_guard lock(mutex_);
  releases_ = std::move(kept);
  superseded_ = std::move(superseded);
}

std::shared_ptr<const ReleaseIndex::Releases> ReleaseIndex::releases() const {
  const std::lock_guard lock(mutex_);
  return releases_;
}

std::shared_ptr<const ReleaseIndex::Releases> ReleaseIndex::superseded() const {
  const std::lock_guard lock(mutex_);
  return superseded_;
}

}  // namespace ota::server
