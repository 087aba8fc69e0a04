// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/http_response.h"

#include <algorithm>

namespace ota::agent {
namespace {

constexpr uint16_t kInterimAnswerEnd = 200;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

/// RFC 9110 5.6.2: what names are made of.
bool IsTokenCharacter(char c) {
  if (IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  return std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// `lower` is in lower case already.
bool IsEqualIgnoringCase(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(),
                    [](char a, char b) { return ToLower(a) == b; });
}

std::string_view TrimBlanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Takes a decimal number off the front of `text`: digits alone, no sign, at most 18 of them, so
/// that it cannot overflow.
Result<uint64_t> TakeNumber(std::string_view& text) {
  uint64_t value = 0;
  size_t length = 0;
  while (length < text.size() && IsDigit(text[length])) {
    if (length == 18) return Status::kHttpMalformed;
    value = value * 10 + static_cast<uint64_t>(text[length] - '0');
    ++length;
  }
  if (length == 0) return Status::kHttpMalformed;
  text.remove_prefix(length);
  return value;
}

Result<uint64_t> ParseNumber(std::string_view text) {
  OTA_TRY(const uint64_t value, TakeNumber(text));
  if (!text.empty()) return Status::kHttpMalformed;
  return value;
}

Status TakePrefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return Status::kHttpMalformed;
  text.remove_prefix(prefix.size());
  return Status::kOk;
}

/// `bytes first-last/total`. The forms without a range or without a total are of no use to the
/// agent: they give nothing.
Result<std::optional<HttpHead::ContentRange>> ParseContentRange(std::string_view text) {
  OTA_TRY(TakePrefix(text, "bytes "));
  if (text.starts_with('*') || text.ends_with('*')) return std::optional<HttpHead::ContentRange>();
  HttpHead::ContentRange range = {};
  OTA_TRY(range.first, TakeNumber(text));
  OTA_TRY(TakePrefix(text, "-"));
  OTA_TRY(range.last, TakeNumber(text));
  OTA_TRY(TakePrefix(text, "/"));
  OTA_TRY(range.total, ParseNumber(text));
  if (range.first > range.last || range.last >= range.total) return Status::kHttpMalformed;
  return std::optional(range);
}

bool IsStrongEtag(std::string_view text) {
  return text.size() >= 2 && text.size() <= HttpHead::kEtagBytesMax && text.front() == '"' &&
         text.back() == '"' && text.find('"', 1) == text.size() - 1;
}

bool HasListMember(std::string_view list, std::string_view member) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    if (IsEqualIgnoringCase(TrimBlanks(list.substr(0, comma)), member)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

/// Headers that ReadHeaderValue looks at: of these the whole line must be had.
bool IsHeaderOfInterest(std::string_view name) {
  for (const std::string_view known :
       {"content-length", "content-range", "transfer-encoding", "connection", "retry-after"}) {
    if (IsEqualIgnoringCase(name, known)) return true;
  }
  return false;
}

}  // namespace

void HttpResponseParser::Start(RequestMethod method) {
  *this = HttpResponseParser();
  method_ = method;
}

Status HttpResponseParser::Refuse(Status why) {
  state_ = State::kRefused;
  refusal_ = why;
  return why;
}

Result<HttpResponseParser::Progress> HttpResponseParser::Consume(ByteSpan input) {
  if (state_ == State::kRefused) return refusal_;
  if (state_ == State::kComplete && !input.empty()) return Refuse(Status::kPayloadTooLarge);
  size_t consumed = 0;
  while (consumed < input.size() && (state_ == State::kStatusLine || state_ == State::kHeaders)) {
    if (const Status status = ConsumeHeadByte(input[consumed]); !IsOk(status)) {
      return Refuse(status);
    }
    ++consumed;
    if (is_head_complete()) return Progress{consumed, {}};
  }
  if (state_ != State::kBody) return Progress{consumed, {}};
  const ByteSpan body = input.subspan(
      consumed,
      static_cast<size_t>(std::min<uint64_t>(input.size() - consumed, remaining_body_bytes_)));
  remaining_body_bytes_ -= body.size();
  if (remaining_body_bytes_ == 0) state_ = State::kComplete;
  return Progress{consumed + body.size(), body};
}

Status HttpResponseParser::ConsumeHeadByte(uint8_t byte) {
  if (++head_bytes_ > kHeadBytesMax) return Status::kHttpHeadTooLarge;
  const char c = static_cast<char>(byte);
  if (is_after_carriage_return_) {
    if (c != '\n') return Status::kHttpMalformed;
    is_after_carriage_return_ = false;
    return FinishLine();
  }
  if (c == '\r') {
    is_after_carriage_return_ = true;
    return Status::kOk;
  }
  const bool is_control = (byte < 0x20 && c != '\t') || byte == 0x7F;
  if (is_control) return Status::kHttpMalformed;
  if (line_length_ == kLineBytesMax) {
    is_line_cut_ = true;
    return Status::kOk;
  }
  line_[line_length_++] = c;
  return Status::kOk;
}

Status HttpResponseParser::FinishLine() {
  const std::string_view line(line_.data(), line_length_);
  Status status = Status::kOk;
  if (state_ == State::kStatusLine) {
    status = FinishStatusLine(line);
  } else if (line.empty()) {
    status = FinishHead();
  } else {
    status = FinishHeader(line);
  }
  line_length_ = 0;
  is_line_cut_ = false;
  return status;
}

/// `HTTP/1.1 206 Partial Content`; the reason phrase may be long or missing.
Status HttpResponseParser::FinishStatusLine(std::string_view line) {
  OTA_TRY(TakePrefix(line, "HTTP/1."));
  if (line.empty() || (line.front() != '0' && line.front() != '1')) return Status::kHttpMalformed;
  head_.keeps_connection = line.front() == '1';
  line.remove_prefix(1);
  OTA_TRY(TakePrefix(line, " "));
  if (line.size() < 3 || (line.size() > 3 && line[3] != ' ')) return Status::kHttpMalformed;
  OTA_TRY(const uint64_t status, ParseNumber(line.substr(0, 3)));
  // 101 switches to another protocol, which was never asked for.
  if (status < 100 || status > 599 || status == 101) return Status::kHttpMalformed;
  head_.status = static_cast<uint16_t>(status);
  state_ = State::kHeaders;
  return Status::kOk;
}

Status HttpResponseParser::FinishHeader(std::string_view line) {
  if (++header_count_ > kHeaderCountMax) return Status::kHttpHeadTooLarge;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) {
    return is_line_cut_ ? Status::kHttpHeadTooLarge : Status::kHttpMalformed;
  }
  const std::string_view name = line.substr(0, colon);
  if (name.empty() || !std::all_of(name.begin(), name.end(), IsTokenCharacter)) {
    return Status::kHttpMalformed;
  }
  if (is_line_cut_) {
    return IsHeaderOfInterest(name) ? Status::kHttpHeadTooLarge : Status::kOk;
  }
  return ReadHeaderValue(name, TrimBlanks(line.substr(colon + 1)));
}

Status HttpResponseParser::ReadHeaderValue(std::string_view name, std::string_view value) {
  if (IsEqualIgnoringCase(name, "content-length")) {
    if (has_content_length_) return Status::kHttpMalformed;
    has_content_length_ = true;
    OTA_TRY(head_.content_bytes, ParseNumber(value));
  } else if (IsEqualIgnoringCase(name, "content-range")) {
    OTA_TRY(head_.content_range, ParseContentRange(value));
  } else if (IsEqualIgnoringCase(name, "transfer-encoding")) {
    has_transfer_encoding_ = true;
  } else if (IsEqualIgnoringCase(name, "connection")) {
    if (HasListMember(value, "close")) head_.keeps_connection = false;
  } else if (IsEqualIgnoringCase(name, "retry-after")) {
    std::string_view rest = value;
    const Result<uint64_t> seconds = TakeNumber(rest);
    if (seconds.ok() && rest.empty()) {
      head_.retry_after_s = static_cast<uint32_t>(std::min<uint64_t>(*seconds, UINT32_MAX));
    }
  } else if (IsEqualIgnoringCase(name, "etag") && IsStrongEtag(value)) {
    std::copy(value.begin(), value.end(), head_.etag_text.begin());
    head_.etag_length = static_cast<uint8_t>(value.size());
  }
  return Status::kOk;
}

Status HttpResponseParser::FinishHead() {
  if (head_.status < kInterimAnswerEnd) {  // 100, 103: the real answer follows
    const uint16_t head_bytes = head_bytes_;
    const uint16_t header_count = header_count_;
    Start(method_);
    head_bytes_ = head_bytes;  // limits hold for all of them together
    header_count_ = header_count;
    return Status::kOk;
  }
  const bool is_bodiless =
      method_ == RequestMethod::kHead || head_.status == 204 || head_.status == 304;
  if (!is_bodiless && (has_transfer_encoding_ || !has_content_length_)) {
    return Status::kHttpLengthUnknown;
  }
  remaining_body_bytes_ = is_bodiless ? 0 : head_.content_bytes;
  state_ = remaining_body_bytes_ == 0 ? State::kComplete : State::kBody;
  return Status::kOk;
}

}  // namespace ota::agent
