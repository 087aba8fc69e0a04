// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/http_client.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace ota::agent {
namespace {

/// Visible ASCII alone: no byte of a field can end its line or start another.
bool IsVisible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

bool IsPrintable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7F; });
}

class TextWriter {
 public:
  explicit TextWriter(MutableByteSpan target) : bytes_(target) {}

  TextWriter& Add(std::string_view text) {
    const ByteSpan bytes(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    if (IsOk(status_)) status_ = bytes_.WriteBytes(bytes);
    return *this;
  }
  TextWriter& AddNumber(uint64_t value) {
    std::array<char, 20> digits;
    const std::to_chars_result end = std::to_chars(digits.begin(), digits.end(), value);
    return Add({digits.data(), static_cast<size_t>(end.ptr - digits.data())});
  }
  TextWriter& AddHeader(std::string_view name, std::string_view value) {
    return Add(name).Add(": ").Add(value).Add("\r\n");
  }
  Result<ByteSpan> Finish() const {
    if (!IsOk(status_)) return status_;
    return bytes_.written();
  }

 private:
  ByteWriter bytes_;
  Status status_ = Status::kOk;
};

std::string_view MethodName(HttpRequest::Method method) {
  switch (method) {
    case HttpRequest::Method::kGet:
      return "GET ";
    case HttpRequest::Method::kHead:
      return "HEAD ";
    case HttpRequest::Method::kPost:
      return "POST ";
  }
  return "GET ";
}

}  // namespace

Result<ByteSpan> EncodeHttpRequest(const HttpRequest& request, MutableByteSpan target) {
  if (!request.target.starts_with('/') || !IsVisible(request.target)) {
    return Status::kInvalidArgument;
  }
  if (request.host.empty() || !IsVisible(request.host)) return Status::kInvalidArgument;
  if (!IsPrintable(request.if_range) || !IsPrintable(request.content_type) ||
      !IsPrintable(request.authorization)) {
    return Status::kInvalidArgument;
  }
  const bool has_body = request.method == HttpRequest::Method::kPost;
  if (!has_body && !request.body.empty()) return Status::kInvalidArgument;

  TextWriter text(target);
  text.Add(MethodName(request.method)).Add(request.target).Add(" HTTP/1.1\r\n");
  text.AddHeader("Host", request.host).AddHeader("Accept-Encoding", "identity");
  if (!request.authorization.empty()) text.AddHeader("Authorization", request.authorization);
  if (request.range_first) {
    text.Add("Range: bytes=").AddNumber(*request.range_first).Add("-\r\n");
    if (!request.if_range.empty()) text.AddHeader("If-Range", request.if_range);
  }
  if (!request.content_type.empty()) text.AddHeader("Content-Type", request.content_type);
  if (has_body) text.Add("Content-Length: ").AddNumber(request.body.size()).Add("\r\n");
  return text.Add("\r\n").Finish();
}

Status HttpClient::Start(ByteStream& stream, const HttpRequest& request) {
  OTA_TRY(const ByteSpan head, EncodeHttpRequest(request, buffer_));
  stream_ = &stream;
  unsent_ = head;
  unsent_body_ = request.body;
  unparsed_ = {};
  is_head_told_ = false;
  parser_.Start(request.method);
  state_ = State::kSendingHead;
  return Status::kOk;
}

Result<HttpClient::Event> HttpClient::Fail(Status why) {
  state_ = State::kIdle;
  return why;
}

Result<HttpClient::Event> HttpClient::Step() {
  if (state_ == State::kIdle) return Status::kWrongState;
  if (state_ != State::kReceiving) {
    const Status status = Send();
    if (status == Status::kBusy) return status;
    if (!IsOk(status))
      return Fail(status == Status::kEndOfInput ? Status::kConnectionLost : status);
    if (state_ != State::kReceiving) return Status::kBusy;
  }
  return Receive();
}

/// Sends once; what is left is sent by later steps.
Status HttpClient::Send() {
  ByteSpan& unsent = state_ == State::kSendingHead ? unsent_ : unsent_body_;
  if (!unsent.empty()) {
    OTA_TRY(const size_t sent_bytes, stream_->Write(unsent));
    unsent = unsent.subspan(std::min(sent_bytes, unsent.size()));
  }
  if (!unsent.empty()) return Status::kOk;
  const bool has_more = state_ == State::kSendingHead && !unsent_body_.empty();
  state_ = has_more ? State::kSendingBody : State::kReceiving;
  return Status::kOk;
}

Result<HttpClient::Event> HttpClient::Receive() {
  if (parser_.is_complete()) {
    // Nothing may follow an answer before the next request.
    if (!unparsed_.empty()) return Fail(Status::kPayloadTooLarge);
    state_ = State::kIdle;
    return Event{EventKind::kEnd, {}};
  }
  if (unparsed_.empty()) {
    const Result<size_t> read_bytes = stream_->Read(buffer_);
    if (read_bytes.status() == Status::kBusy) return Status::kBusy;
    if (!read_bytes.ok()) {
      const bool has_closed = read_bytes.status() == Status::kEndOfInput;
      return Fail(has_closed ? Status::kConnectionLost : read_bytes.status());
    }
    unparsed_ = buffer_.first(std::min(*read_bytes, buffer_.size()));
  }
  const Result<HttpResponseParser::Progress> progress = parser_.Consume(unparsed_);
  if (!progress.ok()) return Fail(progress.status());
  unparsed_ = unparsed_.subspan(progress->consumed_bytes);
  if (!is_head_told_ && parser_.is_head_complete()) {
    is_head_told_ = true;
    return Event{EventKind::kHead, {}};
  }
  if (progress->body.empty()) return Status::kBusy;
  return Event{EventKind::kBody, progress->body};
}

}  // namespace ota::agent
