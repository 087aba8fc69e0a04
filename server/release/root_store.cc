// SPDX-License-Identifier: Apache-2.0
#include "server/release/root_store.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "formats/trust/root_update.h"
#include "server/durable_write.h"

namespace ota::server {

namespace {

Status FollowRoot(const std::vector<uint8_t>& signed_root, formats::TrustState& state) {
  formats::RootUpdate update;
  OTA_TRY(update.Begin(state, signed_root));
  Status status = Status::kBusy;
  while (status == Status::kBusy) status = update.Step(0, state);
  return status;
}

Status BeginWithRoot(const std::vector<uint8_t>& signed_root, formats::TrustState& state) {
  OTA_TRY(formats::VerifyInitialRoot(signed_root));
  OTA_TRY(const formats::SignedRoot root, formats::DecodeSignedRoot(signed_root));
  OTA_TRY(const formats::RootMetadata metadata, formats::DecodeRootMetadata(root.metadata));
  if (metadata.version != 1) return Status::kRootVersionWrong;
  return formats::InitializeTrustState(root.metadata, state);
}

}  // namespace

Expected<std::unique_ptr<RootStore>> RootStore::Open(const std::string& directory) {
  if (mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) {
    return SystemError("make the directory", directory, errno);
  }
  std::unique_ptr<RootStore> store(new RootStore(directory));
  if (Failure failure = store->Refresh()) return *failure;
  return store;
}

std::string RootStore::PathOf(size_t version) const {
  return directory_ + "/" + std::to_string(version) + ".cbor";
}

Status RootStore::Take(const std::vector<uint8_t>& signed_root) {
  OTA_TRY(versions_.empty() ? BeginWithRoot(signed_root, newest_)
                            : FollowRoot(signed_root, newest_));
  versions_.push_back(signed_root);
  return Status::kOk;
}

Failure RootStore::Refresh() {
  const std::lock_guard lock(mutex_);
  for (;;) {
    const std::string path = PathOf(versions_.size() + 1);
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return std::nullopt;
    const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
    if (const Status status = Take(bytes); !IsOk(status)) {
      return Error{"a device would refuse the root metadata " + path + ": " +
                   std::string(StatusSentence(status)) + " Put in a good one"};
    }
  }
}

std::optional<Refusal> RootStore::Add(uint32_t version, const std::vector<uint8_t>& signed_root) {
  const std::lock_guard lock(mutex_);
  const bool is_again = version != 0 && version == versions_.size();
  if (is_again && versions_.back() == signed_root) return std::nullopt;
  if (version != versions_.size() + 1) {
    return Refusal{409,
                   "version " + std::to_string(version) + " does not follow version " +
                       std::to_string(versions_.size()) + ", which is here",
                   "send the versions in order; none is ever replaced"};
  }
  const formats::TrustState before = newest_;
  if (const Status status = Take(signed_root); !IsOk(status)) {
    return Refusal{
        403, "a device would refuse this root metadata: " + std::string(StatusSentence(status)),
        "`ota-tinyml trust verify` says the same; let enough root keys sign it", status};
  }
  const std::string_view text(reinterpret_cast<const char*>(signed_root.data()),
                              signed_root.size());
  if (const Failure failure = WriteDurably(PathOf(version), text, 0644)) {
    versions_.pop_back();
    newest_ = before;
    return Refusal{507, failure->message, "make room at the server, then send it again"};
  }
  return std::nullopt;
}

uint32_t RootStore::newest_version() const {
  const std::lock_guard lock(mutex_);
  return static_cast<uint32_t>(versions_.size());
}

std::optional<std::vector<uint8_t>> RootStore::Find(uint32_t version) const {
  const std::lock_guard lock(mutex_);
  if (version == 0 || version > versions_.size()) return std::nullopt;
  return versions_[version - 1];
}

Status RootStore::LoadNewest(formats::TrustState& state) const {
  const std::lock_guard lock(mutex_);
  if (versions_.empty()) return Status::kNotFound;
  state = newest_;
  return Status::kOk;
}

}  // namespace ota::server
