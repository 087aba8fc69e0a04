// SPDX-License-Identifier: Apache-2.0
#include "server/release/publisher_token.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>

#include "server/durable_write.h"

namespace ota::server {

namespace {

constexpr size_t kTokenChars = 64;

}  // namespace

Expected<PublisherToken> PublisherToken::Open(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    std::array<uint8_t, kTokenChars / 2> random;
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
      return Error{"the system gives no random bytes for " + path};
    }
    if (Failure failure = WriteDurably(path, HexText(random) + "\n", 0600)) return *failure;
  }
  std::string token;
  std::ifstream stream(path);
  if (!(stream >> token) || token.size() != kTokenChars) {
    return Error{path + " holds no token of 64 characters; remove it to get a new one"};
  }
  return PublisherToken(ComputeDigest(token));
}

bool PublisherToken::Admits(std::string_view authorization) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (!authorization.starts_with(kScheme)) return false;
  const Digest shown = ComputeDigest(authorization.substr(kScheme.size()));
  return CRYPTO_memcmp(shown.data(), digest_.data(), digest_.size()) == 0;
}

}  // namespace ota::server
