// SPDX-License-Identifier: Apache-2.0
#include "server/artifact/digest.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <string_view>

namespace ota::server {

namespace {

void Require(bool is_done) {
  if (!is_done) std::abort();  // SHA-256 cannot fail unless memory or the library is broken.
}

}  // namespace

void DigestStream::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

DigestStream::DigestStream() : context_(EVP_MD_CTX_new()) {
  Require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void DigestStream::Update(ByteSpan bytes) {
  Require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Digest DigestStream::Finish() {
  Digest digest;
  Require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1 &&
          EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  return digest;
}

Digest ComputeDigest(ByteSpan bytes) {
  DigestStream stream;
  stream.Update(bytes);
  return stream.Finish();
}

Digest ComputeDigest(std::string_view text) {
  DigestStream stream;
  stream.Update(ByteSpan(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
  return stream.Finish();
}

std::string Base64Text(ByteSpan bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
                                     static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

}  // namespace ota::server
