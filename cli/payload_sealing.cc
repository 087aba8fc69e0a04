// SPDX-License-Identifier: Apache-2.0
#include "cli/payload_sealing.h"

#include <algorithm>
#include <memory>
#include <optional>

#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/model_file.h"
#include "crypto/constant_time.h"
#include "crypto/ecdh.h"
#include "crypto/host/os_entropy.h"
#include "crypto/host/pem_key.h"
#include "crypto/host/token_key.h"
#include "formats/cose/content_key.h"

namespace ota::cli {
namespace {

using formats::Bytes;
using formats::ContentCipher;
using formats::CoseRecipient;
using formats::KeyDistribution;

constexpr std::string_view kGroupKeyBegin = "ota-tinyml group key, AES-128: ";

void FillRandom(MutableByteSpan bytes) {
  crypto::OsEntropy entropy;
  if (!IsOk(entropy.Fill(bytes))) throw CommandError("the system's random generator failed");
}

// None if the file is none of group keys.
std::optional<crypto::AesKey> FindGroupKey(const std::string& path) {
  if (crypto::IsTokenUri(path)) return std::nullopt;
  const Bytes bytes = ReadFile(path);
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kGroupKeyBegin)) return std::nullopt;
  text.remove_prefix(kGroupKeyBegin.size());
  if (text.ends_with('\n')) text.remove_suffix(1);
  crypto::AesKey key;
  if (IsOk(crypto::DecodeHex(text, key))) return key;
  throw CommandError(path + " is a damaged group key: 32 hexadecimal digits must stand in it");
}

CoseRecipient WrapForGroup(const crypto::AesKey& group_key, const crypto::AesKey& content_key) {
  CoseRecipient recipient;
  recipient.distribution = KeyDistribution::kAesKeyWrap;
  recipient.wrapped_key = crypto::WrapAesKey(group_key, content_key);
  return recipient;
}

CoseRecipient WrapForDevice(const crypto::P256PublicKey& device,
                            const crypto::AesKey& content_key) {
  crypto::OsEntropy entropy;
  const auto ephemeral = crypto::PemKey::Generate();
  if (!ephemeral.ok()) throw CommandError("the system's random generator failed");
  crypto::EcdhAgreement agreement(entropy);
  crypto::EcdhSecret secret;
  CoseRecipient recipient;
  recipient.distribution = KeyDistribution::kEcdhEs;
  recipient.ephemeral_key = (*ephemeral)->public_key();
  const bool is_wrapped = IsOk(agreement.Begin(*(*ephemeral)->private_key(), device)) &&
                          IsOk(agreement.Step(0, secret)) &&
                          IsOk(formats::WrapContentKey(secret, content_key, recipient.wrapped_key));
  if (!is_wrapped) throw CommandError("a recipient's key is not usable");
  return recipient;
}

// The recipient but for its key id, which goes to `key_id`.
CoseRecipient WrapFor(const std::string& path, const crypto::AesKey& content_key,
                      formats::KeyId& key_id) {
  if (const auto group_key = FindGroupKey(path)) {
    key_id = formats::ComputeKeyId(*group_key);
    return WrapForGroup(*group_key, content_key);
  }
  const crypto::P256PublicKey key = LoadPublicKey(path);
  key_id = formats::ComputeKeyId(key);
  return WrapForDevice(key, content_key);
}

// Encrypts in place and returns the IV.
Bytes Encrypt(ContentCipher cipher, const crypto::AesKey& key, Bytes& payload) {
  if (cipher == ContentCipher::kAesCtr) {
    crypto::AesBlock counter;
    FillRandom(counter);
    crypto::AesCtr(key, counter).Apply(0, payload);
    return {counter.begin(), counter.end()};
  }
  crypto::GcmNonce nonce;
  crypto::AesBlock tag;
  FillRandom(nonce);
  if (!IsOk(crypto::EncryptAesGcm(key, nonce, formats::kGcmAssociatedData, payload, tag))) {
    throw CommandError("the payload could not be encrypted");
  }
  payload.insert(payload.end(), tag.begin(), tag.end());
  return {nonce.begin(), nonce.end()};
}

}  // namespace

formats::KeyId WriteGroupKey(const std::string& path) {
  if (crypto::IsTokenUri(path)) throw CommandError("a group key lies in a file, not in a token", 2);
  crypto::AesKey key;
  FillRandom(key);
  const std::string text = std::string(kGroupKeyBegin) + crypto::HexText(key) + '\n';
  WriteNewFile(path, text, FileUse::kSecret);
  return formats::ComputeKeyId(key);
}

agent::DecryptionKey LoadPayloadKey(const std::string& path, formats::KeyId& key_id) {
  agent::DecryptionKey loaded;
  if (const auto group_key = FindGroupKey(path)) {
    key_id = formats::ComputeKeyId(*group_key);
    loaded.distribution = KeyDistribution::kAesKeyWrap;
    loaded.shared_key = *group_key;
  } else {
    const std::unique_ptr<crypto::PemKey> key = LoadKeyFile(path);
    const Result<crypto::P256PrivateKey> scalar = key->private_key();
    if (!scalar.ok()) throw CommandError(path + " holds no key that can be used for payloads");
    key_id = formats::ComputeKeyId(key->public_key());
    loaded.private_key = *scalar;
  }
  loaded.key_id = key_id;
  return loaded;
}

Bytes SealPayload(ContentCipher cipher, const std::vector<std::string>& recipients,
                  Bytes& payload) {
  crypto::AesKey content_key;
  FillRandom(content_key);
  std::vector<formats::KeyId> key_ids(recipients.size());
  std::vector<CoseRecipient> wrapped;
  for (size_t i = 0; i < recipients.size(); ++i) {
    wrapped.push_back(WrapFor(recipients[i], content_key, key_ids[i]));
    wrapped.back().key_id = key_ids[i];
  }
  const Bytes iv = Encrypt(cipher, content_key, payload);
  crypto::WipeBytes(content_key);
  Bytes info(64 + 160 * wrapped.size());
  formats::CborWriter writer(info);
  formats::WriteCoseEncrypt(writer, cipher, iv, wrapped);
  info.resize(writer.size_needed_bytes());
  return info;
}

}  // namespace ota::cli
