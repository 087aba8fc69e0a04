// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "agent/update/trust_record.h"
#include "formats/cose/cose_sign1.h"
#include "formats/manifest/envelope.h"
#include "simulator/attack/attack_case.h"
#include "simulator/attack/scene.h"

namespace ota::simulator {
namespace {

using crypto::SigningKey;
using formats::Manifest;
using formats::RootSpec;

constexpr std::array<uint8_t, 16> kOther = {0x99};

// n - s in the place of s: also a solution of ECDSA's equation.
void Malleate(Bytes& envelope) {
  constexpr uint8_t kOrder[] = {0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xFF,
                                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17,
                                0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51};
  const formats::Envelope decoded = *formats::DecodeEnvelope(envelope);
  const ByteSpan signature = formats::DecodeCoseSign1(decoded.signatures()[0])->signature;
  uint8_t* const s = envelope.data() + (signature.data() - envelope.data()) + 32;
  int borrow = 0;
  for (size_t i = 32; i-- > 0;) {
    const int difference = kOrder[i] - s[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    s[i] = static_cast<uint8_t>(difference);
  }
}

// The first place where these bytes stand; the scene's envelopes have them.
uint8_t* Find(Bytes& bytes, std::initializer_list<uint8_t> what) {
  return &*std::search(bytes.begin(), bytes.end(), what.begin(), what.end());
}

Status TakeSignedBy(Scene& scene, const std::vector<SigningKey*>& signers) {
  const Draft draft("kws", 5);
  return scene.device->TakeRelease(draft.Sign(signers), draft.image);
}

Status TakeGuarded(Scene& scene, const std::vector<SigningKey*>& signers) {
  const Draft draft("main", 5);
  return scene.device->TakeRelease(draft.Sign(signers), draft.image);
}

enum Announcement { kAnnounceTheTruth, kAnnounceTheSignedSize };

Status TakePayload(Scene& scene, const std::function<void(Bytes&)>& change,
                   Announcement announcement = kAnnounceTheTruth) {
  const Draft draft("kws", 5);
  MemoryPayloadSource source;
  source.payload = draft.image;
  change(source.payload);
  if (announcement == kAnnounceTheSignedSize) source.announced_bytes = draft.image.size();
  return scene.device->TakeRelease(draft.Sign({scene.release.get()}), source);
}

// Every bit of a good envelope, one after the other. The first that is taken ends it.
Status TakeEachBitFlipped(Scene& scene) {
  const Draft draft("kws", 5);
  const Bytes envelope = draft.Sign({scene.release.get()});
  for (size_t bit = 0; bit < envelope.size() * 8; ++bit) {
    Bytes flipped = envelope;
    flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
    const Status status = scene.device->TakeRelease(flipped, draft.image);
    if (IsOk(status)) return status;
  }
  return Status::kSignatureInvalid;
}

Status TakeRootSignedBy(Scene& scene, const std::vector<SigningKey*>& signers) {
  RootSpec next = scene.root;
  ++next.version;
  next.root.keys[0] = scene.new_root_key->public_key();
  return scene.device->TakeRoot(scene.SignRoot(next, signers));
}

// The release key is replaced by another; `signer` then signs.
Status TakeAfterRevocation(Scene& scene, bool is_new_key) {
  OTA_TRY(scene.Rotate([&scene](RootSpec& next) {
    next.release_roles[0].key_set.keys = {scene.second_release->public_key()};
    next.release_roles[1].key_set.keys[0] = scene.new_root_key->public_key();
  }));
  std::swap(scene.release, scene.second_release);
  return TakeSignedBy(scene, {is_new_key ? scene.release.get() : scene.second_release.get()});
}

constexpr AttackCase kCases[] = {
    {"basic", "good_release", "Nothing: a good release", Status::kOk,
     [](Scene& s) { return s.Release(5); }},
    {"basic", "good_integrated", "Nothing: a good release with its payload inside", Status::kOk,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.uri = "#kws"; }); }},
    {"basic", "two_in_a_row", "Nothing: two releases, the second above the first", Status::kOk,
     [](Scene& s) {
       OTA_TRY(s.Release(5));
       return s.Release(6);
     }},
    {"basic", "unsigned", "Takes the signatures off", Status::kSignatureMissing,
     [](Scene& s) { return TakeSignedBy(s, {}); }},
    {"basic", "not_an_envelope", "Sends other bytes", Status::kCborTypeUnexpected,
     [](Scene& s) { return s.device->TakeRelease(Bytes(100), {}); }},
    {"basic", "truncated", "Cuts the envelope off in the middle of the manifest",
     Status::kCborMalformed,
     [](Scene& s) { return s.ReleaseAltered([](Bytes& e) { e.erase(e.end() - 20, e.end()); }); }},
    {"basic", "trailing_bytes", "Hangs bytes behind the envelope", Status::kCborTrailingBytes,
     [](Scene& s) { return s.ReleaseAltered([](Bytes& e) { e.push_back(0); }); }},

    {"keys", "unknown_key", "Signs with a key of his own", Status::kSignerUnknown,
     [](Scene& s) { return TakeSignedBy(s, {s.stranger.get()}); }},
    {"keys", "freshness_key_signs_release", "Signs a release with the server's stolen key",
     Status::kSignerUnknown, [](Scene& s) { return TakeSignedBy(s, {s.freshness.get()}); }},
    {"keys", "root_key_signs_release", "Signs a release with a root key", Status::kSignerUnknown,
     [](Scene& s) { return TakeSignedBy(s, {s.root_keys[0].get()}); }},
    {"keys", "claims_our_key_id", "Signs with his key under our key's id",
     Status::kSignatureInvalid,
     [](Scene& s) {
       const Draft draft("kws", 5);
       Bytes envelope = draft.Sign({s.stranger.get()});
       const auto theirs = formats::ComputeKeyId(s.stranger->public_key());
       const auto ours = formats::ComputeKeyId(s.release->public_key());
       const auto at = std::search(envelope.begin(), envelope.end(), theirs.begin(), theirs.end());
       std::copy(ours.begin(), ours.end(), at);
       return s.device->TakeRelease(envelope, draft.image);
     }},
    {"keys", "one_good_one_bad", "Nothing: besides ours stands a stranger's signature", Status::kOk,
     [](Scene& s) {
       return TakeSignedBy(s, {s.stranger.get(), s.release.get()});
     }},
    {"keys", "revoked_key", "Signs with a release key that has been revoked",
     Status::kSignerUnknown, [](Scene& s) { return TakeAfterRevocation(s, false); }},
    {"keys", "key_after_rotation", "Nothing: the new release key signs", Status::kOk,
     [](Scene& s) { return TakeAfterRevocation(s, true); }},

    {"signature", "algorithm_none", "Says that the algorithm is none",
     Status::kSignatureAlgorithmRefused,
     [](Scene& s) {
       return s.ReleaseAltered([](Bytes& e) { Find(e, {0x43, 0xA1, 0x01, 0x26})[3] = 0xF6; });
     }},
    {"signature", "algorithm_hmac", "Says that the signature is a MAC",
     Status::kSignatureAlgorithmRefused,
     [](Scene& s) {
       return s.ReleaseAltered([](Bytes& e) { Find(e, {0x43, 0xA1, 0x01, 0x26})[3] = 0x05; });
     }},
    {"signature", "other_es256_name", "Renames ES256 to ESP256 after signing",
     Status::kSignatureInvalid,
     [](Scene& s) {
       return s.ReleaseAltered([](Bytes& e) { Find(e, {0x43, 0xA1, 0x01, 0x26})[3] = 0x28; });
     }},
    {"signature", "malleated", "Turns the signature into its other valid form",
     Status::kSignatureMalleated, [](Scene& s) { return s.ReleaseAltered(Malleate); }},
    {"signature", "zeroed", "Fills the signature with zeros", Status::kSignatureInvalid,
     [](Scene& s) {
       return s.ReleaseAltered([](Bytes& e) {
         std::fill_n(Find(e, {0xF6, 0x58, 0x40}) + 3, 64, uint8_t{0});
       });
     }},
    {"signature", "unsigned_header", "Slips another label into the unsigned header",
     Status::kCoseHeaderRefused,
     [](Scene& s) {
       return s.ReleaseAltered([](Bytes& e) { Find(e, {0xA1, 0x04, 0x48})[1] = 0x05; });
     }},
    {"signature", "manifest_altered", "Changes the manifest", Status::kDigestMismatch,
     [](Scene& s) { return s.ReleaseAltered([](Bytes& e) { e[e.size() - 30] ^= 1; }); }},
    {"signature", "manifest_and_digest_altered", "Changes the manifest and the digest over it",
     Status::kSignatureInvalid,
     [](Scene& s) {
       const Draft ours("kws", 5), forged("kws", 6);
       Bytes envelope = ours.Sign({s.release.get()});
       const auto from = formats::ComputeSignedDigest(ours.Encode());
       const auto to = formats::ComputeSignedDigest(forged.Encode());
       const Bytes manifest = ours.Encode(), forged_manifest = forged.Encode();
       std::copy(to.begin(), to.end(),
                 std::search(envelope.begin(), envelope.end(), from.begin(), from.end()));
       std::copy(forged_manifest.begin(), forged_manifest.end(),
                 std::search(envelope.begin(), envelope.end(), manifest.begin(), manifest.end()));
       return s.device->TakeRelease(envelope, forged.image);
     }},
    {"signature", "root_signature_reused", "Passes a signature over a root off as one of a release",
     Status::kSignatureInvalid,
     [](Scene& s) {
       const Draft draft("kws", 5);
       const Bytes manifest = draft.Encode();
       const auto digest = formats::ComputeSignedDigest(manifest);
       const formats::KeyId id = formats::ComputeKeyId(s.release->public_key());
       const formats::EnvelopeSignature signature = {
           id, *s.release->Sign(formats::ComputeSign1Digest(formats::Es256ProtectedHeader(),
                                                            formats::kRootExternalData, digest))};
       Bytes envelope(1024);
       formats::CborWriter writer(envelope);
       formats::WriteEnvelope(writer, manifest, std::span(&signature, 1));
       envelope.resize(writer.size_needed_bytes());
       return s.device->TakeRelease(envelope, draft.image);
     }},

    {"signature", "each_bit", "Flips each bit of a signed envelope, one after the other",
     Status::kSignatureInvalid, TakeEachBitFlipped},

    {"format", "overlong_head", "Writes a number longer than needed", Status::kCborNotDeterministic,
     [](Scene& s) {
       return s.ReleaseAltered([](Bytes& e) {
         e.insert(e.begin() + 2, {0xB8, 0x02}), e.erase(e.begin() + 4);
       });
     }},
    {"format", "indefinite_length", "Leaves the end of the map open", Status::kCborNotDeterministic,
     [](Scene& s) { return s.ReleaseAltered([](Bytes& e) { e[2] = 0xBF; }); }},
    {"format", "unknown_member", "Adds a member to the envelope that nobody signed",
     Status::kEnvelopePartUnknown,
     [](Scene& s) {
       return s.ReleaseAltered([](Bytes& e) {
         e[2] = 0xA3;
         e.insert(e.end(), {0x61, 'x', 0x41, 0x00});
       });
     }},
    {"format", "unknown_command", "Has a command signed that this device does not know",
     Status::kManifestPartUnknown,
     [](Scene& s) {
       const Draft draft("kws", 5);
       Bytes manifest = draft.Encode();
       Find(manifest, {0x15, 0x02, 0x03, 0x0F})[0] = 0x16;
       std::vector<SigningKey*> signers = {s.release.get()};
       return s.device->TakeRelease(*formats::SignManifest(manifest, signers), draft.image);
     }},

    {"threshold", "root_below", "Changes the root with one root key", Status::kThresholdNotMet,
     [](Scene& s) { return TakeRootSignedBy(s, {s.root_keys[1].get()}); }},
    {"threshold", "root_same_key_twice", "Lets one root key sign twice", Status::kThresholdNotMet,
     [](Scene& s) {
       return TakeRootSignedBy(s, {s.root_keys[1].get(), s.root_keys[1].get()});
     }},
    {"threshold", "root_with_strangers", "Fills up the number with other keys",
     Status::kThresholdNotMet,
     [](Scene& s) {
       return TakeRootSignedBy(s, {s.root_keys[1].get(), s.stranger.get(), s.release.get()});
     }},
    {"threshold", "release_by_one_of_two", "Signs with one stolen key where two are needed",
     Status::kThresholdNotMet, [](Scene& s) { return TakeGuarded(s, {s.second_release.get()}); }},
    {"threshold", "release_by_both", "Nothing: both keys sign", Status::kOk,
     [](Scene& s) {
       return TakeGuarded(s, {s.second_release.get(), s.release.get()});
     }},

    {"rotation", "root_in_order", "Nothing: the next root, signed by old and new", Status::kOk,
     [](Scene& s) {
       return TakeRootSignedBy(s, {s.root_keys[1].get(), s.root_keys[2].get()});
     }},
    {"rotation", "slept_through_five", "Nothing: five roots one after the other", Status::kOk,
     [](Scene& s) {
       for (int i = 0; i < 4; ++i) OTA_TRY(s.Rotate());
       return s.Rotate();
     }},
    {"rotation", "version_skipped", "Hides one version of the root", Status::kRootVersionWrong,
     [](Scene& s) { return s.Rotate([](RootSpec& next) { ++next.version; }); }},
    {"rotation", "version_again", "Plays back the root that the device has",
     Status::kRootVersionWrong,
     [](Scene& s) { return s.Rotate([](RootSpec& next) { --next.version; }); }},
    {"rotation", "only_old_keys", "New keys that have not signed for themselves",
     Status::kThresholdNotMet,
     [](Scene& s) {
       return s.Rotate([&s](RootSpec& next) {
         next.root.keys = {s.new_root_key->public_key(), s.stranger->public_key()};
       });
     }},
    {"rotation", "only_new_keys", "Brings a root that only his own keys have signed",
     Status::kThresholdNotMet,
     [](Scene& s) {
       RootSpec next = s.root;
       ++next.version;
       next.root.keys = {s.new_root_key->public_key(), s.stranger->public_key()};
       return s.device->TakeRoot(s.SignRoot(next, {s.new_root_key.get(), s.stranger.get()}));
     }},

    {"rollback", "older_release", "Plays back an older release", Status::kSequenceTooLow,
     [](Scene& s) {
       OTA_TRY(s.Release(7));
       return s.Release(6);
     }},
    {"rollback", "same_release", "Plays back the same release", Status::kSequenceTooLow,
     [](Scene& s) {
       OTA_TRY(s.Release(7));
       return s.Release(7);
     }},
    {"rollback", "older_after_root_change", "Plays back an older release after a new root",
     Status::kSequenceTooLow,
     [](Scene& s) {
       OTA_TRY(s.Release(7));
       OTA_TRY(s.Rotate());
       return s.Release(6);
     }},
    {"rollback", "older_after_deletion", "Plays back an older release after the model was deleted",
     Status::kSequenceTooLow,
     [](Scene& s) {
       OTA_TRY(s.Release(7));
       OTA_TRY(s.device->Delete("kws"));
       return s.Release(6);
     }},
    {"rollback", "recovery_from_fast_forward", "Has driven the number up with a stolen key",
     Status::kOk,
     [](Scene& s) {
       OTA_TRY(s.Release(UINT64_MAX));
       OTA_TRY(s.Rotate([](RootSpec& next) {
         next.sequence_resets = {{formats::ComponentKind::kModel, "kws", 8}};
       }));
       s.root.sequence_resets.clear();
       return s.Release(9);
     }},

    {"freshness", "good_answer", "Nothing: an honest answer", Status::kOk,
     [](Scene& s) { return s.Refresh(5); }},
    {"freshness", "hides_newer_release", "Offers an older release while a newer one is known",
     Status::kSequenceWithheld,
     [](Scene& s) {
       OTA_TRY(s.Refresh(9));
       return s.Release(8);
     }},
    {"freshness", "replayed_answer", "Plays back the answer to an older question",
     Status::kNonceMismatch,
     [](Scene& s) {
       const Bytes old = s.Answer(s.device->AskFreshness(), s.now_s, 0, *s.freshness);
       OTA_TRY(s.device->TakeFreshness(old));
       (void)s.device->AskFreshness();  // the new question, which he does not answer
       return s.device->TakeFreshness(old);
     }},
    {"freshness", "time_turned_back", "Signs an earlier time with a stolen freshness key",
     Status::kFreshnessStale,
     [](Scene& s) {
       OTA_TRY(s.Refresh());
       return s.device->TakeFreshness(
           s.Answer(s.device->AskFreshness(), s.now_s - 1, 0, *s.freshness));
     }},
    {"freshness", "newest_turned_back", "Says that nothing so new exists any more",
     Status::kFreshnessStale,
     [](Scene& s) {
       OTA_TRY(s.Refresh(9));
       return s.Refresh(8);
     }},
    {"freshness", "signed_by_release_key", "Signs the time with a release key",
     Status::kSignerUnknown,
     [](Scene& s) {
       return s.device->TakeFreshness(s.Answer(s.device->AskFreshness(), s.now_s, 0, *s.release));
     }},
    {"freshness", "old_freshness_key", "Signs with the freshness key of before the rotation",
     Status::kSignerUnknown,
     [](Scene& s) {
       OTA_TRY(
           s.Rotate([&s](RootSpec& next) { next.freshness_key = s.new_root_key->public_key(); }));
       std::swap(s.freshness, s.new_root_key);
       return s.device->TakeFreshness(
           s.Answer(s.device->AskFreshness(), s.now_s, 0, *s.new_root_key));
     }},
    {"freshness", "hides_newer_root", "Hides the root that the server names", Status::kRootOutdated,
     [](Scene& s) {
       ++s.root.version;
       const Bytes answer = s.Answer(s.device->AskFreshness(), s.now_s, 0, *s.freshness);
       --s.root.version;
       return s.device->TakeFreshness(answer);
     }},

    {"expiration", "expired_release", "Plays back a release that was to be used before",
     Status::kManifestExpired,
     [](Scene& s) {
       OTA_TRY(s.Refresh());
       return s.Release(5, [&s](Manifest& m) { m.use_before_s = s.now_s - 10; });
     }},
    {"expiration", "not_yet_expired", "Nothing: a release with time left", Status::kOk,
     [](Scene& s) {
       OTA_TRY(s.Refresh());
       return s.Release(5, [&s](Manifest& m) { m.use_before_s = s.now_s + 10; });
     }},
    {"expiration", "time_unknown", "Keeps the time from a device without a clock",
     Status::kTimeUnknown,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.use_before_s = UINT64_MAX; }); }},
    {"expiration", "expired_root", "Keeps new roots away until the old one has expired",
     Status::kRootExpired,
     [](Scene& s) {
       OTA_TRY(s.Rotate([&s](RootSpec& next) { next.expires_s = s.now_s - 10; }));
       OTA_TRY(s.Refresh());
       const Status status = s.Release(5);
       OTA_TRY(s.Rotate([](RootSpec& next) { next.expires_s = 0; }));
       return status;
     }},

    {"delegation", "other_component", "Signs for a component that the key is not for",
     Status::kSignerNotDelegated,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.component_name = "door-lock"; }); }},
    {"delegation", "prefix_itself", "Signs for a name that only resembles the pattern",
     Status::kSignerNotDelegated,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.component_name = "vision"; }); }},
    {"delegation", "name_by_prefix", "Nothing: a name that the pattern covers", Status::kOk,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.component_name = "vision-2"; }); }},
    {"delegation", "other_kind", "Signs a configuration with a key for models",
     Status::kSignerNotDelegated,
     [](Scene& s) {
       return s.Release(5, [](Manifest& m) { m.kind = formats::ComponentKind::kConfiguration; });
     }},
    {"delegation", "other_class_added", "Signs for a class that the key is not for, besides ours",
     Status::kSignerNotDelegated,
     [](Scene& s) {
       return s.Release(5, [](Manifest& m) { m.class_ids[m.class_id_count++] = kOther; });
     }},

    {"recipient", "other_vendor", "Plays back a release for another vendor",
     Status::kVendorMismatch,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.vendor_id = kOther; }); }},
    {"recipient", "other_class", "Plays back a release for another class", Status::kClassMismatch,
     [](Scene& s) {
       OTA_TRY(s.Rotate([](RootSpec& next) { next.release_roles[0].class_ids.clear(); }));
       return s.Release(5, [](Manifest& m) { m.class_ids[0] = kOther; });
     }},
    {"recipient", "other_device", "Plays back a release for another device",
     Status::kDeviceMismatch,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.device_id = kOther; }); }},
    {"recipient", "other_kind_of_component", "Offers firmware to a device that takes models only",
     Status::kComponentUnknown,
     [](Scene& s) {
       OTA_TRY(s.Rotate([](RootSpec& next) {
         next.release_roles[0].kinds.push_back(formats::ComponentKind::kFirmware);
       }));
       return s.Release(5, [](Manifest& m) { m.kind = formats::ComponentKind::kFirmware; });
     }},
    {"recipient", "name_of_the_trust_state", "Signs a model that would overwrite the trust state",
     Status::kNameInvalid,
     [](Scene& s) {
       OTA_TRY(s.Rotate([](RootSpec& next) { next.release_roles[0].patterns = {"*"}; }));
       return s.Release(5, [](Manifest& m) { m.component_name = agent::TrustRecord::kName; });
     }},
    {"recipient", "wrong_memory_unit", "Steers the image to a unit that the board has not",
     Status::kMemoryUnitMismatch,
     [](Scene& s) {
       return s.Release(5, [](Manifest& m) { m.memory_unit = formats::MemoryUnit::kEmmc; });
     }},
    {"recipient", "wrong_slot", "Steers the image to a slot that the unit has not",
     Status::kMemoryUnitMismatch,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.slot = 9; }); }},
    {"recipient", "larger_than_slot", "Offers an image that overruns its place",
     Status::kImageTooLarge,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.image_size_bytes = UINT32_MAX; }); }},
    {"recipient", "arena_too_small", "Offers a model that would not run", Status::kArenaTooSmall,
     [](Scene& s) {
       return s.Release(
           5, [](Manifest& m) { m.model.arena_bytes_of(formats::PlanKind::kMapped) = 65'000; });
     }},
    {"recipient", "engine_too_old", "Offers a model that needs a newer engine",
     Status::kEngineTooOld,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.model.engine_version = 2; }); }},
    {"recipient", "unknown_operator", "Offers a model with an operator that is not there",
     Status::kUnknownOperator,
     [](Scene& s) {
       static constexpr uint8_t kMore[] = {3, 4, 77};
       return s.Release(5, [](Manifest& m) { m.model.operators = kMore; });
     }},
    {"recipient", "other_precursor", "Offers a delta against another image",
     Status::kPrecursorMismatch,
     [](Scene& s) {
       static constexpr std::array<uint8_t, 32> kPrecursor = {7};
       return s.Release(5, [](Manifest& m) { m.precursor_digest = kPrecursor; });
     }},
    {"recipient", "battery_low", "Lets the device run empty in the middle", Status::kBatteryTooLow,
     [](Scene& s) { return s.Release(5, [](Manifest& m) { m.minimum_battery_mwh = 5'000; }); }},

    {"download", "altered_payload", "Changes one bit of the payload on the mirror",
     Status::kDigestMismatch,
     [](Scene& s) { return TakePayload(s, [](Bytes& p) { p[50] ^= 1; }); }},
    {"download", "altered_integrated", "Changes one bit of the payload in the envelope",
     Status::kDigestMismatch,
     [](Scene& s) {
       Draft draft("kws", 5);
       draft.manifest.uri = "#kws";
       Bytes envelope = draft.Sign({s.release.get()});
       envelope.back() ^= 1;
       return s.device->TakeRelease(envelope, {});
     }},
    {"download", "endless_data", "Sends more than was signed", Status::kPayloadTooLarge,
     [](Scene& s) {
       return TakePayload(
           s, [](Bytes& p) { p.resize(1'000'000); }, kAnnounceTheSignedSize);
     }},
    {"download", "larger_announced", "Announces more than was signed", Status::kImageSizeMismatch,
     [](Scene& s) { return TakePayload(s, [](Bytes& p) { p.resize(1'000'000); }); }},
    {"download", "too_short", "Sends less than was signed, again and again",
     Status::kConnectionLost,
     [](Scene& s) {
       return TakePayload(
           s, [](Bytes& p) { p.pop_back(); }, kAnnounceTheSignedSize);
     }},
    {"download", "slow_retrieval", "Lets the device wait for the rest for ever", Status::kTimedOut,
     [](Scene& s) {
       const Draft draft("kws", 5);
       MemoryPayloadSource source;
       source.payload = draft.image;
       source.stall_at = 1;
       return s.device->TakeRelease(draft.Sign({s.release.get()}), source);
     }},
    {"download", "mix_and_match", "Gives the payload of another good release",
     Status::kDigestMismatch,
     [](Scene& s) { return TakePayload(s, [](Bytes& p) { p = Draft("kws", 6).image; }); }},
    {"download", "payload_left_out", "Leaves the integrated payload out", Status::kPayloadMissing,
     [](Scene& s) {
       Draft draft("kws", 5);
       draft.manifest.uri = "#kws";
       std::vector<SigningKey*> signers = {s.release.get()};
       return s.device->TakeRelease(*formats::SignManifest(draft.Encode(), signers), draft.image);
     }},
};

}  // namespace

std::span<const AttackCase> TrustAttackCases() { return kCases; }

std::vector<AttackCase> AllAttackCases() {
  std::vector<AttackCase> all(std::begin(kCases), std::end(kCases));
  const std::span<const AttackCase> polls = PollAttackCases();
  all.insert(all.end(), polls.begin(), polls.end());
  return all;
}

AttackOutcome PlayAttack(const AttackCase& attack) {
  Scene scene;
  AttackOutcome outcome;
  const crypto::Sha256Digest before = scene.device->installed_digest();
  outcome.answer = attack.play(scene);
  const bool runs_the_same = scene.device->installed_digest() == before;
  if (outcome.answer != attack.expected) {
    outcome.failure = "answered " + std::string(StatusName(outcome.answer));
  } else if (scene.device->has_been_swayed()) {
    outcome.failure = "what was refused has changed the device's state";
  } else if (attack.expected != Status::kOk && attack.group == std::string("download") &&
             !runs_the_same) {
    outcome.failure = "the device runs something else";
  } else if (const Status good = scene.Release(scene.good_sequence); good != Status::kOk) {
    outcome.failure = "a good update is refused afterwards: " + std::string(StatusName(good));
  }
  return outcome;
}

}  // namespace ota::simulator
