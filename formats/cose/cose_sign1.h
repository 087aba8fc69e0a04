// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/p256.h"
#include "crypto/sha256.h"
#include "formats/cbor/cbor_writer.h"

// COSE_Sign1 (RFC 9052, section 4.2) with ECDSA on P-256 and SHA-256, always with its tag 18.
//
// The algorithm stands in the protected header and nowhere else, as ES256 (-7) or, with the curve
// in its name, ESP256 (-9); both are the same computation. The key decides whether it may be used;
// the message cannot choose another. The unprotected header, which nobody signs, may hold a key id
// and nothing else, so that no bit of a message can change without effect.

namespace ota::formats {

struct CoseSign1 {
  ByteSpan protected_header;  // as received: it is what was signed
  ByteSpan key_id;            // empty: none was given
  ByteSpan payload;           // meaningless when detached
  ByteSpan signature;         // r, then s; 64 bytes
  bool is_detached = false;
};

inline constexpr size_t kCoseKeyIdBytesMax = 32;

/// Decodes `bytes` to their end; `message` points into them.
/// kSignatureAlgorithmRefused: another algorithm, or none. kCoseHeaderRefused: a critical or an
/// unsigned part that this build does not know. kSignatureInvalid: not 64 bytes of signature.
/// Otherwise the statuses of CborCursor. Unless kOk, `message` is not to be used.
Status DecodeCoseSign1(ByteSpan bytes, CoseSign1& message);

/// The same as a value.
inline Result<CoseSign1> DecodeCoseSign1(ByteSpan bytes) {
  CoseSign1 message;
  OTA_TRY(DecodeCoseSign1(bytes, message));
  return message;
}

/// Hashes `bytes` as a CBOR byte string, head and all: so COSE and SUIT hash what they hold.
void UpdateWithBytes(crypto::Sha256& hash, ByteSpan bytes);

/// The digest that is signed: of the Sig_structure of RFC 9052, section 4.4. `external_data` says
/// what the signature is for, where the payload does not say it itself.
crypto::Sha256Digest ComputeSign1Digest(ByteSpan protected_header, ByteSpan external_data,
                                        ByteSpan payload);

/// The protected header that our signers use: {1: -7}.
ByteSpan Es256ProtectedHeader();

/// Writes a message with that header. An empty `key_id` is left out.
void WriteCoseSign1(CborWriter& writer, ByteSpan key_id, ByteSpan payload,
                    const crypto::Es256Signature& signature);
void WriteDetachedCoseSign1(CborWriter& writer, ByteSpan key_id,
                            const crypto::Es256Signature& signature);

}  // namespace ota::formats
