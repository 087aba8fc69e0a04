// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "agent/transport/https_client.h"
#include "agent/transport/message_exchange.h"

namespace ota::agent {

/// Messages by POST and GET.
class HttpsExchange final : public MessageExchange {
 public:
  static constexpr size_t kPathBytesMax = 160;

  /// All must outlive the exchange; the client is used by it alone between Start and the end.
  /// `prefix` is put before each path. `timeout_ms` is for the exchange as a whole.
  HttpsExchange(HttpsClient& client, const Clock& clock, std::string_view prefix,
                uint32_t timeout_ms = 30'000)
      : client_(client), clock_(clock), prefix_(prefix), timeout_ms_(timeout_ms) {}

  void Start(std::string_view path, ByteSpan message) override;
  /// Besides: kInvalidArgument: path and prefix are longer than kPathBytesMax.
  Result<uint32_t> Step(MutableByteSpan target) override;
  void Close() override { client_.Close(); }

  /// The status of HTTP of the last answer, or 0: for messages.
  uint16_t http_status() const { return http_status_; }

 private:
  Result<uint32_t> Take(const HttpClient::Event& event, MutableByteSpan target);
  Status CheckHead(size_t room_bytes);

  HttpsClient& client_;
  const Clock& clock_;
  std::string_view prefix_;
  uint32_t timeout_ms_;
  std::array<char, kPathBytesMax> path_ = {};
  uint64_t end_ms_ = 0;
  uint32_t received_bytes_ = 0;
  uint16_t http_status_ = 0;
  bool is_path_too_long_ = false;
};

}  // namespace ota::agent
