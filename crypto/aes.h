// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>

#include "base/bytes.h"

// AES-128 (FIPS 197) in the modes that payloads and keys travel in: counter mode and GCM
// (SP 800-38A, 38D) and key wrap (RFC 3394). Keys in the objects are wiped when these go.

namespace ota::crypto {

inline constexpr size_t kAesBlockBytes = 16;
inline constexpr size_t kGcmNonceBytes = 12;
inline constexpr size_t kWrappedKeyBytes = 24;

using AesKey = std::array<uint8_t, 16>;
using AesBlock = std::array<uint8_t, kAesBlockBytes>;
using GcmNonce = std::array<uint8_t, kGcmNonceBytes>;
using WrappedKey = std::array<uint8_t, kWrappedKeyBytes>;

/// Counter mode with random access: byte `offset` of the stream is the same whenever it is asked
/// for, so that a download resumes and a model at rest is read in any order. The counter block is
/// the initial one, as a big-endian number, plus the number of the block. No integrity: what it
/// gives is only as good as the digest that is checked over it.
class AesCtr {
 public:
  AesCtr(const AesKey& key, const AesBlock& initial_counter);
  ~AesCtr();
  AesCtr(const AesCtr&) = delete;
  AesCtr& operator=(const AesCtr&) = delete;

  /// Goes over to the stream of another initial counter.
  void Restart(const AesBlock& initial_counter) { initial_counter_ = initial_counter; }

  /// Encrypts or decrypts in place the bytes that stand at `offset` of the stream.
  void Apply(uint64_t offset, MutableByteSpan bytes);

 private:
  alignas(8) std::array<uint8_t, 296> context_;
  AesBlock initial_counter_;
};

/// GCM decryption of a stream. What Update gives is not authentic until Finish has said so.
class AesGcmDecryption {
 public:
  AesGcmDecryption() = default;
  ~AesGcmDecryption();
  AesGcmDecryption(const AesGcmDecryption&) = delete;
  AesGcmDecryption& operator=(const AesGcmDecryption&) = delete;

  /// Starts; drops one in progress. kCryptoMemoryFull: nothing is started.
  Status Begin(const AesKey& key, const GcmNonce& nonce, ByteSpan associated_data);

  /// Decrypts in place. All calls but the last one must have a multiple of 16 bytes.
  /// kWrongState: none in progress, or the call before had an odd length.
  Status Update(MutableByteSpan bytes);

  /// Ends it. kDecryptionFailed: key, nonce, associated data, bytes or `tag` are not what they
  /// were.
  Status Finish(const AesBlock& tag);

  void Abandon();

 private:
  alignas(8) std::array<uint8_t, 480> context_ = {};
  bool is_in_progress_ = false;
};

/// GCM of bytes in memory, in place; gives the tag. kCryptoMemoryFull: nothing was done.
Status EncryptAesGcm(const AesKey& key, const GcmNonce& nonce, ByteSpan associated_data,
                     MutableByteSpan bytes, AesBlock& tag);

/// Wraps a 16-byte key (RFC 3394, section 2.2.1).
WrappedKey WrapAesKey(const AesKey& wrapping_key, const AesKey& key);

/// kDecryptionFailed: `wrapped` was not made with `wrapping_key`, or was changed since; `key` is
/// unchanged.
Status UnwrapAesKey(const AesKey& wrapping_key, const WrappedKey& wrapped, AesKey& key);

}  // namespace ota::crypto
