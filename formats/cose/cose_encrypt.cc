// SPDX-License-Identifier: Apache-2.0
#include "formats/cose/cose_encrypt.h"

#include <algorithm>

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

bool AreEqual(ByteSpan first, ByteSpan second) {
  return std::equal(first.begin(), first.end(), second.begin(), second.end());
}

struct ContentHeader {
  int64_t algorithm = 0;
  ByteSpan iv;
};

Result<ContentHeader> ReadContentHeader(CborReader& reader) {
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  ContentHeader header;
  while (map.has_next()) {
    OTA_TRY(const int64_t label, map.ReadIntegerKey());
    if (label == kCoseLabelAlgorithm) {
      OTA_TRY(header.algorithm, reader.ReadInteger());
    } else if (label == kCoseLabelIv) {
      OTA_TRY(header.iv, reader.ReadBytes(crypto::kAesBlockBytes));
    } else {
      return Status::kCoseHeaderRefused;
    }
  }
  return header;
}

Result<ContentCipher> CipherOf(ByteSpan protected_header, const ContentHeader& header) {
  const bool is_gcm = AreEqual(protected_header, kProtectedGcm) && header.algorithm == 0;
  const bool is_ctr = protected_header.empty() && header.algorithm == kCoseAlgorithmAesCtr128;
  if (!is_gcm && !is_ctr) return Status::kNotSupported;
  const size_t iv_bytes = is_gcm ? crypto::kGcmNonceBytes : crypto::kAesBlockBytes;
  if (header.iv.size() != iv_bytes) return Status::kCoseHeaderRefused;
  return is_gcm ? ContentCipher::kAesGcm : ContentCipher::kAesCtr;
}

Status ReadCoordinate(CborReader& reader, uint8_t* at) {
  OTA_TRY(const ByteSpan coordinate, reader.ReadBytes());
  if (coordinate.size() != crypto::kP256CoordinateBytes) return Status::kKeyInvalid;
  std::copy(coordinate.begin(), coordinate.end(), at);
  return Status::kOk;
}

// COSE_Key of kind EC2 on P-256, with both coordinates.
Status ReadCoseKey(CborReader& reader, crypto::P256PublicKey& key) {
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  uint32_t seen = 0;
  while (map.has_next()) {
    OTA_TRY(const int64_t label, map.ReadIntegerKey());
    if (label == kCoseKeyLabelType || label == kCoseKeyLabelCurve) {
      OTA_TRY(const int64_t value, reader.ReadInteger());
      if (value != (label == kCoseKeyLabelType ? kCoseKeyTypeEc2 : kCoseCurveP256)) {
        return Status::kNotSupported;
      }
    } else if (label == kCoseKeyLabelX) {
      OTA_TRY(ReadCoordinate(reader, key.data()));
    } else if (label == kCoseKeyLabelY) {
      OTA_TRY(ReadCoordinate(reader, key.data() + crypto::kP256CoordinateBytes));
    } else {
      return Status::kCoseHeaderRefused;
    }
    ++seen;
  }
  return seen == 4 ? Status::kOk : Status::kKeyInvalid;
}

struct RecipientHeader {
  int64_t algorithm = 0;
  bool has_ephemeral_key = false;
};

Result<RecipientHeader> ReadRecipientHeader(CborReader& reader, CoseRecipient& recipient) {
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  RecipientHeader header;
  while (map.has_next()) {
    OTA_TRY(const int64_t label, map.ReadIntegerKey());
    if (label == kCoseLabelAlgorithm) {
      OTA_TRY(header.algorithm, reader.ReadInteger());
    } else if (label == kCoseLabelKeyId) {
      OTA_TRY(recipient.key_id, reader.ReadBytes());
    } else if (label == kCoseLabelEphemeralKey) {
      OTA_TRY(ReadCoseKey(reader, recipient.ephemeral_key));
      header.has_ephemeral_key = true;
    } else {
      return Status::kCoseHeaderRefused;
    }
  }
  return header;
}

Result<CoseRecipient> DecodeRecipient(ByteSpan item) {
  CborReader reader(item);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count != 3) return Status::kNotSupported;
  OTA_TRY(const ByteSpan protected_header, reader.ReadBytes());
  CoseRecipient recipient;
  OTA_TRY(const RecipientHeader header, ReadRecipientHeader(reader, recipient));
  const bool is_wrap = protected_header.empty() && !header.has_ephemeral_key &&
                       header.algorithm == kCoseAlgorithmAesKeyWrap128;
  const bool is_ecdh = AreEqual(protected_header, kProtectedEcdhEs) && header.has_ephemeral_key &&
                       header.algorithm == 0;
  if (!is_wrap && !is_ecdh) return Status::kNotSupported;
  recipient.distribution = is_wrap ? KeyDistribution::kAesKeyWrap : KeyDistribution::kEcdhEs;
  OTA_TRY(const ByteSpan wrapped, reader.ReadBytes());
  if (wrapped.size() != crypto::kWrappedKeyBytes) return Status::kNotSupported;
  std::copy(wrapped.begin(), wrapped.end(), recipient.wrapped_key.begin());
  OTA_TRY(reader.Finish());
  return recipient;
}

// The key id, of whatever kind the recipient is.
Result<ByteSpan> ReadKeyId(ByteSpan item) {
  CborReader reader(item);
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (count < 2) return Status::kCborTypeUnexpected;
  OTA_TRY(reader.ReadItem());
  OTA_TRY(CborMapReader map, CborMapReader::Open(reader));
  while (map.has_next()) {
    OTA_TRY(const int64_t label, map.ReadIntegerKey());
    if (label == kCoseLabelKeyId) return reader.ReadBytes();
    OTA_TRY(reader.ReadItem());
  }
  return ByteSpan();
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
  CborReader reader(bytes);
  OTA_TRY(const uint64_t tag, reader.ReadTag());
  OTA_TRY(const uint32_t count, reader.ReadArrayHead());
  if (tag != kCoseTagEncrypt || count != 4) return Status::kCborTypeUnexpected;
  OTA_TRY(const ByteSpan protected_header, reader.ReadBytes());
  OTA_TRY(const ContentHeader header, ReadContentHeader(reader));
  OTA_TRY(reader.ReadNull());
  CoseEncrypt message;
  OTA_TRY(message.cipher, CipherOf(protected_header, header));
  message.iv = header.iv;
  OTA_TRY(message.recipient_count, reader.ReadArrayHead());
  const size_t begin = reader.position();
  for (uint32_t i = 0; i < message.recipient_count; ++i) OTA_TRY(reader.ReadItem());
  message.recipients = bytes.subspan(begin, reader.position() - begin);
  OTA_TRY(reader.Finish());
  return message;
}

Result<CoseRecipient> FindRecipient(const CoseEncrypt& message, ByteSpan key_id) {
  CborReader reader(message.recipients);
  for (uint32_t i = 0; i < message.recipient_count; ++i) {
    OTA_TRY(const ByteSpan item, reader.ReadItem());
    OTA_TRY(const ByteSpan found, ReadKeyId(item));
    if (AreEqual(found, key_id)) return DecodeRecipient(item);
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
