// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "crypto/p256.h"
#include "crypto/sha256.h"
#include "server/artifact/digest.h"

namespace ota::server {

/// What the log says of itself: that at `time_s` (seconds since 1970) it had `size` entries with
/// this root. Signed with the log's key, so that two different answers convict it.
struct TreeHead {
  uint64_t size = 0;
  uint64_t time_s = 0;
  Digest root{};
  crypto::Es256Signature signature{};
};

/// The digest that is signed: SHA-256 over "ota-tinyml tree head 1", size and time as 8 bytes each,
/// big-endian, and the root.
crypto::Sha256Digest ComputeSigningDigest(const TreeHead& head);

/// As JSON with the members size, time, root and signature (both hexadecimal), and back.
/// kInvalidArgument: not that.
std::string EncodeTreeHead(const TreeHead& head);
Result<TreeHead> DecodeTreeHead(std::string_view text);

}  // namespace ota::server
