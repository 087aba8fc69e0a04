// SPDX-License-Identifier: Apache-2.0
#include "formats/manifest/envelope.h"

#include <algorithm>

#include "crypto/constant_time.h"
#include "formats/cbor/cbor_reader.h"
#include "formats/cose/cose_sign1.h"
#include "formats/manifest/manifest.h"
#include "formats/manifest/suit_labels.h"

namespace ota::formats {
namespace {

// The manifest as it is hashed: with the head of its byte string.
crypto::Sha256Digest ComputeManifestDigest(ByteSpan manifest) {
  std::array<uint8_t, 9> head;
  CborWriter writer(head);
  writer.WriteBytesHead(manifest.size());
  crypto::Sha256 hash;
  hash.Update(ByteSpan(head).first(writer.size_needed_bytes()));
  hash.Update(manifest);
  return hash.Finish();
}

Status ReadAuthentication(ByteSpan bytes, Envelope& envelope) {
  CborReader reader(bytes);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count == 0) return Status::kSignatureMissing;
  if (count > 1 + kSignaturesMax) return Status::kEnvelopePartUnknown;
  OTA_TRY(envelope.signed_digest, reader.ReadBytes());
  for (uint32_t i = 1; i < count; ++i) {
    OTA_TRY(envelope.signatures[i - 1], reader.ReadBytes());
  }
  envelope.signature_count = static_cast<uint8_t>(count - 1);
  OTA_TRY(reader.Finish());
  return count == 1 ? Status::kSignatureMissing : Status::kOk;
}

// One member name and the head of its bytes, from as many bytes as may hold them.
constexpr size_t kMemberHeadBytesMax = 2 + kUriBytesMax + 9;

struct MemberHead {
  std::string_view name;
  size_t head_bytes = 0;
  uint64_t content_bytes = 0;
};

Result<MemberHead> ReadMemberHead(ByteSpan bytes) {
  CborReader reader(bytes);
  MemberHead member;
  OTA_TRY(const CborType type, reader.PeekType());
  if (type != CborType::kText) return Status::kEnvelopePartUnknown;
  OTA_TRY(member.name, reader.ReadText(kUriBytesMax));
  OTA_TRY(member.content_bytes, reader.ReadBytesHead());
  member.head_bytes = reader.position();
  return member;
}

}  // namespace

Result<Envelope> DecodeEnvelope(ByteSpan first_bytes) {
  CborReader reader(first_bytes);
  OTA_TRY(const CborType type, reader.PeekType());
  if (type == CborType::kTag) {
    OTA_TRY(const uint64_t tag, reader.ReadTag());
    if (tag != kSuitTagEnvelope) return Status::kCborTypeUnexpected;
  }
  OTA_TRY(const uint32_t pair_count, reader.ReadMapHeadOfPart());
  if (pair_count < 2 || pair_count > 3) return Status::kEnvelopePartUnknown;
  Envelope envelope;
  for (const int64_t expected : {kSuitEnvelopeAuthentication, kSuitEnvelopeManifest}) {
    OTA_TRY(const int64_t key, reader.ReadInteger());
    if (key != expected) return Status::kEnvelopePartUnknown;
    OTA_TRY(const ByteSpan content, reader.ReadBytes());
    if (key == kSuitEnvelopeManifest) {
      envelope.manifest = content;
    } else {
      OTA_TRY(ReadAuthentication(content, envelope));
    }
  }
  envelope.payload_member_offset = static_cast<uint32_t>(reader.position());
  envelope.payload_member_count = static_cast<uint8_t>(pair_count - 2);
  const auto expected = ComputeSignedDigest(envelope.manifest);
  if (!crypto::AreEqualInConstantTime(expected, envelope.signed_digest)) {
    return Status::kDigestMismatch;
  }
  return envelope;
}

Result<PayloadLocation> FindPayload(ByteSource& source, const Envelope& envelope,
                                    std::string_view uri) {
  const uint32_t offset = envelope.payload_member_offset;
  if (!IsInBounds(offset, 0, source.size_bytes())) return Status::kCborMalformed;
  if (uri.empty() && envelope.payload_member_count != 0) return Status::kEnvelopePartUnknown;
  if (!uri.empty() && envelope.payload_member_count == 0) return Status::kPayloadMissing;
  const uint32_t left = source.size_bytes() - offset;
  if (uri.empty()) {
    return left == 0 ? Result<PayloadLocation>(PayloadLocation{}) : Status::kCborTrailingBytes;
  }
  std::array<uint8_t, kMemberHeadBytesMax> buffer;
  const MutableByteSpan head_bytes =
      MutableByteSpan(buffer).first(std::min<size_t>(left, kMemberHeadBytesMax));
  OTA_TRY(source.Read(offset, head_bytes));
  OTA_TRY(const MemberHead member, ReadMemberHead(head_bytes));
  if (member.name != uri) return Status::kPayloadMissing;
  const uint64_t end = uint64_t{member.head_bytes} + member.content_bytes;
  if (member.content_bytes > left || end > left) return Status::kCborMalformed;
  if (end != left) return Status::kCborTrailingBytes;
  return PayloadLocation{offset + static_cast<uint32_t>(member.head_bytes),
                         static_cast<uint32_t>(member.content_bytes)};
}

std::array<uint8_t, kSignedDigestBytes> ComputeSignedDigest(ByteSpan manifest) {
  std::array<uint8_t, kSignedDigestBytes> bytes = {};
  CborWriter writer(bytes);
  writer.WriteArrayHead(2);
  writer.WriteInteger(kSuitDigestSha256);
  writer.WriteBytes(ComputeManifestDigest(manifest));
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
