// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/https_exchange.h"

#include <algorithm>

namespace ota::agent {

void HttpsExchange::Start(std::string_view path, ByteSpan message) {
  received_bytes_ = 0;
  http_status_ = 0;
  end_ms_ = clock_.now_ms() + timeout_ms_;
  is_path_too_long_ = !IsInBounds(prefix_.size(), path.size(), path_.size());
  if (is_path_too_long_) return;
  const auto end = std::copy(prefix_.begin(), prefix_.end(), path_.begin());
  std::copy(path.begin(), path.end(), end);
  HttpRequest request;
  request.target = {path_.data(), prefix_.size() + path.size()};
  if (!message.empty()) {
    request.method = HttpRequest::Method::kPost;
    request.content_type = "application/cbor";
    request.body = message;
  }
  client_.Start(request);
}

Result<uint32_t> HttpsExchange::Step(MutableByteSpan target) {
  if (is_path_too_long_) return Status::kInvalidArgument;
  const Result<HttpClient::Event> event = client_.Step();
  const bool is_late = clock_.now_ms() >= end_ms_;
  if (event.status() == Status::kBusy && !is_late) return Status::kBusy;
  Result<uint32_t> outcome = Status::kTimedOut;
  if (event.ok()) {
    outcome = Take(*event, target);
    if (outcome.status() == Status::kBusy && is_late) outcome = Status::kTimedOut;
  } else if (event.status() != Status::kBusy) {
    outcome = event.status();
  }
  if (!outcome.ok() && outcome.status() != Status::kBusy) client_.Close();
  return outcome;
}

Result<uint32_t> HttpsExchange::Take(const HttpClient::Event& event, MutableByteSpan target) {
  switch (event.kind) {
    case HttpClient::EventKind::kHead:
      OTA_TRY(CheckHead(target.size()));
      return Status::kBusy;
    case HttpClient::EventKind::kBody:
      if (!IsInBounds(received_bytes_, event.body.size(), target.size())) {
        return Status::kPayloadTooLarge;
      }
      std::copy(event.body.begin(), event.body.end(),
                target.begin() + static_cast<std::ptrdiff_t>(received_bytes_));
      received_bytes_ += static_cast<uint32_t>(event.body.size());
      return Status::kBusy;
    case HttpClient::EventKind::kEnd:
      break;
  }
  return received_bytes_;
}

Status HttpsExchange::CheckHead(size_t room_bytes) {
  http_status_ = client_.head().status;
  if (http_status_ == 404 || http_status_ == 410) return Status::kNotFound;
  if (http_status_ != 200) return Status::kHttpStatusUnexpected;
  return client_.head().content_bytes <= room_bytes ? Status::kOk : Status::kPayloadTooLarge;
}

}  // namespace ota::agent
