// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "agent/port/port.h"
#include "agent/transport/message_exchange.h"
#include "agent/update/server_path.h"
#include "agent/update/trust_record.h"
#include "formats/trust/manifest_verification.h"
#include "formats/trust/poll.h"
#include "formats/trust/root_update.h"

namespace ota::agent {

/// What a device wants to know of its server.
struct PollWish {
  std::span<const std::string_view> model_names;  ///< that it has or wants; at most 16
  bool wants_all = false;                         ///< also releases for its class under other names
  bool wants_proof = false;  ///< also proofs that they are in the transparency log
};

/// A release that the server offers. Nothing of it is proved yet but that this number exists.
struct OfferedEnvelope {
  formats::ComponentSequence component;  ///< its name points into the poller's answer
  formats::PollOffer offer;              ///< likewise
};

/// Asks the server what is new, and believes what of the answer is signed: the time, the newest
/// sequence numbers, and newer root metadata, which it follows version by version.
///
/// Invariants: an answer counts only for the nonce of this question; the trust state grows only by
/// what the keys it believes in have signed; what it has learned of roots is stored before it goes
/// on.
class Poller {
 public:
  enum class State : uint8_t {
    kIdle,
    kAsking,
    kVerifying,      ///< the freshness answer
    kFetchingRoot,   ///< the version after the held one
    kFollowingRoot,  ///< its signatures
    kSavingRoot,
    kLooking,  ///< whether what was learned can be stored now
    kSaving,
    kDone,
    kFailed,
  };

  /// Room for the longest answer, and for the longest question or signed root metadata.
  static constexpr size_t kAnswerBytes = formats::kPollAnswerBytesMax;
  static constexpr size_t kMessageBytes = 2560;

  /// How many versions of root metadata one poll follows.
  static constexpr uint32_t kRootsMax = 64;

  /// All must outlive the poller. `trust` is what the device believes, as loaded, and `record`
  /// stores it. `answer` (of kAnswerBytes) belongs to the poller until the next Start; `message`
  /// (of kMessageBytes) only until the end of the poll.
  Poller(const Port& port, MessageExchange& exchange, storage::ModelStore& store,
         formats::TrustState& trust, TrustRecord& record, MutableByteSpan answer,
         MutableByteSpan message)
      : port_(port),
        exchange_(exchange),
        store_(store),
        trust_(trust),
        record_(record),
        answer_bytes_(answer),
        message_bytes_(message) {}

  /// Gets ready; `device` says who asks, `wish` what. Neither is needed afterwards. If it cannot be
  /// asked, Step says why: kEntropyUnavailable; kBufferTooSmall: too many names.
  void Start(const formats::DeviceProfile& device, const PollWish& wish);

  /// Goes on by one bounded step, verification by about `operations_max` field multiplications.
  /// kBusy: call again. kOk: the answer is believed; now_s() and the offers are known. Otherwise
  /// the poll has failed and says why: statuses of MessageExchange, DecodePollAnswer,
  /// FreshnessVerification (kFreshnessStale, kNonceMismatch: somebody plays back old answers),
  /// RootUpdate, ModelStore. kRootOutdated: the server names newer root metadata than it gives.
  /// kRootExpired: the newest root metadata is past its time.
  Status Step(uint32_t operations_max);

  State state() const { return state_; }

  /// Seconds since 1970 that have surely passed, by the last statement; 0: none since the start.
  uint64_t now_s() const { return time_.earliest_s(port_.clock.now_ms()); }

  uint32_t offer_count() const { return state_ == State::kDone ? answer_.offer_count() : 0; }
  /// After kOk. kOutOfRange: there are not so many, or it is for no number that the answer names.
  Result<OfferedEnvelope> FindOffer(uint32_t index) const;
  const formats::LogHead& log() const { return freshness_.log(); }

  /// To be told when somebody else has stored the trust state.
  void NoteSaved();

 private:
  Status Ask(const formats::DeviceProfile& device, const PollWish& wish);
  Result<ByteSpan> EncodeComponents(const PollWish& wish, MutableByteSpan target) const;
  Status StepState(uint32_t operations_max);
  Status TakeAnswer();
  Status BeginVerification();
  Status Verify(uint32_t operations_max);
  Status TakeRoot();
  Status FollowRoot(uint32_t operations_max);
  Status SaveRoot();
  Status Look();
  Status Go(State next);
  uint64_t SumNewest() const;

  const Port& port_;
  MessageExchange& exchange_;
  storage::ModelStore& store_;
  formats::TrustState& trust_;
  TrustRecord& record_;
  MutableByteSpan answer_bytes_;
  MutableByteSpan message_bytes_;

  State state_ = State::kIdle;
  Status failure_ = Status::kOk;
  std::array<uint8_t, 16> nonce_ = {};
  formats::PollAnswer answer_;
  formats::FreshnessVerification freshness_;
  formats::RootUpdate root_update_;
  formats::TrustedTime time_;
  ServerPath root_path_;
  uint32_t root_count_ = 0;
  uint64_t asked_ms_ = 0;
  uint64_t answered_ms_ = 0;
  uint64_t saved_newest_sum_ = 0;
  uint64_t saved_time_s_ = 0;
};

}  // namespace ota::agent
