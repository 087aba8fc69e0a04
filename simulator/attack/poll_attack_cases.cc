// SPDX-License-Identifier: Apache-2.0
#include "agent/update/attempt_record.h"
#include "simulator/attack/attack_case.h"
#include "simulator/attack/scene.h"

namespace ota::simulator {
namespace {

using formats::RootSpec;

// The server offers `sequence_number`; its answer to /poll passes through the attacker's hands.
Status PollThrough(Scene& scene, uint64_t sequence_number,
                   const std::function<void(Bytes&)>& change) {
  MemoryServer server = scene.MakeServer(sequence_number);
  server.tamper = [&change](const std::string& path, Bytes& answer) {
    if (path == "/poll") change(answer);
  };
  MemoryPayloadSource source;
  source.payload = Draft("kws", sequence_number).image;
  return scene.device->Poll(server, source);
}

Status PollHonestly(Scene& scene, uint64_t sequence_number) {
  return PollThrough(scene, sequence_number, [](Bytes&) {});
}

// The server keeps the device's payload back and sends another, as often as it is asked.
Status OfferFraudAgainAndAgain(Scene& scene) {
  MemoryServer server = scene.MakeServer(5);
  MemoryPayloadSource source;
  source.payload = Draft("kws", 6).image;
  for (int i = 0; i < agent::AttemptRecord::kAttemptsMax; ++i) {
    ++server.time_s;
    const Status status = scene.device->Poll(server, source);
    if (status != Status::kDigestMismatch) return status;
  }
  const int request_count = source.request_count;
  Status status = Status::kOk;
  for (int i = 0; i < 20; ++i) {
    ++server.time_s;
    status = scene.device->Poll(server, source);
  }
  return source.request_count == request_count ? status : Status::kOk;
}

// A server whose statements name a root that `signers` alone have signed.
Status PollWithRootBy(Scene& scene, const std::vector<crypto::SigningKey*>& signers) {
  MemoryServer server = scene.MakeServer(5);
  RootSpec next = scene.root;
  ++next.version;
  next.root.keys = {scene.stranger->public_key(), scene.new_root_key->public_key()};
  server.roots.push_back(scene.SignRoot(next, signers));
  server.root_version = next.version;
  MemoryPayloadSource source;
  return scene.device->Poll(server, source);
}

Status SleepThroughFiveRoots(Scene& scene) {
  RootSpec next = scene.root;
  for (int i = 0; i < 5; ++i) {
    ++next.version;
    scene.signed_roots.push_back(scene.SignRoot(next, scene.RootSigners()));
  }
  scene.root = next;
  return PollHonestly(scene, 5);
}

constexpr AttackCase kCases[] = {
    {"poll", "good_round", "Nothing: a poll, an offer, a good release", Status::kOk,
     [](Scene& s) { return PollHonestly(s, 5); }},
    {"poll", "slept_through_five_roots", "Nothing: five roots since the last poll", Status::kOk,
     SleepThroughFiveRoots},
    {"poll", "replayed_answer", "Plays back the answer to an earlier poll", Status::kNonceMismatch,
     [](Scene& s) {
       Bytes old;
       OTA_TRY(PollThrough(s, 0, [&old](Bytes& answer) { old = answer; }));
       return PollThrough(s, 5, [&old](Bytes& answer) { answer = old; });
     }},
    {"poll", "frozen", "Goes on saying what was so yesterday, with a stolen freshness key",
     Status::kFreshnessStale,
     [](Scene& s) {
       OTA_TRY(PollHonestly(s, 0));
       s.now_s -= 86'400;
       const Status status = PollHonestly(s, 5);
       s.now_s += 2 * 86'400;
       return status;
     }},
    {"poll", "withholds_newest", "Says that 9 exists, and offers 8", Status::kSequenceWithheld,
     [](Scene& s) {
       MemoryServer server = s.MakeServer(8);
       server.releases[0].component.sequence_number = 9;
       MemoryPayloadSource source;
       return s.device->Poll(server, source);
     }},
    {"poll", "freshness_by_stranger", "Answers with a key of his own", Status::kSignerUnknown,
     [](Scene& s) {
       MemoryServer server = s.MakeServer(5);
       server.freshness_key = s.stranger.get();
       MemoryPayloadSource source;
       return s.device->Poll(server, source);
     }},
    {"poll", "hides_newer_root", "Keeps back the root that the statement names",
     Status::kRootOutdated,
     [](Scene& s) {
       MemoryServer server = s.MakeServer(5);
       ++server.root_version;
       MemoryPayloadSource source;
       return s.device->Poll(server, source);
     }},
    {"poll", "root_by_strangers", "Brings a root that only strangers have signed",
     Status::kThresholdNotMet,
     [](Scene& s) {
       return PollWithRootBy(s, {s.stranger.get(), s.new_root_key.get()});
     }},
    {"poll", "skips_a_root", "Gives the next but one root in the place of the next",
     Status::kRootVersionWrong,
     [](Scene& s) {
       MemoryServer server = s.MakeServer(5);
       RootSpec next = s.root;
       next.version += 2;
       server.roots.push_back(s.SignRoot(next, s.RootSigners()));
       server.root_version = next.version;
       MemoryPayloadSource source;
       return s.device->Poll(server, source);
     }},
    {"poll", "other_envelope", "Gives another envelope than the offered one",
     Status::kDigestMismatch,
     [](Scene& s) {
       MemoryServer server = s.MakeServer(5);
       server.tamper = [&s](const std::string& path, Bytes& answer) {
         if (path.starts_with("/envelopes/")) answer = Draft("kws", 6).Sign({s.release.get()});
       };
       MemoryPayloadSource source;
       return s.device->Poll(server, source);
     }},
    {"poll", "endless_answer", "Answers a poll with a megabyte", Status::kPayloadTooLarge,
     [](Scene& s) { return PollThrough(s, 5, [](Bytes& answer) { answer.resize(1 << 20); }); }},
    {"poll", "endless_envelope", "Offers an envelope of a megabyte", Status::kPayloadTooLarge,
     [](Scene& s) {
       MemoryServer server = s.MakeServer(5);
       server.releases[0].envelope.resize(1 << 20);
       MemoryPayloadSource source;
       return s.device->Poll(server, source);
     }},
    {"poll", "truncated_answer", "Cuts an answer off", Status::kCborMalformed,
     [](Scene& s) { return PollThrough(s, 5, [](Bytes& answer) { answer.pop_back(); }); }},
    {"poll", "offer_for_nothing", "Offers an envelope under a number that was not signed",
     Status::kOutOfRange,
     [](Scene& s) {
       return PollThrough(s, 5, [](Bytes& answer) {
         const Bytes offer = {0x81, 0x83, 0x00};
         std::search(answer.begin(), answer.end(), offer.begin(), offer.end())[2] = 0x07;
       });
     }},
    {"poll", "not_in_the_log", "Offers a release that was never published", Status::kNotLogged,
     [](Scene& s) {
       MemoryServer server = s.MakeServer(5);
       server.logged = {Draft("kws", 4).Sign({s.release.get()})};
       MemoryPayloadSource source;
       return s.device->Poll(server, source, true);
     }},
    {"poll", "expired_root", "Keeps new roots away until the old one has expired",
     Status::kRootExpired,
     [](Scene& s) {
       OTA_TRY(s.Rotate([&s](RootSpec& next) { next.expires_s = s.now_s - 10; }));
       const Status status = PollHonestly(s, 5);
       OTA_TRY(s.Rotate([](RootSpec& next) { next.expires_s = 0; }));
       return status;
     }},
    {"poll", "offline_then_replay", "Cuts the device off, then plays back what was valid then",
     Status::kManifestExpired,
     [](Scene& s) {
       OTA_TRY(PollHonestly(s, 0));
       MemoryServer server = s.MakeServer(5);
       Draft draft("kws", 5);
       draft.manifest.use_before_s = s.now_s + 60;
       server.releases[0].envelope = draft.Sign({s.release.get()});
       server.time_s = s.now_s += 3600;
       MemoryPayloadSource source;
       return s.device->Poll(server, source);
     }},
    {"poll", "fraud_again_and_again", "Offers a release whose payload is another, for ever",
     Status::kAttemptsExhausted, OfferFraudAgainAndAgain},
};

}  // namespace

std::span<const AttackCase> PollAttackCases() { return kCases; }

}  // namespace ota::simulator
