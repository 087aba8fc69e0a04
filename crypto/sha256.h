// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"

// SHA-256 (FIPS 180-4), incremental, without heap.

namespace ota::crypto {

inline constexpr size_t kSha256Bytes = 32;
using Sha256Digest = std::array<uint8_t, kSha256Bytes>;

/// Hashes what is fed to it, in pieces of any size. A copy carries the state on from where it was
/// copied, so that the digest of a prefix can be taken on the way.
///
///   Sha256 hash;
///   hash.Update(head);
///   hash.Update(rest);
///   const Sha256Digest digest = hash.Finish();
class Sha256 {
 public:
  Sha256();

  void Update(ByteSpan bytes);

  /// The digest of all that was fed; the object then is as a new one.
  void FinishInto(std::span<uint8_t, kSha256Bytes> digest);
  Sha256Digest Finish() {
    Sha256Digest digest;
    FinishInto(digest);
    return digest;
  }

 private:
  alignas(8) std::array<uint8_t, 112> context_;  // the library's own context, seen by the .cc only
};

/// The digest of `bytes` in one call.
Sha256Digest ComputeSha256(ByteSpan bytes);

}  // namespace ota::crypto
