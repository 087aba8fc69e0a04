// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "base/bytes.h"
#include "base/result.h"
#include "crypto/aes.h"
#include "crypto/p256.h"
#include "formats/cbor/cbor_writer.h"

// COSE_Encrypt (RFC 9052, section 5.1) as SUIT uses it for payloads (draft-ietf-suit-firmware-
// encryption): one random content key encrypts the payload, which travels apart; for each
// recipient, a device or a group of them, the content key is wrapped with AES key wrap, under a key
// that both have (-3) or that both can agree on by ECDH-ES on P-256 (-29).

namespace ota::formats {

enum class ContentCipher : uint8_t {
  kAesCtr,  // random access; integrity is the image digest's
  kAesGcm,  // 16 bytes of tag after the payload
};

enum class KeyDistribution : uint8_t { kAesKeyWrap, kEcdhEs };

struct CoseEncrypt {
  ContentCipher cipher = ContentCipher::kAesCtr;
  ByteSpan iv;          // 16 bytes for counter mode, 12 for GCM
  ByteSpan recipients;  // encoded array

  // What has said so, as it was read.
  ByteSpan protected_header;
  int32_t algorithm = 0;
};

struct CoseRecipient {
  KeyDistribution distribution = KeyDistribution::kAesKeyWrap;
  ByteSpan key_id;
  crypto::P256PublicKey ephemeral_key = {};  // only with kEcdhEs
  crypto::WrappedKey wrapped_key = {};

  // What has said so, as it was read.
  ByteSpan protected_header;
  int32_t algorithm = 0;
  int32_t curve = 0;  // of the ephemeral key; 0: there is none
};

/// Decodes `bytes` (tag 96) to their end; the result points into them. The recipients are checked
/// when one is looked for. kNotSupported: another content cipher. kCoseHeaderRefused: a header with
/// parts that this build does not know. Otherwise the statuses of CborCursor. Unless kOk, `message`
/// is not to be used.
Status DecodeCoseEncrypt(ByteSpan bytes, CoseEncrypt& message);

/// The same as a value.
inline Result<CoseEncrypt> DecodeCoseEncrypt(ByteSpan bytes) {
  CoseEncrypt message;
  OTA_TRY(DecodeCoseEncrypt(bytes, message));
  return message;
}

/// The first recipient with that key id. kCoseRecipientMissing: there is none. kNotSupported: it is
/// there, but gets its key in another way. kCoseHeaderRefused: a header with parts that this build
/// does not know. kKeyInvalid: its ephemeral key is no point. Unless kOk, `recipient` is not to be
/// used.
Status FindRecipient(const CoseEncrypt& message, ByteSpan key_id, CoseRecipient& recipient);

/// The same as a value.
inline Result<CoseRecipient> FindRecipient(const CoseEncrypt& message, ByteSpan key_id) {
  CoseRecipient recipient;
  OTA_TRY(FindRecipient(message, key_id, recipient));
  return recipient;
}

/// Writes the message for the given recipients. `iv` has the length that the cipher wants.
void WriteCoseEncrypt(CborWriter& writer, ContentCipher cipher, ByteSpan iv,
                      std::span<const CoseRecipient> recipients);

/// What GCM authenticates besides the payload: the Enc_structure of RFC 9052, section 5.3.
inline constexpr uint8_t kGcmAssociatedData[] = {0x83, 0x67, 'E',  'n',  'c',  'r',  'y',
                                                 'p',  't',  0x43, 0xA1, 0x01, 0x01, 0x40};

/// The context information from which ECDH-ES derives the wrapping key (RFC 9053, section 5.2, with
/// the text that the SUIT draft puts in).
/// [-3, [nil, nil, nil], [nil, nil, nil], [128, h'A101381C', 'SUIT Payload Encryption']].
inline constexpr uint8_t kEcdhContextInfo[] = {
    0x84, 0x22, 0x83, 0xF6, 0xF6, 0xF6, 0x83, 0xF6, 0xF6, 0xF6, 0x83, 0x18, 0x80, 0x44,
    0xA1, 0x01, 0x38, 0x1C, 0x57, 'S',  'U',  'I',  'T',  ' ',  'P',  'a',  'y',  'l',
    'o',  'a',  'd',  ' ',  'E',  'n',  'c',  'r',  'y',  'p',  't',  'i',  'o',  'n'};

}  // namespace ota::formats
