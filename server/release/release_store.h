// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "server/artifact/digest.h"
#include "server/expected.h"
#include "server/release/refusal.h"
#include "server/release/root_store.h"
#include "server/transparency_log/transparency_log.h"

namespace ota::server {

/// Largest envelope that is taken, with the payload if that travels in it.
inline constexpr uint32_t kEnvelopeBytesMax = 32 * 1024;

/// An envelope that was signed by those whom the trust metadata names.
struct AcceptedEnvelope {
  std::vector<uint8_t> bytes;
  std::string name;
  uint64_t sequence_number = 0;
  Digest payload_digest{};
  uint32_t payload_bytes = 0;
  bool is_payload_model =
      false;  ///< The payload is the model itself: neither encrypted nor encoded.
  std::vector<uint8_t> integrated_payload;  ///< Empty: it comes apart.
};

/// Takes releases in, under one data directory DIR:
///
///   DIR/payloads/HEX.bin     each payload, as it travels, by its SHA-256; DIR/payloads/ is also
///                            where uploads are staged
///   DIR/envelopes/HEX.suit   each envelope, by its SHA-256
///   DIR/models/NAME.suit     the newest envelope of a name
///   DIR/models/NAME.tflite   its payload once more, if that is the model itself
///
/// Invariants:
/// - nothing is stored or logged that the newest root metadata does not allow; without any nothing
///   is accepted;
/// - the sequence number of a name only grows;
/// - an envelope that is on offer has its payload: that one comes first;
/// - what Publish has returned for is on the disk, synced, and in the transparency log.
///
/// Thread-safe.
class ReleaseStore {
 public:
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

  /// Makes the directories that are missing, but for DIR, and removes what an earlier process left
  /// half uploaded. `roots` and `log` must outlive the store. Error: no directory can be made.
  static Expected<std::unique_ptr<ReleaseStore>> Open(const std::string& data_directory,
                                                      const RootStore& roots, TransparencyLog& log);

  /// Verifies signatures against the newest root metadata, and that the release is newer than what
  /// is here.
  Outcome<AcceptedEnvelope> Accept(const std::string& name, std::vector<uint8_t> envelope) const;

  /// Room for the payload of `accepted`; one that travels in the envelope is there already. Error:
  /// no file can be made, or written.
  Expected<std::unique_ptr<Staging>> Stage(const AcceptedEnvelope& accepted);

  /// Compares the payload with the manifest, logs the envelope and puts both in place, durably.
  /// Returns the number of the entry in the log. The same envelope may be published again.
  Outcome<uint64_t> Publish(const AcceptedEnvelope& accepted, Staging& staging);

 private:
  ReleaseStore(std::string data_directory, const RootStore& roots, TransparencyLog& log)
      : data_directory_(std::move(data_directory)), roots_(roots), log_(log) {}
  Outcome<AcceptedEnvelope> Verify(const std::string& name, std::vector<uint8_t> envelope) const;
  std::optional<Refusal> CompareWithHeld(const AcceptedEnvelope& accepted) const;
  std::string PathOf(std::string_view folder, std::string_view name) const;
  Failure PlacePayload(const AcceptedEnvelope& accepted, Staging& staging) const;
  Failure PlaceModel(const AcceptedEnvelope& accepted) const;
  Failure PlaceEnvelope(const AcceptedEnvelope& accepted) const;

  const std::string data_directory_;
  const RootStore& roots_;
  TransparencyLog& log_;
  std::mutex mutex_;  // one Publish at a time
};

}  // namespace ota::server
