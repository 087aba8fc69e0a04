// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "crypto/p256.h"
#include "crypto/sha256.h"
#include "formats/cbor/cbor_writer.h"

// The SUIT envelope: signatures over a digest of the manifest, the manifest, and perhaps the
// payload. docs/formats/manifest.md says every byte.
//
// Trust: the envelope's own map is signed by nobody. So it may hold nothing but these three, and
// the payload exactly if the manifest asks for it; anything else is refused.

namespace ota::formats {

inline constexpr size_t kSignaturesMax = 4;

struct Envelope {
  uint8_t block_count = 0;             // at least 2
  uint8_t payload_member_count = 0;    // 0 or 1
  uint32_t payload_member_offset = 0;  // from the start of the envelope
  ByteSpan manifest;
  std::array<ByteSpan, 1 + kSignaturesMax> blocks = {};

  /// The encoded SUIT_Digest: what the signatures are over.
  ByteSpan signed_digest() const { return blocks[0]; }
  /// Each a COSE_Sign1.
  std::span<const ByteSpan> signatures() const {
    return std::span(blocks).subspan(1, block_count - 1u);
  }
};

/// Decodes the envelope from its first bytes, as many as hold the manifest; a payload in it may lie
/// beyond them. Has checked that the signed digest is the manifest's, but no signature.
/// kEnvelopePartUnknown: a member that this build does not know, or too many of one kind.
/// kSignatureMissing: nobody has signed. kDigestMismatch: the signed digest is that of another
/// manifest. Otherwise the statuses of CborCursor. Unless kOk, `envelope` is not to be used.
Status DecodeEnvelope(ByteSpan first_bytes, Envelope& envelope);

/// The same as a value.
inline Result<Envelope> DecodeEnvelope(ByteSpan first_bytes) {
  Envelope envelope;
  OTA_TRY(DecodeEnvelope(first_bytes, envelope));
  return envelope;
}

struct PayloadLocation {
  uint32_t offset = 0;
  uint32_t size_bytes = 0;
};

/// Where the payload that the manifest calls `uri` lies in the envelope. Give an empty `uri` when
/// the payload travels apart: then it checks that nothing follows the manifest, and gives zeros.
/// kPayloadMissing: it is not there. kEnvelopePartUnknown: a member is there that `uri` does not
/// name. kCborTrailingBytes: bytes follow the envelope. Otherwise the statuses of CborCursor and of
/// `source`.
Status FindPayload(ByteSource& source, const Envelope& envelope, std::string_view uri,
                   PayloadLocation& payload);

/// The same as a value.
inline Result<PayloadLocation> FindPayload(ByteSource& source, const Envelope& envelope,
                                           std::string_view uri) {
  PayloadLocation payload;
  OTA_TRY(FindPayload(source, envelope, uri, payload));
  return payload;
}

/// What the signers sign for `manifest`: an encoded SUIT_Digest.
inline constexpr size_t kSignedDigestBytes = 36;
std::array<uint8_t, kSignedDigestBytes> ComputeSignedDigest(ByteSpan manifest);

/// The digest that goes into ES256 for it.
crypto::Sha256Digest ComputeSigningDigest(ByteSpan manifest);

struct EnvelopeSignature {
  ByteSpan key_id;
  crypto::Es256Signature signature;
};

/// Writes an envelope. A payload that travels in it is written by its head only; its bytes come
/// after what is written. Empty `payload_uri`: none.
void WriteEnvelope(CborWriter& writer, ByteSpan manifest,
                   std::span<const EnvelopeSignature> signatures, std::string_view payload_uri = {},
                   size_t payload_size_bytes = 0);

}  // namespace ota::formats
