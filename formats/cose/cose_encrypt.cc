// SPDX-License-Identifier: Apache-2.0
#include "formats/cose/cose_encrypt.h"

#include <algorithm>

#include "formats/cbor/cbor_cursor.h"
#include "formats/cose/cose_labels.h"

namespace ota::formats {
namespace {

constexpr uint8_t kProtectedGcm[] = {0xA1, 0x01, 0x01};
constexpr uint8_t kProtectedEcdhEs[] = {0xA1, 0x01, 0x38, 0x1C};
constexpr uint8_t kGcmAssociatedData[] = {0x83, 0x67, 'E',  'n',  'c',  'r',  'y',
                                          'p',  't',  0x43, 0xA1, 0x01, 0x01, 0x40};
// [-3, [nil, nil, nil], [nil, nil, nil], [128, h'A101381C', 'SUIT Payload Encryption']]
constexpr uint8_t kEcdhContextInfo[] = {
    0x84, 0x22, 0x83, 0xF6, 0xF6, 0xF6, 0x83, 0xF6, 0xF6, 0xF6, 0x83, 0x18, 0x80, 0x44,
    0xA1, 0x01, 0x38, 0x1C, 0x57, 'S',  'U',  'I',  'T',  ' ',  'P',  'a',  'y',  'l',
    'o',  'a',  'd',  ' ',  'E',  'n',  'c',  'r',  'y',  'p',  't',  'i',  'o',  'n'};

void ReadContentHeader(CborCursor& cursor, int32_t& algorithm, ByteSpan& iv) {
  CborCursor::Map map = cursor.BeginMap();
  for (int32_t label; cursor.NextKey(map, label);) {
    if (label == kCoseLabelAlgorithm) {
      algorithm = cursor.ReadInteger();
    } else {
      cursor.FailUnless(label == kCoseLabelIv, Status::kCoseHeaderRefused);
      cursor.ReadBytes(iv, crypto::kAesBlockBytes);
    }
  }
}

void ReadCoordinate(CborCursor& cursor, uint8_t* at) {
  ByteSpan coordinate;
  cursor.ReadBytesOfSize(coordinate, crypto::kP256CoordinateBytes, Status::kKeyInvalid);
  std::copy(coordinate.begin(), coordinate.end(), at);
}

// COSE_Key of kind EC2 on P-256, with both coordinates. Four keys are exactly these, since each
// is there once.
void ReadCoseKey(CborCursor& cursor, crypto::P256PublicKey& key) {
  CborCursor::Map map = cursor.BeginMap();
  cursor.FailUnless(map.pairs_left == 4, Status::kKeyInvalid);
  for (int32_t label; cursor.NextKey(map, label);) {
    switch (label) {
      case kCoseKeyLabelType:
        cursor.FailUnless(cursor.ReadInteger() == kCoseKeyTypeEc2, Status::kNotSupported);
        break;
      case kCoseKeyLabelCurve:
        cursor.FailUnless(cursor.ReadInteger() == kCoseCurveP256, Status::kNotSupported);
        break;
      case kCoseKeyLabelX:
        ReadCoordinate(cursor, key.data());
        break;
      case kCoseKeyLabelY:
        ReadCoordinate(cursor, key.data() + crypto::kP256CoordinateBytes);
        break;
      default:
        cursor.Fail(Status::kCoseHeaderRefused);
    }
  }
}

struct RecipientHeader {
  int32_t algorithm = 0;
  bool has_ephemeral_key = false;
};

void ReadRecipientHeader(CborCursor& cursor, CoseRecipient& recipient, RecipientHeader& header) {
  CborCursor::Map map = cursor.BeginMap();
  for (int32_t label; cursor.NextKey(map, label);) {
    switch (label) {
      case kCoseLabelAlgorithm:
        header.algorithm = cursor.ReadInteger();
        break;
      case kCoseLabelKeyId:
        cursor.ReadBytes(recipient.key_id);
        break;
      case kCoseLabelEphemeralKey:
        ReadCoseKey(cursor, recipient.ephemeral_key);
        header.has_ephemeral_key = true;
        break;
      default:
        cursor.Fail(Status::kCoseHeaderRefused);
    }
  }
}

Status DecodeRecipient(ByteSpan item, CoseRecipient& recipient) {
  CborCursor cursor(item);
  ByteSpan protected_header;
  RecipientHeader header;
  cursor.ReadArrayOf(3, Status::kNotSupported);
  cursor.ReadBytes(protected_header);
  ReadRecipientHeader(cursor, recipient, header);
  const bool is_wrap = protected_header.empty() && !header.has_ephemeral_key &&
                       header.algorithm == kCoseAlgorithmAesKeyWrap128;
  const bool is_ecdh = AreEqual(protected_header, kProtectedEcdhEs) && header.has_ephemeral_key &&
                       header.algorithm == 0;
  cursor.FailUnless(is_wrap || is_ecdh, Status::kNotSupported);
  recipient.distribution = is_wrap ? KeyDistribution::kAesKeyWrap : KeyDistribution::kEcdhEs;
  ByteSpan wrapped;
  cursor.ReadBytesOfSize(wrapped, crypto::kWrappedKeyBytes, Status::kNotSupported);
  std::copy(wrapped.begin(), wrapped.end(), recipient.wrapped_key.begin());
  return cursor.Finish();
}

// The key id, of whatever kind the recipient is.
ByteSpan FindKeyId(ByteSpan item) {
  CborCursor cursor(item);
  cursor.ReadArrayHead();
  cursor.SkipItem();
  CborCursor::Map map = cursor.BeginMap();
  ByteSpan key_id;
  for (int32_t label; cursor.NextKey(map, label);) {
    if (label != kCoseLabelKeyId) {
      cursor.SkipItem();
      continue;
    }
    cursor.ReadBytes(key_id);
    break;
  }
  return key_id;
}

void WriteRecipient(CborWriter& writer, const CoseRecipient& recipient) {
  const bool is_ecdh = recipient.distribution == KeyDistribution::kEcdhEs;
  writer.WriteArrayHead(3);
  writer.WriteBytes(is_ecdh ? ByteSpan(kProtectedEcdhEs) : ByteSpan());
  writer.WriteMapHead(2);
  if (!is_ecdh) {
    writer.WriteInteger(kCoseLabelAlgorithm);
    writer.WriteInteger(kCoseAlgorithmAesKeyWrap128);
  }
  writer.WriteInteger(kCoseLabelKeyId);
  writer.WriteBytes(recipient.key_id);
  if (is_ecdh) {
    const ByteSpan key = recipient.ephemeral_key;
    writer.WriteInteger(kCoseLabelEphemeralKey);
    writer.WriteMapHead(4);
    writer.WriteInteger(kCoseKeyLabelType);
    writer.WriteInteger(kCoseKeyTypeEc2);
    writer.WriteInteger(kCoseKeyLabelCurve);
    writer.WriteInteger(kCoseCurveP256);
    writer.WriteInteger(kCoseKeyLabelX);
    writer.WriteBytes(key.first(crypto::kP256CoordinateBytes));
    writer.WriteInteger(kCoseKeyLabelY);
    writer.WriteBytes(key.last(crypto::kP256CoordinateBytes));
  }
  writer.WriteBytes(recipient.wrapped_key);
}

}  // namespace

Result<CoseEncrypt> DecodeCoseEncrypt(ByteSpan bytes) {
  CborCursor cursor(bytes);
  CoseEncrypt message;
  ByteSpan protected_header;
  int32_t algorithm = 0;
  cursor.FailUnless(cursor.ReadTag() == kCoseTagEncrypt, Status::kCborTypeUnexpected);
  cursor.ReadArrayOf(4, Status::kCborTypeUnexpected);
  cursor.ReadBytes(protected_header);
  ReadContentHeader(cursor, algorithm, message.iv);
  cursor.ReadNull();
  const bool is_gcm = AreEqual(protected_header, kProtectedGcm) && algorithm == 0;
  const bool is_ctr = protected_header.empty() && algorithm == kCoseAlgorithmAesCtr128;
  cursor.FailUnless(is_gcm || is_ctr, Status::kNotSupported);
  const size_t iv_bytes = is_gcm ? crypto::kGcmNonceBytes : crypto::kAesBlockBytes;
  cursor.FailUnless(message.iv.size() == iv_bytes, Status::kCoseHeaderRefused);
  message.cipher = is_gcm ? ContentCipher::kAesGcm : ContentCipher::kAesCtr;
  message.recipient_count = cursor.ReadArrayHead();
  const size_t begin = cursor.position();
  for (uint32_t i = 0; i < message.recipient_count; ++i) cursor.SkipItem();
  OTA_TRY(cursor.Finish());
  message.recipients = bytes.subspan(begin);
  return message;
}

Result<CoseRecipient> FindRecipient(const CoseEncrypt& message, ByteSpan key_id) {
  CborCursor cursor(message.recipients);
  for (uint32_t i = 0; i < message.recipient_count; ++i) {
    ByteSpan item;
    cursor.ReadItem(item);
    if (!AreEqual(FindKeyId(item), key_id)) continue;
    CoseRecipient recipient;
    OTA_TRY(DecodeRecipient(item, recipient));
    return recipient;
  }
  return Status::kCoseRecipientMissing;
}

void WriteCoseEncrypt(CborWriter& writer, ContentCipher cipher, ByteSpan iv,
                      std::span<const CoseRecipient> recipients) {
  const bool is_gcm = cipher == ContentCipher::kAesGcm;
  writer.WriteTag(kCoseTagEncrypt);
  writer.WriteArrayHead(4);
  writer.WriteBytes(is_gcm ? ByteSpan(kProtectedGcm) : ByteSpan());
  writer.WriteMapHead(is_gcm ? 1 : 2);
  if (!is_gcm) {
    writer.WriteInteger(kCoseLabelAlgorithm);
    writer.WriteInteger(kCoseAlgorithmAesCtr128);
  }
  writer.WriteInteger(kCoseLabelIv);
  writer.WriteBytes(iv);
  writer.WriteNull();
  writer.WriteArrayHead(recipients.size());
  for (const CoseRecipient& recipient : recipients) WriteRecipient(writer, recipient);
}

ByteSpan GcmAssociatedData() { return kGcmAssociatedData; }

ByteSpan EcdhContextInfo() { return kEcdhContextInfo; }

}  // namespace ota::formats
