// SPDX-License-Identifier: Apache-2.0
#include "simulator/attack/memory_server.h"

#include <algorithm>

#include "crypto/host/hex.h"

namespace ota::simulator {

using formats::Bytes;

namespace {

constexpr size_t kPieceBytes = 700;
constexpr std::string_view kRoots = "/roots/";

// The number that the device has installed of a component; 0: it does not name it.
uint64_t InstalledOf(const formats::PollQuestion& question, const std::string& name) {
  formats::CborFieldReader cursor(question.components);
  for (uint32_t count = cursor.ReadArrayHead(); count != 0; --count) {
    formats::ComponentSequence component;
    formats::ReadSequence(cursor, component);
    if (cursor.ok() && component.name == name) return component.sequence_number;
  }
  return 0;
}

}  // namespace

void MemoryServer::Start(std::string_view path, ByteSpan message) {
  paths.emplace_back(path);
  answer_ = path == "/poll" ? AnswerPoll(message) : Find(paths.back());
  if (answer_.ok() && tamper) tamper(paths.back(), *answer_);
  is_busy_ = true;
}

Result<uint32_t> MemoryServer::Step(MutableByteSpan target) {
  if (is_busy_) {
    is_busy_ = false;
    return Status::kBusy;
  }
  OTA_TRY(answer_);
  if (answer_->size() > target.size()) return Status::kPayloadTooLarge;
  std::copy(answer_->begin(), answer_->end(), target.begin());
  return static_cast<uint32_t>(answer_->size());
}

Result<Bytes> MemoryServer::Find(const std::string& path) const {
  if (path.starts_with(kRoots)) {
    const size_t version = std::stoul(path.substr(kRoots.size()));
    if (version == 0 || version > roots.size()) return Status::kNotFound;
    return roots[version - 1];
  }
  for (const Release& release : releases) {
    const crypto::Sha256Digest digest = crypto::ComputeSha256(release.envelope);
    if (path == "/envelopes/" + crypto::HexText(digest)) return release.envelope;
  }
  return Status::kNotFound;
}

MemoryServer::Log MemoryServer::BuildLog() const {
  Log log;
  if (logged.empty()) return log;
  log.nodes.resize(formats::CountTreeNodes(logged.size()));
  for (size_t i = 0; i < logged.size(); ++i) log.nodes[i] = formats::ComputeLeafHash(logged[i]);
  formats::BuildTree(log.nodes, logged.size());
  log.head = {static_cast<uint32_t>(logged.size()), log.nodes.back()};
  return log;
}

void MemoryServer::AddProof(const Bytes& envelope, const Log& log, formats::PollOffer& offer,
                            Bytes& path) const {
  const auto found = std::find(logged.begin(), logged.end(), envelope);
  if (found == logged.end() || log.nodes.empty()) return;
  const auto index = static_cast<size_t>(found - logged.begin());
  std::array<crypto::Sha256Digest, formats::kAuditPathHashesMax> hashes;
  const size_t count = formats::FindAuditPath(log.nodes, logged.size(), index, hashes);
  path.assign(hashes[0].data(), hashes[0].data() + count * hashes[0].size());
  offer.log_index = static_cast<uint32_t>(index);
  offer.log_path = path;
}

Result<Bytes> MemoryServer::AnswerPoll(ByteSpan message) const {
  OTA_TRY(const formats::PollQuestion question, formats::DecodePollQuestion(message));
  const Log log = question.wants_proof ? BuildLog() : Log();
  formats::FreshnessQuestion freshness;
  freshness.nonce.assign(question.nonce.begin(), question.nonce.end());
  freshness.log = log.head;
  std::vector<formats::PollOffer> offers;
  std::vector<crypto::Sha256Digest> digests(releases.size());
  std::vector<Bytes> log_paths(releases.size());
  for (size_t i = 0; i < releases.size(); ++i) {
    const formats::SequenceResetSpec& component = releases[i].component;
    freshness.newest.push_back(component);
    if (component.sequence_number <= InstalledOf(question, component.name)) continue;
    digests[i] = crypto::ComputeSha256(releases[i].envelope);
    formats::PollOffer& offer = offers.emplace_back();
    offer.newest_index = static_cast<uint8_t>(i);
    offer.envelope_bytes = static_cast<uint32_t>(releases[i].envelope.size());
    offer.envelope_digest = digests[i];
    AddProof(releases[i].envelope, log, offer, log_paths[i]);
  }
  OTA_TRY(const std::vector<Bytes> answers,
          formats::AnswerFreshness(std::span(&freshness, 1), time_s, root_version, *freshness_key));
  Bytes bytes(formats::kPollAnswerBytesMax);
  formats::CborWriter writer(bytes);
  formats::WritePollAnswer(writer, answers[0], offers);
  bytes.resize(writer.size_needed_bytes());
  return bytes;
}

void MemoryPayloadSource::Start(const Request& request) {
  ++request_count;
  last_path = request.path;
  at_ = request.offset;
  first_ = request.offset;
  has_started_ = false;
}

Result<agent::PayloadSource::Event> MemoryPayloadSource::Step() {
  if (!has_started_) {
    has_started_ = true;
    return Event{EventKind::kStart, {}};
  }
  if (at_ >= stall_at) return Status::kBusy;
  if (at_ >= payload.size()) return Event{EventKind::kEnd, {}};
  const ByteSpan rest = ByteSpan(payload).subspan(at_);
  const ByteSpan piece = rest.first(std::min(rest.size(), kPieceBytes));
  at_ += piece.size();
  return Event{EventKind::kData, piece};
}

}  // namespace ota::simulator
