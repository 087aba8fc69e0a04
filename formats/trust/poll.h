// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <optional>
#include <span>

#include "formats/cbor/cbor_fields.h"
#include "formats/trust/freshness.h"

// A poll: the one small exchange by which a device learns whether there is something new for it.
// The device says who it is and what it has; the server answers with a freshness statement and with
// offers of envelopes. docs/formats/poll.md has the bytes.
//
// Trust: of an answer only the freshness statement is signed. An offer only says where an envelope
// lies; what it holds is judged when it has come.

namespace ota::formats {

inline constexpr size_t kPollQuestionBytesMax = 1024;
inline constexpr size_t kPollAnswerBytesMax = 2048;

/// What a device says. Spans point into the bytes it was decoded from, or to what its writer gave.
struct PollQuestion {
  ByteSpan vendor_id;                                 // 16 bytes
  std::array<ByteSpan, kClassIdsMax> class_ids = {};  // 16 bytes each, at least one
  uint8_t class_id_count = 0;
  ByteSpan device_id;  // 16 bytes; empty: it has none
  ByteSpan nonce;      // kNonceBytesMin to kNonceBytesMax
  uint32_t root_version = 0;
  bool wants_all = false;    // also releases of components that it does not name
  bool wants_proof = false;  // also proofs that the offers are in the transparency log
  ByteSpan components;       // encoded array of ComponentSequence: installed; 0: wanted
};

/// Statuses of CborCursor; kCborOutOfRange also: an id or a nonce has a length that it cannot have,
/// there is no class, or more than kTrackedComponentsMax components.
Result<PollQuestion> DecodePollQuestion(ByteSpan bytes);

/// Writes what DecodePollQuestion reads.
void WritePollQuestion(CborWriter& writer, const PollQuestion& question);

/// An envelope that the server offers.
struct PollOffer {
  uint8_t newest_index = 0;  // whose it is: index into the freshness statement's newest numbers
  uint32_t envelope_bytes = 0;
  ByteSpan envelope_digest;  // 32 bytes: its name at the server
  /// Where its entry is in the log, and the way from there to the log's root.
  std::optional<uint32_t> log_index;
  ByteSpan log_path;
};

struct PollAnswer {
  ByteSpan freshness;  // encoded FreshnessAnswer
  ByteSpan offers;     // encoded array of PollOffer, each checked

  uint32_t offer_count() const { return CborItems(offers).count_left(); }
};

/// Statuses of CborCursor; kCborOutOfRange also: a digest or a path has a length that it cannot
/// have, or more than kTrackedComponentsMax offers.
Status DecodePollAnswer(ByteSpan bytes, PollAnswer& answer);

/// The same as a value.
inline Result<PollAnswer> DecodePollAnswer(ByteSpan bytes) {
  PollAnswer answer;
  OTA_TRY(DecodePollAnswer(bytes, answer));
  return answer;
}

/// The offer with that index. kOutOfRange: there are not so many.
Status FindPollOffer(const PollAnswer& answer, uint32_t index, PollOffer& offer);

/// The same as a value.
inline Result<PollOffer> FindPollOffer(const PollAnswer& answer, uint32_t index) {
  PollOffer offer;
  OTA_TRY(FindPollOffer(answer, index, offer));
  return offer;
}

/// Writes what DecodePollAnswer reads.
void WritePollAnswer(CborWriter& writer, ByteSpan freshness, std::span<const PollOffer> offers);

/// Whether the envelope that an offer has brought is in the log whose head the freshness statement
/// has signed. kNotLogged: it is not, or the answer says nothing about a log.
Status VerifyLogProof(const PollOffer& offer, const LogHead& log, ByteSpan envelope);

}  // namespace ota::formats
