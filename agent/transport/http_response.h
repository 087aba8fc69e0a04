// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"

namespace ota::agent {

/// What the header section of an answer said, as far as the agent cares.
struct HttpHead {
  /// `Content-Range: bytes first-last/total`; both ends included.
  struct ContentRange {
    uint64_t first;
    uint64_t last;
    uint64_t total;
    bool operator==(const ContentRange&) const = default;
  };

  static constexpr size_t kEtagBytesMax = 80;

  uint16_t status = 0;
  uint64_t content_bytes = 0;  ///< length of the body that follows this header section
  std::optional<ContentRange> content_range;
  std::optional<uint32_t> retry_after_s;  ///< only its form in seconds is read
  bool keeps_connection = true;

  /// The strong validator, quotes included; empty when there was none, or a weak one, or one longer
  /// than kEtagBytesMax.
  std::string_view etag() const { return {etag_text.data(), etag_length}; }

  std::array<char, kEtagBytesMax> etag_text = {};
  uint8_t etag_length = 0;
};

/// Reads one HTTP/1.1 answer (RFC 9112) as its bytes come, however they are cut. Total: any bytes
/// lead to an answer or to a refusal, and none needs more memory than this object.
///
/// Strict where leniency has led to attacks: lines end in CR LF, no folded lines, no blanks around
/// names, exactly one Content-Length. An answer whose length is not announced (chunked, or up to
/// the end of the connection) is refused, since the agent never takes bytes without a bound.
class HttpResponseParser {
 public:
  static constexpr size_t kHeadBytesMax = 8192;  ///< all header sections of an answer together
  static constexpr size_t kHeaderCountMax = 64;
  /// Of a line that the agent reads; lines of other headers may be as long as the head allows.
  static constexpr size_t kLineBytesMax = 128;

  enum class RequestMethod : uint8_t { kGet, kHead, kPost };

  struct Progress {
    size_t consumed_bytes;  ///< how many of the given bytes are done with
    ByteSpan body;          ///< the bytes of body among them; a part of the given bytes
  };

  /// Forgets everything and gets ready for the answer to a request of that method.
  void Start(RequestMethod method);

  /// Takes bytes from the front of `input`. It stops early where the header section ends and where
  /// the answer ends, so call it again with the rest until all is consumed.
  /// kHttpMalformed, kHttpHeadTooLarge, kHttpLengthUnknown: refused, and every further call says
  /// the same. kPayloadTooLarge: there are bytes behind the end of the answer.
  Result<Progress> Consume(ByteSpan input);

  bool is_head_complete() const { return state_ == State::kBody || state_ == State::kComplete; }
  bool is_complete() const { return state_ == State::kComplete; }

  /// Only when is_head_complete().
  const HttpHead& head() const { return head_; }
  /// Bytes of the body still to come.
  uint64_t remaining_body_bytes() const { return remaining_body_bytes_; }

 private:
  enum class State : uint8_t { kStatusLine, kHeaders, kBody, kComplete, kRefused };

  Status ConsumeHeadByte(uint8_t byte);
  Status FinishLine();
  Status FinishStatusLine(std::string_view line);
  Status FinishHeader(std::string_view line);
  Status FinishHead();
  Status ReadHeaderValue(std::string_view name, std::string_view value);
  Status Refuse(Status why);

  RequestMethod method_ = RequestMethod::kGet;
  State state_ = State::kStatusLine;
  Status refusal_ = Status::kOk;
  HttpHead head_;
  bool has_content_length_ = false;
  bool has_transfer_encoding_ = false;
  bool is_after_carriage_return_ = false;
  bool is_line_cut_ = false;  ///< the line is longer than line_ and its tail is dropped
  uint16_t line_length_ = 0;
  uint16_t head_bytes_ = 0;
  uint16_t header_count_ = 0;
  uint64_t remaining_body_bytes_ = 0;
  std::array<char, kLineBytesMax> line_ = {};
};

}  // namespace ota::agent
