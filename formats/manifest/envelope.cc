// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/envelope.h"

#include <algorithm>

#include "formats/cbor/cbor_fields.h"
#include "formats/cose/cose_sign1.h"
#include "formats/manifest/manifest.h"
#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

constexpr auto kTable =
    CborTable<CborStatuses(Status::kEnvelopePartUnknown), CborEqual(kSuitEnvelopeAuthentication),
              kCborWrapped, CborListOf(OTA_CBOR_PLACE(Envelope, block_count), 1 + kSignaturesMax),
              CborElements(OTA_CBOR_PLACE(Envelope, blocks)), CborBytes({}), kCborEnd, kCborEnd,
              CborEqual(kSuitEnvelopeManifest), CborBytes(OTA_CBOR_PLACE(Envelope, manifest)),
              kCborEnd>();

// One member name and the head of its bytes, from as many bytes as may hold them.
constexpr size_t kMemberHeadBytesMax = 2 + kUriBytesMax + 9;

}  // namespace

Status DecodeEnvelope(ByteSpan first_bytes, Envelope& envelope) {
  envelope = {};
  CborFieldReader reader(first_bytes);
  if (reader.IsNext(CborType::kTag)) {
    reader.FailUnless(reader.ReadTag() == kSuitTagEnvelope, Status::kCborTypeUnexpected);
  }
  const uint32_t payload_members = reader.BeginMap().pairs_left - 2;
  reader.FailUnless(payload_members <= 1, Status::kEnvelopePartUnknown);
  reader.Read(kTable.data(), &envelope);
  reader.FailUnless(envelope.block_count >= 2, Status::kSignatureMissing);
  OTA_TRY(reader.status());
  envelope.payload_member_count = static_cast<uint8_t>(payload_members);
  envelope.payload_member_offset = static_cast<uint32_t>(reader.position());
  const auto expected = ComputeSignedDigest(envelope.manifest);
  return AreEqual(expected, envelope.signed_digest()) ? Status::kOk : Status::kDigestMismatch;
}

Status FindPayload(ByteSource& source, const Envelope& envelope, std::string_view uri,
                   PayloadLocation& payload) {
  payload = {};
  const uint32_t offset = envelope.payload_member_offset;
  const uint32_t size_bytes = source.size_bytes();
  if (offset > size_bytes) return Status::kCborMalformed;
  const uint32_t left = size_bytes - offset;
  if (envelope.payload_member_count == 0) {
    if (!uri.empty()) return Status::kPayloadMissing;
    return left == 0 ? Status::kOk : Status::kCborTrailingBytes;
  }
  if (uri.empty()) return Status::kEnvelopePartUnknown;
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
  payload.size_bytes = left - static_cast<uint32_t>(cursor.position());
  payload.offset = size_bytes - payload.size_bytes;
  if (content_bytes == payload.size_bytes) return Status::kOk;
  return content_bytes > payload.size_bytes ? Status::kCborMalformed : Status::kCborTrailingBytes;
}

std::array<uint8_t, kSignedDigestBytes> ComputeSignedDigest(ByteSpan manifest) {
  crypto::Sha256 hash;
  UpdateWithBytes(hash, manifest);
  std::array<uint8_t, kSignedDigestBytes> bytes = {0x82, 0x2F, 0x58, crypto::kSha256Bytes};
  static_assert(kSuitDigestSha256 == -16, "whose encoding is 2F");
  hash.FinishInto(std::span(bytes).last<crypto::kSha256Bytes>());
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
