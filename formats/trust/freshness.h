// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "base/bytes.h"
#include "crypto/p256.h"
#include "formats/cose/cose_sign1.h"
#include "formats/trust/merkle_tree.h"
#include "formats/trust/signature_count.h"
#include "formats/trust/trust_state.h"

// Freshness statements: what the server's freshness key signs about now. A device asks with a
// nonce; the answer names the time, the version of the root metadata, and the newest sequence
// numbers that concern the device. So a device without a clock learns the time within the length of
// one exchange, and notices if it is shown an old state of the world.
//
// One signature serves many devices: each answer is a leaf of a Merkle tree, and the statement
// signs the root of the tree. docs/formats/trust.md has the bytes and the cost.

namespace ota::formats {

inline constexpr size_t kNonceBytesMin = 8;
inline constexpr size_t kNonceBytesMax = 32;

/// What is signed, once for the whole batch.
struct FreshnessStatement {
  uint64_t time_s = 0;  // seconds since 1970
  TreeHead tree;        // of the answers
  uint32_t root_version = 0;
};

/// How the transparency log stood at that time; a device that asks for proofs gets it signed. Size
/// 0: not told.
using LogHead = TreeHead;

/// What one device gets of it: its leaf, and the way from there to what is signed.
struct FreshnessAnswer {
  ByteSpan signed_statement;  // COSE_Sign1 with the statement in it
  uint32_t leaf_index = 0;
  ByteSpan audit_path;
  ByteSpan leaf;
};

/// What one device has asked for.
struct FreshnessLeaf {
  ByteSpan nonce;
  ByteSpan newest;  // encoded array of ComponentSequence
  LogHead log;
};

/// The digest that the freshness key signs for an encoded statement.
crypto::Sha256Digest ComputeStatementSigningDigest(ByteSpan statement);

void WriteFreshnessStatement(CborWriter& writer, const FreshnessStatement& statement);
void WriteFreshnessLeaf(CborWriter& writer, ByteSpan nonce,
                        std::span<const ComponentSequence> newest, const LogHead& log = {});
void WriteFreshnessAnswer(CborWriter& writer, const FreshnessAnswer& answer);

/// Statuses of CborCursor. Unless kOk, the result is not to be used.
Status DecodeFreshnessStatement(ByteSpan bytes, FreshnessStatement& statement);
Status DecodeFreshnessAnswer(ByteSpan bytes, FreshnessAnswer& answer);

/// Decides whether an answer is fresh, and takes over what it says.
class FreshnessVerification {
 public:
  /// Starts; drops one in progress. `nonce` is the one that this device sent. The arguments must
  /// stay as they are until the end. kNonceMismatch: it answers another question. kDigestMismatch:
  /// the leaf is not in the signed tree. kFreshnessStale: the time or the root version is lower
  /// than one known before. kRootOutdated: fetch newer root metadata first, then begin again with
  /// the same answer. Otherwise statuses of DecodeCoseSign1 and CborCursor.
  Status Begin(const TrustState& state, ByteSpan answer, ByteSpan nonce);

  /// kBusy: not done. kOk: `state`, the one of Begin, knows the time and the newest numbers; store
  /// it. kSignerUnknown: not a freshness key. kFreshnessStale: a newest sequence number is lower
  /// than one known before. Also kSignatureInvalid, kSignatureMalleated, kCryptoMemoryFull,
  /// kTrustStateFull. Unless kOk, `state` is unchanged. kWrongState: none in progress.
  Status Step(uint32_t operations_max, TrustState& state);

  // What the answer says, once Step has returned kOk, while the answer's bytes live.
  const FreshnessStatement& statement() const { return statement_; }
  const LogHead& log() const { return leaf_.log; }
  /// The newest number with that index. kOutOfRange: there are not so many.
  Result<ComponentSequence> FindNewest(uint32_t index) const;

 private:
  Status CheckAge(const TrustState& state);

  FreshnessStatement statement_;
  FreshnessAnswer answer_;
  FreshnessLeaf leaf_;
  KeySet key_set_;
  SignatureCount count_;
};

/// The time on a device, from the last freshness statement and the time since. The statement was
/// made between question and answer, so the truth lies within their distance.
class TrustedTime {
 public:
  /// `asked_ms` and `answered_ms` by the device's own clock, which restarts with it.
  void Set(uint64_t time_s, uint64_t asked_ms, uint64_t answered_ms);

  /// Seconds since 1970 that have surely passed; 0: not known since the start.
  uint64_t earliest_s(uint64_t now_ms) const;

  /// How far the truth may lie beyond it.
  uint64_t uncertainty_ms() const { return uncertainty_ms_; }

 private:
  uint64_t time_s_ = 0;
  uint64_t answered_ms_ = 0;
  uint64_t uncertainty_ms_ = 0;
};

}  // namespace ota::formats
