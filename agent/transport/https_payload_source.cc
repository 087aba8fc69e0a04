// SPDX-License-Identifier: Apache-2.0
#include "agent/transport/https_payload_source.h"

#include <algorithm>

namespace ota::agent {

void HttpsPayloadSource::Start(const Request& request) {
  wanted_offset_ = request.offset;
  first_offset_ = 0;
  total_bytes_ = 0;
  has_head_ = false;
  is_path_too_long_ = !IsInBounds(prefix_.size(), request.path.size(), path_.size());
  if (is_path_too_long_) return;
  const auto end = std::copy(prefix_.begin(), prefix_.end(), path_.begin());
  std::copy(request.path.begin(), request.path.end(), end);
  HttpRequest http;
  http.target = {path_.data(), prefix_.size() + request.path.size()};
  if (request.offset > 0) {
    http.range_first = request.offset;
    http.if_range = request.validator;
  }
  client_.Start(http);
}

Result<PayloadSource::Event> HttpsPayloadSource::Step() {
  if (is_path_too_long_) return Status::kInvalidArgument;
  OTA_TRY(const HttpClient::Event event, client_.Step());
  if (event.kind == HttpClient::EventKind::kBody) return Event{EventKind::kData, event.body};
  if (event.kind == HttpClient::EventKind::kEnd) return Event{EventKind::kEnd, {}};
  if (const Status status = ReadHead(); !IsOk(status)) {
    client_.Close();  // the body of a refusal is not read
    return status;
  }
  return Event{EventKind::kStart, {}};
}

Status HttpsPayloadSource::ReadHead() {
  has_head_ = true;
  const HttpHead& head = client_.head();
  switch (head.status) {
    case 200:
      first_offset_ = 0;
      total_bytes_ = head.content_bytes;
      return Status::kOk;
    case 206: {
      const auto& range = head.content_range;
      if (wanted_offset_ == 0 || !range || range->first != wanted_offset_ ||
          range->last != range->total - 1 || head.content_bytes != range->total - range->first) {
        return Status::kHttpMalformed;
      }
      first_offset_ = wanted_offset_;
      total_bytes_ = range->total;
      return Status::kOk;
    }
    case 404:
    case 410:
      return Status::kNotFound;
    case 412:
    case 416:
      return wanted_offset_ > 0 ? Status::kArtifactChanged : Status::kHttpStatusUnexpected;
    default:
      return Status::kHttpStatusUnexpected;
  }
}

}  // namespace ota::agent
