// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "agent/port/port.h"
#include "base/prng.h"

namespace ota::agent {

inline ByteSpan AsBytes(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

/// A clock that moves only when told.
class TestClock final : public Clock {
 public:
  uint64_t now_ms() const override { return time_ms; }
  uint64_t time_ms = 1000;
};

class TestCalendar final : public Calendar {
 public:
  std::optional<int64_t> unix_time_s() const override { return time_s; }
  std::optional<int64_t> time_s;
};

/// Repeatable; never for secrets.
class TestEntropy final : public Entropy {
 public:
  Status Fill(MutableByteSpan target) override {
    for (uint8_t& byte : target) byte = static_cast<uint8_t>(prng_.Next());
    return Status::kOk;
  }

 private:
  Prng prng_{42};
};

class NoNetwork final : public Network {
 public:
  Result<ByteStream*> Connect(std::string_view, uint16_t) override {
    return Status::kConnectionRefused;
  }
  void Disconnect() override {}
};

}  // namespace ota::agent
