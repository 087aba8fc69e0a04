// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/envelope.h"

#include <algorithm>

#include "formats/cbor/cbor_cursor.h"
#include "formats/cose/cose_sign1.h"
#include "formats/manifest/manifest.h"
#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

void ReadAuthentication(CborCursor& cursor, Envelope& envelope) {
  const uint8_t* const end = cursor.Enter();
  const uint32_t count = cursor.ReadArrayHead();
  cursor.FailUnless(count >= 2, Status::kSignatureMissing);
  if (count > 1 + kSignaturesMax) return cursor.Fail(Status::kEnvelopePartUnknown);
  cursor.ReadBytes(envelope.signed_digest);
  for (uint32_t i = 1; i < count; ++i) cursor.ReadBytes(envelope.signatures[i - 1]);
  envelope.signature_count = static_cast<uint8_t>(count - 1);
  cursor.Leave(end);
}

// One member name and the head of its bytes, from as many bytes as may hold them.
constexpr size_t kMemberHeadBytesMax = 2 + kUriBytesMax + 9;

}  // namespace

Status DecodeEnvelope(ByteSpan first_bytes, Envelope& envelope) {
  envelope = {};
  CborCursor cursor(first_bytes);
  if (cursor.IsNext(CborType::kTag)) {
    cursor.FailUnless(cursor.ReadTag() == kSuitTagEnvelope, Status::kCborTypeUnexpected);
  }
  CborCursor::Map map = cursor.BeginMap();
  cursor.FailUnless(map.pairs_left == 2 || map.pairs_left == 3, Status::kEnvelopePartUnknown);
  envelope.payload_member_count = static_cast<uint8_t>(map.pairs_left - 2);
  cursor.FailUnless(cursor.ReadInteger() == kSuitEnvelopeAuthentication,
                    Status::kEnvelopePartUnknown);
  ReadAuthentication(cursor, envelope);
  cursor.FailUnless(cursor.ReadInteger() == kSuitEnvelopeManifest, Status::kEnvelopePartUnknown);
  cursor.ReadBytes(envelope.manifest);
  OTA_TRY(cursor.status());
  envelope.payload_member_offset = static_cast<uint32_t>(cursor.position());
  const auto expected = ComputeSignedDigest(envelope.manifest);
  return AreEqual(expected, envelope.signed_digest) ? Status::kOk : Status::kDigestMismatch;
}

Result<PayloadLocation> FindPayload(ByteSource& source, const Envelope& envelope,
                                    std::string_view uri) {
  const uint32_t offset = envelope.payload_member_offset;
  if (offset > source.size_bytes()) return Status::kCborMalformed;
  const uint32_t left = source.size_bytes() - offset;
  PayloadLocation payload;
  if (uri.empty()) {
    if (envelope.payload_member_count != 0) return Status::kEnvelopePartUnknown;
    return left == 0 ? Result<PayloadLocation>(payload) : Status::kCborTrailingBytes;
  }
  if (envelope.payload_member_count == 0) return Status::kPayloadMissing;
  std::array<uint8_t, kMemberHeadBytesMax> buffer;
  const MutableByteSpan head_bytes =
      MutableByteSpan(buffer).first(std::min<size_t>(left, kMemberHeadBytesMax));
  OTA_TRY(source.Read(offset, head_bytes));
  CborCursor cursor(head_bytes);
  cursor.FailUnless(cursor.IsNext(CborType::kText), Status::kEnvelopePartUnknown);
  std::string_view name;
  cursor.ReadText(name, kUriBytesMax);
  const uint64_t content_bytes = cursor.ReadBytesHead();
  OTA_TRY(cursor.status());
  if (name != uri) return Status::kPayloadMissing;
  const auto member_head_bytes = static_cast<uint32_t>(cursor.position());
  const uint32_t content_left = left - member_head_bytes;
  if (content_bytes != content_left) {
    return content_bytes > content_left ? Status::kCborMalformed : Status::kCborTrailingBytes;
  }
  payload.offset = offset + member_head_bytes;
  payload.size_bytes = content_left;
  return payload;
}

std::array<uint8_t, kSignedDigestBytes> ComputeSignedDigest(ByteSpan manifest) {
  crypto::Sha256 hash;
  UpdateWithBytes(hash, manifest);
  std::array<uint8_t, kSignedDigestBytes> bytes = {};
  CborWriter writer(bytes);
  writer.WriteArrayHead(2);
  writer.WriteInteger(kSuitDigestSha256);
  writer.WriteBytes(hash.Finish());
  return bytes;
}

crypto::Sha256Digest ComputeSigningDigest(ByteSpan manifest) {
  return ComputeSign1Digest(Es256ProtectedHeader(), {}, ComputeSignedDigest(manifest));
}

void WriteEnvelope(CborWriter& writer, ByteSpan manifest,
                   std::span<const EnvelopeSignature> signatures, std::string_view payload_uri,
                   size_t payload_size_bytes) {
  writer.WriteTag(kSuitTagEnvelope);
  writer.WriteMapHead(payload_uri.empty() ? 2 : 3);
  writer.WriteInteger(kSuitEnvelopeAuthentication);
  const size_t authentication = writer.BeginWrapped();
  writer.WriteArrayHead(1 + signatures.size());
  writer.WriteBytes(ComputeSignedDigest(manifest));
  for (const EnvelopeSignature& signature : signatures) {
    const size_t block = writer.BeginWrapped();
    WriteDetachedCoseSign1(writer, signature.key_id, signature.signature);
    writer.EndWrapped(block);
  }
  writer.EndWrapped(authentication);
  writer.WriteInteger(kSuitEnvelopeManifest);
  writer.WriteBytes(manifest);
  if (payload_uri.empty()) return;
  writer.WriteText(payload_uri);
  writer.WriteBytesHead(payload_size_bytes);
}

}  // namespace ota::formats
