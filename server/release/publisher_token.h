// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "server/artifact/digest.h"
#include "server/expected.h"

namespace ota::server {

/// What a publisher shows to be let in: 32 random bytes in hexadecimal, kept in a file of mode
/// 0600. It only lets manifests come as far as their verification; it signs nothing.
class PublisherToken {
 public:
  /// Reads the token, which is made if `path` does not exist. Error: it cannot be read or written.
  static Expected<PublisherToken> Open(const std::string& path);

  /// Whether an Authorization header is `Bearer TOKEN`; takes the same time for each wrong token.
  bool Admits(std::string_view authorization) const;

 private:
  explicit PublisherToken(const Digest& digest) : digest_(digest) {}

  Digest digest_;
};

}  // namespace ota::server
