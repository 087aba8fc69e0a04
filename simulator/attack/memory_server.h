// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/transport/message_exchange.h"
#include "agent/transport/payload_source.h"
#include "crypto/host/signing_key.h"
#include "formats/host/authoring.h"
#include "formats/trust/poll.h"

namespace ota::simulator {

/// A server in memory that answers polls as the real one does, from what was put into it; whoever
/// plays the attacker then changes its answers on their way. Every exchange is busy at first.
class MemoryServer final : public agent::MessageExchange {
 public:
  using Bytes = formats::Bytes;
  struct Release {
    formats::SequenceResetSpec component;
    Bytes envelope;
  };

  crypto::SigningKey* freshness_key = nullptr;
  uint64_t time_s = 1'800'000'000;
  std::vector<Bytes> roots;   ///< signed; version 1 first
  uint32_t root_version = 1;  ///< that the statements name
  std::vector<Release> releases;
  std::vector<Bytes> logged;  ///< envelopes in the transparency log
  std::function<void(const std::string& path, Bytes& answer)> tamper;

  std::vector<std::string> paths;  ///< that were asked for

  void Start(std::string_view path, ByteSpan message) override;
  Result<uint32_t> Step(MutableByteSpan target) override;
  void Close() override {}

 private:
  struct Log {
    std::vector<crypto::Sha256Digest> nodes;
    formats::LogHead head;
  };

  Result<Bytes> Find(const std::string& path) const;
  Result<Bytes> AnswerPoll(ByteSpan message) const;
  Log BuildLog() const;
  void AddProof(const Bytes& envelope, const Log& log, formats::PollOffer& offer,
                Bytes& path) const;

  Result<Bytes> answer_ = Status::kNotFound;
  bool is_busy_ = false;
};

/// Gives one payload whatever it is asked for; announces as many bytes as the device expects, if it
/// is told to.
class MemoryPayloadSource final : public agent::PayloadSource {
 public:
  formats::Bytes payload;
  uint64_t announced_bytes = 0;  ///< 0: the truth
  size_t stall_at = SIZE_MAX;    ///< nothing comes from there on, ever
  int request_count = 0;
  std::string last_path;

  void Start(const Request& request) override;
  Result<Event> Step() override;
  uint64_t total_bytes() const override {
    return announced_bytes != 0 ? announced_bytes : payload.size();
  }
  uint32_t first_offset() const override { return first_; }
  std::string_view validator() const override { return {}; }
  uint32_t retry_after_s() const override { return 0; }
  uint16_t http_status() const override { return 0; }
  void Close() override {}

 private:
  size_t at_ = 0;
  uint32_t first_ = 0;
  bool has_started_ = false;
};

}  // namespace ota::simulator
