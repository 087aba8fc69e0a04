// SPDX-License-Identifier: Apache-2.0
#include "agent/update/payload_stage.h"

#include <algorithm>

#include "agent/update/digest_tag.h"
#include "crypto/constant_time.h"

namespace ota::agent {
namespace {

// GCM counts its blocks from 2 on, in the last four bytes (SP 800-38D, 7.1); the first is the
// tag's.
constexpr uint8_t kGcmFirstBlock = 2;

}  // namespace

PayloadStage::~PayloadStage() { crypto::WipeBytes(piece_); }

Status PayloadStage::Prepare(const formats::Manifest& manifest, ByteSpan integrated) {
  integrated_ = integrated;
  image_bytes_ = manifest.image_size_bytes;
  payload_bytes_ = manifest.payload_size_bytes;
  is_encrypted_ = !manifest.encryption_info.empty();
  cipher_.reset();
  is_opening_ = false;
  if (!integrated.empty() && integrated.size() != payload_bytes_) return Status::kImageSizeMismatch;
  return is_encrypted_ ? PrepareKey(manifest) : Status::kOk;
}

Status PayloadStage::PrepareKey(const formats::Manifest& manifest) {
  OTA_TRY(const formats::CoseEncrypt message, formats::DecodeCoseEncrypt(manifest.encryption_info));
  const bool is_gcm = message.cipher == formats::ContentCipher::kAesGcm;
  const size_t tag_bytes = is_gcm ? crypto::kAesBlockBytes : 0;
  if (payload_bytes_ != uint64_t{image_bytes_} + tag_bytes) return Status::kImageSizeMismatch;
  if (manifest.payload_digest.size() != crypto::kSha256Bytes) return Status::kManifestMalformed;
  crypto::Sha256Digest digest;
  std::copy(manifest.payload_digest.begin(), manifest.payload_digest.end(), digest.begin());
  FormatDigestTag(digest, payload_tag_);
  initial_counter_ = {};
  std::copy(message.iv.begin(), message.iv.end(), initial_counter_.begin());
  if (is_gcm) initial_counter_.back() = kGcmFirstBlock;
  for (const DecryptionKey& key : keys_) {
    const Result<formats::CoseRecipient> recipient = formats::FindRecipient(message, key.key_id);
    if (recipient.status() == Status::kCoseRecipientMissing) continue;
    if (!recipient.ok()) return recipient.status();
    if (recipient->distribution != key.distribution) continue;
    return BeginOpening(*recipient, key);
  }
  return Status::kCoseRecipientMissing;
}

Status PayloadStage::BeginOpening(const formats::CoseRecipient& recipient,
                                  const DecryptionKey& key) {
  if (key.distribution == formats::KeyDistribution::kEcdhEs) {
    OTA_TRY(opening_.Begin(recipient, key.private_key));
  } else {
    OTA_TRY(opening_.Begin(recipient, key.shared_key));
  }
  is_opening_ = true;
  return Status::kOk;
}

Status PayloadStage::OpenKey(uint32_t operations_max) {
  if (!is_encrypted_ || cipher_.has_value()) return Status::kOk;
  if (!is_opening_) return Status::kWrongState;
  crypto::AesKey key = {};
  const Status status = opening_.Step(operations_max, key);
  if (status == Status::kBusy) return status;
  is_opening_ = false;
  OTA_TRY(status);
  cipher_.emplace(key, initial_counter_);
  crypto::WipeBytes(key);
  return Status::kOk;
}

void PayloadStage::Start(const Request& request) {
  has_started_ = false;
  wanted_offset_ = request.offset;
  at_ = request.offset;
  encrypted_ = {};
  if (!integrated_.empty()) return;
  Request translated = request;
  if (is_encrypted_ && !request.validator.empty()) {
    translated.validator = {payload_tag_.data(), payload_tag_.size()};
  }
  network_.Start(translated);
}

Result<PayloadSource::Event> PayloadStage::Step() {
  if (is_encrypted_ && !cipher_.has_value()) return Status::kWrongState;
  if (!encrypted_.empty()) return GivePiece();
  return integrated_.empty() ? StepNetwork() : StepIntegrated();
}

Result<PayloadSource::Event> PayloadStage::StepIntegrated() {
  if (!has_started_) {
    has_started_ = true;
    return Event{EventKind::kStart, {}};
  }
  if (at_ >= image_bytes_) return Event{EventKind::kEnd, {}};
  const ByteSpan rest = integrated_.subspan(at_, image_bytes_ - at_);
  if (!is_encrypted_) {
    at_ = image_bytes_;
    return Event{EventKind::kData, rest};
  }
  encrypted_ = rest;
  return GivePiece();
}

Result<PayloadSource::Event> PayloadStage::StepNetwork() {
  OTA_TRY(const Event event, network_.Step());
  if (!is_encrypted_) return event;
  if (event.kind == EventKind::kStart) {
    const std::string_view expected(payload_tag_.data(), payload_tag_.size());
    const bool is_other = !network_.validator().empty() && network_.validator() != expected;
    if (is_other && wanted_offset_ != 0) return Status::kArtifactChanged;
    at_ = network_.first_offset();
    return event;
  }
  if (event.kind == EventKind::kEnd) return event;
  const size_t left = image_bytes_ - std::min(at_, image_bytes_);
  encrypted_ = event.data.first(std::min(left, event.data.size()));
  if (encrypted_.empty()) return Status::kBusy;  // the tag of GCM, which is not looked at
  return GivePiece();
}

PayloadSource::Event PayloadStage::GivePiece() {
  const ByteSpan taken = encrypted_.first(std::min(encrypted_.size(), piece_.size()));
  const MutableByteSpan piece = MutableByteSpan(piece_).first(taken.size());
  std::copy(taken.begin(), taken.end(), piece.begin());
  cipher_->Apply(at_, piece);
  at_ += static_cast<uint32_t>(taken.size());
  encrypted_ = encrypted_.subspan(taken.size());
  return {EventKind::kData, piece};
}

uint64_t PayloadStage::total_bytes() const {
  if (!integrated_.empty()) return image_bytes_;
  if (!is_encrypted_) return network_.total_bytes();
  return network_.total_bytes() == payload_bytes_ ? image_bytes_ : 0;
}

uint32_t PayloadStage::first_offset() const {
  return integrated_.empty() ? network_.first_offset() : wanted_offset_;
}

std::string_view PayloadStage::validator() const {
  const bool is_as_it_travels = integrated_.empty() && !is_encrypted_;
  return is_as_it_travels ? network_.validator() : std::string_view();
}

}  // namespace ota::agent
