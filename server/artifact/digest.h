// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "crypto/host/hex.h"

struct evp_md_ctx_st;

namespace ota::server {

/// A SHA-256 digest; names an artifact.
using Digest = std::array<uint8_t, 32>;

/// SHA-256 over bytes that arrive in parts. Aborts the program if OpenSSL cannot give SHA-256.
class DigestStream {
 public:
  DigestStream();
  void Update(ByteSpan bytes);
  /// The digest of everything since the start; the stream then starts anew.
  Digest Finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest ComputeDigest(ByteSpan bytes);
Digest ComputeDigest(std::string_view text);

using crypto::HexText;

/// Base64 with padding, as in RFC 4648 section 4.
std::string Base64Text(ByteSpan bytes);

}  // namespace ota::server
