// SPDX-License-Identifier: Apache-2.0
#include "server/release/prune.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include "formats/manifest/envelope.h"
#include "server/artifact/artifact_store.h"
#include "server/directory_lock.h"
#include "server/durable_write.h"
#include "server/release/release_index.h"
#include "server/release/root_store.h"

namespace ota::server {

namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

// Names without the suffix, in order.
Names NamesIn(const std::string& directory, std::string_view suffix) {
  Names names;
  std::error_code ignored;  // What is not there has no names.
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, ignored)) {
    const fs::path& path = entry.path();
    if (path.extension() == suffix && !path.filename().string().starts_with('.')) {
      names.insert(path.stem());
    }
  }
  return names;
}

bool IsDigest(const std::string& name) {
  return name.size() == 2 * Digest{}.size() &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

class Pruning {
 public:
  Pruning(std::string directory, PruneMode mode,
          const std::function<void(const PrunedFile&)>& on_file)
      : directory_(std::move(directory)), mode_(mode), on_file_(on_file) {}

  Expected<PruneSummary> Run();

 private:
  Failure FindWhatIsNeeded();
  Failure AddNewest(const std::string& name);
  Failure Remove(const std::string& folder, const Names& names, std::string_view suffix);

  const std::string directory_;
  const PruneMode mode_;
  const std::function<void(const PrunedFile&)>& on_file_;
  Names superseded_envelopes_;
  Names needed_payloads_;
  PruneSummary summary_;
};

Expected<PruneSummary> Pruning::Run() {
  if (!fs::exists(directory_ + "/envelopes")) {
    return Error{directory_ + " holds no releases; give the --data of a server that took some"};
  }
  DirectoryLock lock;
  if (Failure failure = lock.Take(directory_)) return *failure;
  if (Failure failure = FindWhatIsNeeded()) return *failure;
  if (Failure failure = Remove("envelopes", superseded_envelopes_, ".suit")) return *failure;
  Names payloads;
  for (const std::string& name : NamesIn(directory_ + "/payloads", ".bin")) {
    if (IsDigest(name) && !needed_payloads_.contains(name)) payloads.insert(name);
  }
  if (Failure failure = Remove("payloads", payloads, ".bin")) return *failure;
  return summary_;
}

Failure Pruning::FindWhatIsNeeded() {
  Expected<std::unique_ptr<RootStore>> roots = RootStore::Open(directory_ + "/roots");
  if (!roots.ok()) return roots.error();
  if ((*roots)->newest_version() == 0) {
    return Error{directory_ +
                 " has no root metadata, so that nothing says what is offered; give "
                 "it some with `ota-tinyml trust publish`"};
  }
  Expected<std::unique_ptr<ArtifactStore>> envelopes =
      ArtifactStore::Open(directory_ + "/envelopes", ".suit");
  if (!envelopes.ok()) return envelopes.error();
  ReleaseIndex index(**envelopes, **roots);
  index.Refresh();
  Names known;
  for (const OfferedRelease& release : *index.releases()) {
    known.insert(HexText(release.envelope_digest));
    needed_payloads_.insert(HexText(release.payload_digest));
    ++summary_.kept_release_count;
  }
  for (const OfferedRelease& release : *index.superseded()) {
    superseded_envelopes_.insert(HexText(release.envelope_digest));
  }
  known.insert(superseded_envelopes_.begin(), superseded_envelopes_.end());
  for (const std::string& name : NamesIn(directory_ + "/envelopes", ".suit")) {
    if (known.contains(name)) continue;
    return Error{directory_ + "/envelopes/" + name +
                 ".suit is no envelope with that digest; put back what the log has, or remove it, "
                 "then prune again"};
  }
  for (const std::string& name : NamesIn(directory_ + "/models", ".suit")) {
    if (Failure failure = AddNewest(name)) return failure;
  }
  return std::nullopt;
}

// The newest envelope of a name is served by that name too.
Failure Pruning::AddNewest(const std::string& name) {
  const std::string path = directory_ + "/models/" + name + ".suit";
  std::ifstream stream(path, std::ios::binary);
  const std::vector<uint8_t> bytes{std::istreambuf_iterator<char>(stream), {}};
  const Result<formats::Envelope> envelope = formats::DecodeEnvelope(bytes);
  formats::Manifest manifest;
  if (!envelope.ok() || !IsOk(formats::DecodeManifest(envelope->manifest, manifest))) {
    return Error{path + " is no envelope; remove it, then prune again"};
  }
  needed_payloads_.insert(
      HexText(manifest.payload_digest.empty() ? manifest.image_digest : manifest.payload_digest));
  return std::nullopt;
}

Failure Pruning::Remove(const std::string& folder, const Names& names, std::string_view suffix) {
  for (const std::string& name : names) {
    PrunedFile file;
    file.path = directory_ + "/" + folder + "/" + name + std::string(suffix);
    std::error_code unknown;
    const uintmax_t size_bytes = fs::file_size(file.path, unknown);
    if (!unknown) file.size_bytes = size_bytes;
    if (mode_ == PruneMode::kRemove && unlink(file.path.c_str()) != 0 && errno != ENOENT) {
      return SystemError("remove", file.path, errno);
    }
    ++summary_.file_count;
    summary_.bytes += file.size_bytes;
    on_file_(file);
  }
  if (mode_ == PruneMode::kDryRun || names.empty()) return std::nullopt;
  return SyncDirectoryOf(directory_ + "/" + folder + "/any");
}

}  // namespace

Expected<PruneSummary> Prune(const std::string& data_directory, PruneMode mode,
                             const std::function<void(const PrunedFile&)>& on_file) {
  return Pruning(data_directory, mode, on_file).Run();
}

}  // namespace ota::server
