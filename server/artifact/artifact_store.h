// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/artifact/artifact.h"
#include "server/expected.h"

namespace ota::server {

/// The models that lie as NAME.tflite in one directory (or what has another suffix). Names added,
/// replaced or removed while the server runs are seen at the next call; replace a model by renaming
/// a complete one over it.
///
/// Invariants:
/// - nothing outside of the directory is ever opened: names are checked, links are refused;
/// - a digest belongs to exactly the bytes that the Artifact reads.
///
/// Thread-safe. Calls do I/O, and compute a digest the first time a version is seen.
class ArtifactStore {
 public:
  struct Entry {
    std::string name;
    uint32_t size_bytes = 0;
    Digest digest{};
  };

  /// Opens `directory`, which must exist. Error: it cannot be opened.
  static Expected<std::unique_ptr<ArtifactStore>> Open(const std::string& directory,
                                                       std::string_view suffix = ".tflite");
  ~ArtifactStore();

  /// Opens the version that has the name now.
  /// kNameInvalid, kNotFound: no such model (also: a link, a directory, no bytes);
  /// kPayloadTooLarge: larger than kArtifactBytesMax; kBusy: it is being overwritten right now, ask
  /// again; kMediumFailed: it cannot be read.
  Result<std::shared_ptr<Artifact>> OpenArtifact(std::string_view name);

  /// All models in the order of their names. What cannot be opened is left out.
  std::vector<Entry> List();

 private:
  ArtifactStore(int directory, std::string_view suffix) : directory_(directory), suffix_(suffix) {}
  Result<Digest> FindOrComputeDigest(const std::string& name, int descriptor,
                                     const ArtifactVersion& version);
  std::vector<std::string> ReadNames() const;
  void ForgetAllBut(const std::vector<std::string>& names);

  struct Known {
    ArtifactVersion version;
    Digest digest;
  };
  const int directory_;
  const std::string suffix_;
  std::mutex mutex_;  // guards known_
  std::map<std::string, Known> known_;
};

}  // namespace ota::server
