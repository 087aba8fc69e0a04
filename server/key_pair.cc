// SPDX-License-Identifier: Apache-2.0
#include "server/key_pair.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

#include "server/durable_write.h"

namespace ota::server {

namespace {

std::string ReadText(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

Expected<std::unique_ptr<crypto::PemKey>> MakeKeyPair(const std::string& path) {
  Result<std::unique_ptr<crypto::PemKey>> key = crypto::PemKey::Generate();
  if (!key.ok()) return Error{"the system gives no random bytes for " + path + ".pem"};
  const Result<std::string> pem = (*key)->ToPem("");
  const Result<std::string> public_pem = crypto::EncodePublicPem((*key)->public_key());
  if (!pem.ok() || !public_pem.ok()) return Error{"cannot encode the key " + path + ".pem"};
  if (Failure failure = WriteDurably(path + ".pub.pem", *public_pem, 0644)) return *failure;
  if (Failure failure = WriteDurably(path + ".pem", *pem, 0600)) return *failure;
  return std::move(*key);
}

}  // namespace

Expected<std::unique_ptr<crypto::PemKey>> OpenKeyPair(const std::string& path, KeyPairUse use) {
  const bool exists = access((path + ".pem").c_str(), F_OK) == 0;
  if (!exists && use == KeyPairUse::kMayBeMade) return MakeKeyPair(path);
  Result<std::unique_ptr<crypto::PemKey>> key =
      crypto::PemKey::FromPem(ReadText(path + ".pem"), "");
  if (key.ok()) return std::move(*key);
  return Error{"the key " + path + ".pem cannot be read; restore it from a backup"};
}

}  // namespace ota::server
