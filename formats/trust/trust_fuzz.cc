// SPDX-License-Identifier: Apache-2.0
// The input is tried as every structure of trust. What decodes comes back from its writer.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "formats/trust/freshness.h"
#include "formats/trust/poll.h"
#include "formats/trust/root_update.h"
#include "formats/trust/trust_state.h"

namespace {

using namespace ota;
using namespace ota::formats;

void Require(bool holds) {
  if (!holds) std::abort();
}

void TryState(ByteSpan bytes) {
  TrustState state;
  if (DecodeTrustState(bytes, state) != Status::kOk) return;
  std::vector<uint8_t> buffer(kTrustStateBytesMax);
  const Result<ByteSpan> record = EncodeTrustState(state, buffer);
  Require(record.ok() && std::equal(record->begin(), record->end(), bytes.begin(), bytes.end()));
  Require(DecodeRootMetadata(state.root_metadata()).ok());
}

void TryRoot(ByteSpan bytes) {
  const Result<RootMetadata> metadata = DecodeRootMetadata(bytes);
  if (!metadata.ok()) return;
  std::vector<uint8_t> buffer(kRootMetadataBytesMax);
  CborWriter writer(buffer);
  WriteRootMetadata(writer, *metadata);
  const Result<ByteSpan> again = writer.Finish();
  Require(again.ok() && std::equal(again->begin(), again->end(), bytes.begin(), bytes.end()));
  TrustState state;
  Require(InitializeTrustState(bytes, state) == Status::kOk);
  const uint8_t nonce[8] = {};
  FreshnessVerification verification;
  (void)verification.Begin(state, bytes, nonce);  // any refusal will do
  (void)ApplyRootMetadata(bytes, state);          // as above
}

void TryPoll(ByteSpan bytes) {
  const Result<PollQuestion> question = DecodePollQuestion(bytes);
  if (question.ok()) {
    std::vector<uint8_t> buffer(bytes.size());
    CborWriter writer(buffer);
    WritePollQuestion(writer, *question);
    const Result<ByteSpan> again = writer.Finish();
    Require(again.ok() && std::equal(again->begin(), again->end(), bytes.begin(), bytes.end()));
  }
  const Result<PollAnswer> answer = DecodePollAnswer(bytes);
  for (uint32_t i = 0; answer.ok() && i < answer->offer_count(); ++i) {
    const Result<PollOffer> offer = FindPollOffer(*answer, i);
    Require(offer.ok());
    (void)VerifyLogProof(*offer, {1, offer->envelope_digest}, bytes);  // any answer will do
  }
}

void TryFreshness(ByteSpan bytes) {
  std::vector<uint8_t> buffer(bytes.size());
  CborWriter writer(buffer);
  FreshnessAnswer answer;
  FreshnessStatement statement;
  if (IsOk(DecodeFreshnessAnswer(bytes, answer))) {
    WriteFreshnessAnswer(writer, answer);
  } else if (IsOk(DecodeFreshnessStatement(bytes, statement))) {
    WriteFreshnessStatement(writer, statement);
  } else {
    return;
  }
  const Result<ByteSpan> again = writer.Finish();
  Require(again.ok() && std::equal(again->begin(), again->end(), bytes.begin(), bytes.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteSpan bytes(data, size);
  TryState(bytes);
  TryRoot(bytes);
  TryPoll(bytes);
  const Result<SignedRoot> root = DecodeSignedRoot(bytes);
  if (root.ok()) TryRoot(root->metadata);
  TryFreshness(bytes);
  return 0;
}
