// SPDX-License-Identifier: Apache-2.0
#include "storage/model_store/image_cipher.h"

#include <algorithm>

namespace ota::storage {
namespace {

constexpr size_t kCountBytes = 4;

}  // namespace

void AesImageCipher::Apply(const crypto::AesBlock& start, uint32_t offset, MutableByteSpan bytes) {
  stream_.Restart(start);
  stream_.Apply(offset, bytes);
}

/// From a block that no image begins with, since the count of its blocks would be at its end.
uint32_t AesImageCipher::flags() {
  crypto::AesBlock start;
  start.fill(0xFF);
  uint8_t check[4] = {};
  Apply(start, 0, check);
  return LoadLe32(check) | 1;
}

crypto::AesBlock ComputeCipherStart(const RecordBytes& image) {
  const ByteSpan digest = ImageDigestOf(image);
  crypto::AesBlock start{};
  StoreLe64(start.data(), NonceOf(image));
  for (size_t i = 0; i < start.size() - kCountBytes; ++i) start[i] ^= digest[i];
  return start;
}

}  // namespace ota::storage
