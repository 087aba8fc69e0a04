// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "formats/manifest/manifest.h"
#include "server/artifact/digest.h"
#include "server/expected.h"
#include "server/transparency_log/transparency_log.h"

namespace ota::server {

/// Largest envelope that is taken; its payload travels apart.
inline constexpr uint32_t kEnvelopeBytesMax = 32 * 1024;

/// An envelope that was signed by those whom the trust metadata names.
struct AcceptedEnvelope {
  std::vector<uint8_t> bytes;
  std::string name;
  uint64_t sequence_number = 0;
  Digest payload_digest{};
  uint32_t payload_bytes = 0;
};

/// Takes releases in. The envelope of release NAME becomes NAME.suit in the models directory, its
/// payload, as it travels, NAME.tflite.
///
/// Invariants:
/// - nothing is stored or logged that the trust metadata (signed root metadata in `root_path`) does
///   not allow; without that file nothing is accepted;
/// - the sequence number of a name only grows;
/// - what Publish has returned for is on the disk, synced, and in the transparency log.
///
/// Thread-safe.
class ReleaseStore {
 public:
  struct Refusal {
    int http_status = 403;
    std::string what;
    std::string remedy;
  };
  template <typename T>
  using Outcome = std::variant<T, Refusal>;

  /// A payload on its way in: a file beside the models that nobody sees, gone unless published.
  class Staging {
   public:
    Staging(std::string path, int descriptor) : path_(std::move(path)), descriptor_(descriptor) {}
    ~Staging();
    Staging(const Staging&) = delete;
    Staging& operator=(const Staging&) = delete;
    /// Error: the disk is full or failed.
    Failure Append(ByteSpan bytes);
    uint64_t size_bytes() const { return size_bytes_; }

   private:
    friend class ReleaseStore;
    std::string path_;
    int descriptor_;
    DigestStream digest_;
    uint64_t size_bytes_ = 0;
  };

  /// Removes what an earlier process left half uploaded. `log` must outlive the store.
  ReleaseStore(std::string models_directory, std::string root_path, TransparencyLog& log);

  /// Verifies signatures against the trust metadata, and that the release is newer than what is
  /// here.
  Outcome<AcceptedEnvelope> Accept(const std::string& name, std::vector<uint8_t> envelope) const;

  /// Error: no file can be made.
  Expected<std::unique_ptr<Staging>> Stage();

  /// Compares the payload with the manifest, logs the envelope and puts both in place, durably.
  /// Returns the number of the entry in the log. The same envelope may be published again.
  Outcome<uint64_t> Publish(const AcceptedEnvelope& accepted, Staging& staging);

 private:
  Outcome<AcceptedEnvelope> Verify(const std::string& name, std::vector<uint8_t> envelope) const;
  std::optional<Refusal> CompareWithHeld(const AcceptedEnvelope& accepted) const;
  Failure Place(const AcceptedEnvelope& accepted, Staging& staging);

  const std::string models_directory_;
  const std::string root_path_;
  TransparencyLog& log_;
  std::mutex mutex_;  // one Publish at a time
};

}  // namespace ota::server
