// SPDX-License-Identifier: Apache-2.0
#include "server/poll/poll_desk.h"

#include <algorithm>

namespace ota::server {

namespace {

using formats::ComponentSequence;
using formats::PollOffer;
using formats::PollQuestion;

std::vector<ComponentSequence> ComponentsOf(const PollQuestion& question) {
  std::vector<ComponentSequence> components;
  for (formats::CborItems items(question.components); items.HasNext();) {
    ComponentSequence component;
    formats::ReadSequence(items, component);
    if (items.ok()) components.push_back(component);
  }
  return components;
}

formats::Bytes EncodeAnswer(ByteSpan freshness, std::span<const PollOffer> offers) {
  formats::CborWriter counting{MutableByteSpan()};
  formats::WritePollAnswer(counting, freshness, offers);
  formats::Bytes bytes(counting.size_needed_bytes());
  formats::CborWriter writer(bytes);
  formats::WritePollAnswer(writer, freshness, offers);
  return bytes;
}

// Leaves out the last offers until the answer is as short as every device expects.
formats::Bytes EncodeWithinLimit(ByteSpan freshness, std::span<const PollOffer> offers) {
  formats::Bytes bytes = EncodeAnswer(freshness, offers);
  while (bytes.size() > formats::kPollAnswerBytesMax && !offers.empty()) {
    offers = offers.first(offers.size() - 1);
    bytes = EncodeAnswer(freshness, offers);
  }
  return bytes;
}

}  // namespace

/// An answer before it is signed, with all that its parts point to.
struct PollDesk::Draft {
  struct Offer {
    OfferedRelease release;
    uint8_t newest_index = 0;
    std::optional<uint32_t> log_index;
    formats::Bytes log_path;
  };

  formats::FreshnessQuestion freshness;
  Digest log_root{};
  std::vector<Offer> offers;

  formats::Bytes Encode(ByteSpan freshness_answer) const {
    std::vector<PollOffer> encoded;
    for (const Offer& offer : offers) {
      encoded.push_back({.newest_index = offer.newest_index,
                         .envelope_bytes = offer.release.envelope_bytes,
                         .envelope_digest = offer.release.envelope_digest,
                         .log_index = offer.log_index,
                         .log_path = offer.log_path});
    }
    return EncodeWithinLimit(freshness_answer, encoded);
  }
};

Status PollDesk::CheckKey() const {
  formats::TrustState trust;
  OTA_TRY(roots_.LoadNewest(trust));
  OTA_TRY(const formats::RootMetadata root, formats::DecodeRootMetadata(trust.root_metadata()));
  const ByteSpan named = root.freshness.keys[0];
  const crypto::P256PublicKey& own = signer_.public_key();
  const bool is_named = std::equal(own.begin(), own.end(), named.begin(), named.end());
  return is_named ? Status::kOk : Status::kSignerUnknown;
}

void PollDesk::AddReleases(const PollQuestion& question, Draft& draft) const {
  const std::vector<ComponentSequence> components = ComponentsOf(question);
  const std::shared_ptr<const ReleaseIndex::Releases> releases = index_.releases();
  const OfferedRelease* newest = nullptr;  // for the device, of the component before
  for (const OfferedRelease& release : *releases) {
    if (draft.freshness.newest.size() == formats::kTrackedComponentsMax) return;
    if (newest != nullptr && newest->kind == release.kind && newest->name == release.name) continue;
    if (!release.IsFor(question)) continue;
    newest = &release;
    if (!release.is_allowed) continue;
    const auto own = std::find_if(components.begin(), components.end(), [&](const auto& component) {
      return component.kind == release.kind && component.name == release.name;
    });
    if (own == components.end() && !question.wants_all) continue;
    const auto newest_index = static_cast<uint8_t>(draft.freshness.newest.size());
    draft.freshness.newest.push_back({release.kind, release.name, release.sequence_number});
    const uint64_t installed = own == components.end() ? 0 : own->sequence_number;
    if (release.sequence_number > installed)
      draft.offers.push_back({release, newest_index, {}, {}});
  }
}

void PollDesk::AddProofs(Draft& draft) const {
  const TreeHead head = log_.known_head();
  if (head.size == 0 || head.size > UINT32_MAX) return;
  draft.log_root = head.root;
  draft.freshness.log = {static_cast<uint32_t>(head.size), draft.log_root};
  for (Draft::Offer& offer : draft.offers) {
    const Result<TransparencyLog::Inclusion> proof =
        log_.ProveInclusion(offer.release.log_leaf, head.size);
    if (!proof.ok()) continue;
    offer.log_index = static_cast<uint32_t>(proof->index);
    for (const Digest& step : proof->path) {
      offer.log_path.insert(offer.log_path.end(), step.begin(), step.end());
    }
  }
}

Status PollDesk::Ask(ByteSpan question_bytes, Done done) {
  OTA_TRY(const PollQuestion question, formats::DecodePollQuestion(question_bytes));
  OTA_TRY(CheckKey());
  const auto draft = std::make_shared<Draft>();
  draft->freshness.nonce.assign(question.nonce.begin(), question.nonce.end());
  AddReleases(question, *draft);
  if (question.wants_proof) AddProofs(*draft);
  const bool is_queued = signer_.Ask(
      draft->freshness, [draft, done = std::move(done)](Result<formats::Bytes> freshness) {
        if (!freshness.ok()) return done(freshness.status());
        done(draft->Encode(*freshness));
      });
  return is_queued ? Status::kOk : Status::kBusy;
}

}  // namespace ota::server
