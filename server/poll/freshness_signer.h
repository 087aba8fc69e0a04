// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "crypto/host/signing_key.h"
#include "formats/host/authoring.h"
#include "server/release/root_store.h"

namespace ota::server {

struct FreshnessLimits {
  /// Between two signatures. A question that comes after a rest is answered at once; those that
  /// come within the interval wait for its end and share one signature.
  std::chrono::milliseconds interval{50};
  size_t batch_max = 4096;  ///< Questions that may wait.
};

/// Signs freshness statements, one for all the questions that have come since the last one. So the
/// key is used a bounded number of times a second, however many devices ask. Thread-safe.
class FreshnessSigner {
 public:
  using Done = std::function<void(Result<formats::Bytes>)>;

  /// `key` and `roots` must outlive the signer.
  FreshnessSigner(crypto::SigningKey& key, const RootStore& roots, FreshnessLimits limits = {});
  /// Answers what waits, then ends.
  ~FreshnessSigner();

  /// Calls `done` later, from another thread, with the encoded freshness answer; or with
  /// kKeyInvalid: the key could not sign. Returns false, and calls nothing: too many wait.
  bool Ask(formats::FreshnessQuestion question, Done done);

  const crypto::P256PublicKey& public_key() const { return key_.public_key(); }

  uint64_t signature_count() const;
  uint64_t answer_count() const;

 private:
  void Run();
  void Answer(const std::vector<formats::FreshnessQuestion>& questions,
              const std::vector<Done>& waiting);

  crypto::SigningKey& key_;
  const RootStore& roots_;
  const FreshnessLimits limits_;

  mutable std::mutex mutex_;  // guards what follows, up to the blank line
  std::condition_variable changed_;
  std::vector<formats::FreshnessQuestion> questions_;
  std::vector<Done> waiting_;
  uint64_t signature_count_ = 0;
  uint64_t answer_count_ = 0;
  bool is_stopping_ = false;

  std::thread thread_;
};

}  // namespace ota::server
