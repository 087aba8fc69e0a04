// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "server/poll/freshness_signer.h"
#include "server/release/release_index.h"
#include "server/transparency_log/transparency_log.h"

namespace ota::server {

/// Answers polls (docs/formats/poll.md): what of the index is new for the device that asks, under a
/// freshness statement. Thread-safe.
class PollDesk {
 public:
  using Done = FreshnessSigner::Done;

  /// All must outlive the desk.
  PollDesk(const ReleaseIndex& index, const RootStore& roots, const TransparencyLog& log,
           FreshnessSigner& signer)
      : index_(index), roots_(roots), log_(log), signer_(signer) {}

  /// kOk: `done` is called later, from another thread, with the encoded answer or kKeyInvalid. Else
  /// it is not called. kNotFound: there is no root metadata. kSignerUnknown: the server's freshness
  /// key is not the one that the root metadata names. kBusy: too many ask at once. Otherwise
  /// statuses of DecodePollQuestion.
  Status Ask(ByteSpan question, Done done);

 private:
  struct Draft;

  Status CheckKey() const;
  void AddReleases(const formats::PollQuestion& question, Draft& draft) const;
  void AddProofs(Draft& draft) const;

  const ReleaseIndex& index_;
  const RootStore& roots_;
  const TransparencyLog& log_;
  FreshnessSigner& signer_;
};

}  // namespace ota::server
