// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/aes.h"
#include "storage/model_store/record.h"

// Encryption of images at rest, with the key of the device: what is read from the medium by other
// means tells nothing of a model but its name, size and digest. That the bytes are the right ones
// is the digest's business, which is of the plain bytes.

namespace ota::storage {

/// What a store asks a cipher.
class ImageCipher {
 public:
  /// Encrypts or decrypts in place the bytes at `offset` of the image that `start` stands for.
  virtual void Apply(const crypto::AesBlock& start, uint32_t offset, MutableByteSpan bytes) = 0;

  /// What the head of a store says that was made with it: bit 0, and 31 bits that tell keys apart.
  virtual uint32_t flags() = 0;

 protected:
  ~ImageCipher() = default;
};

/// AES-128 in counter mode.
class AesImageCipher final : public ImageCipher {
 public:
  explicit AesImageCipher(const crypto::AesKey& key) : stream_(key, {}) {}

  void Apply(const crypto::AesBlock& start, uint32_t offset, MutableByteSpan bytes) override;
  uint32_t flags() override;

 private:
  crypto::AesCtr stream_;
};

/// The initial counter of an image, never the same for two that differ: their digests do, and its
/// nonce is of this image alone. The last four bytes are 0, and count the blocks.
crypto::AesBlock ComputeCipherStart(const RecordBytes& image);

}  // namespace ota::storage
