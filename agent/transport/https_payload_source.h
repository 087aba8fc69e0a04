// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "agent/transport/https_client.h"
#include "agent/transport/payload_source.h"

namespace ota::agent {

/// Artifacts by GET, with Range and If-Range (RFC 9110 13 and 14) when not from the start. The
/// validator is the strong entity tag.
class HttpsPayloadSource final : public PayloadSource {
 public:
  static constexpr size_t kPathBytesMax = 160;

  /// `client` must outlive the source and is used by it alone between Start and the last event.
  /// `prefix`, put before each path, must outlive it too.
  HttpsPayloadSource(HttpsClient& client, std::string_view prefix)
      : client_(client), prefix_(prefix) {}

  /// A path that is longer than kPathBytesMax with its prefix is answered by kInvalidArgument.
  void Start(const Request& request) override;
  Result<Event> Step() override;
  uint64_t total_bytes() const override { return total_bytes_; }
  uint32_t first_offset() const override { return first_offset_; }
  std::string_view validator() const override {
    return has_head_ ? client_.head().etag() : std::string_view();
  }
  uint32_t retry_after_s() const override {
    return has_head_ ? client_.head().retry_after_s.value_or(0) : 0;
  }
  uint16_t http_status() const override { return has_head_ ? client_.head().status : uint16_t{0}; }
  void Close() override { client_.Close(); }

 private:
  Status ReadHead();

  HttpsClient& client_;
  std::string_view prefix_;
  std::array<char, kPathBytesMax> path_ = {};
  bool is_path_too_long_ = false;
  bool has_head_ = false;  ///< of this request's answer
  uint32_t wanted_offset_ = 0;
  uint32_t first_offset_ = 0;
  uint64_t total_bytes_ = 0;
};

}  // namespace ota::agent
