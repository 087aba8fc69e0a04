// SPDX-License-Identifier: Apache-2.0
// Any bytes, cut at any place: the parser accounts for each byte, never gives more body than was
// announced, and comes to the same end as when it is fed all at once.
#include <algorithm>
#include <cstdlib>

#include "agent/transport/http_response.h"

namespace ota::agent {
namespace {

struct Outcome {
  Status status = Status::kOk;
  bool is_complete = false;
  uint64_t body_bytes = 0;
  uint32_t body_sum = 0;
  bool operator==(const Outcome&) const = default;
};

void Check(bool holds) {
  if (!holds) std::abort();
}

Outcome Run(ByteSpan bytes, HttpResponseParser::RequestMethod method, size_t piece_bytes) {
  HttpResponseParser parser;
  parser.Start(method);
  Outcome outcome;
  while (!bytes.empty()) {
    ByteSpan piece = bytes.first(std::min(piece_bytes, bytes.size()));
    bytes = bytes.subspan(piece.size());
    while (!piece.empty()) {
      const auto progress = parser.Consume(piece);
      outcome.status = progress.status();
      if (!progress.ok()) {
        Check(parser.Consume(piece).status() == outcome.status);
        return outcome;
      }
      Check(progress->consumed_bytes > 0 && progress->consumed_bytes <= piece.size());
      Check(progress->body.size() <= progress->consumed_bytes);
      for (const uint8_t byte : progress->body) outcome.body_sum = outcome.body_sum * 31 + byte;
      outcome.body_bytes += progress->body.size();
      piece = piece.subspan(progress->consumed_bytes);
    }
  }
  outcome.is_complete = parser.is_complete();
  if (outcome.is_complete && method != HttpResponseParser::RequestMethod::kHead &&
      parser.head().status != 204 && parser.head().status != 304) {
    Check(outcome.body_bytes == parser.head().content_bytes);
  }
  return outcome;
}

}  // namespace
}  // namespace ota::agent

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using ota::agent::HttpResponseParser;
  if (size < 2) return 0;
  const auto method = static_cast<HttpResponseParser::RequestMethod>(data[0] % 3);
  const size_t piece_bytes = size_t{data[1]} + 1;
  const ota::ByteSpan bytes(data + 2, size - 2);
  const auto whole = ota::agent::Run(bytes, method, bytes.size() + 1);
  ota::agent::Check(ota::agent::Run(bytes, method, piece_bytes) == whole);
  ota::agent::Check(ota::agent::Run(bytes, method, 1) == whole);
  return 0;
}
