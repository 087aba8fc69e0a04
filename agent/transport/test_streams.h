// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <string>

#include "agent/transport/byte_stream.h"

namespace ota::agent {

/// A stream whose peer says what the test wrote down, in pieces of at most `piece_bytes`, with a
/// kBusy before each piece, and then ends with `end`.
class ScriptedStream final : public ByteStream {
 public:
  ScriptedStream(std::string answer, size_t piece_bytes, Status end = Status::kEndOfInput)
      : answer_(std::move(answer)), piece_bytes_(piece_bytes), end_(end) {}

  Result<size_t> Read(MutableByteSpan target) override {
    if (target.empty()) return Status::kInvalidArgument;
    is_busy_ = !is_busy_;
    if (is_busy_) return Status::kBusy;
    if (at_ == answer_.size()) return end_;
    const size_t count = std::min({piece_bytes_, target.size(), answer_.size() - at_});
    std::copy_n(answer_.begin() + static_cast<std::ptrdiff_t>(at_), count, target.begin());
    at_ += count;
    return count;
  }

  Result<size_t> Write(ByteSpan data) override {
    if (data.empty()) return Status::kInvalidArgument;
    is_busy_ = !is_busy_;
    if (is_busy_) return Status::kBusy;
    if (written_.size() >= written_bytes_max) return Status::kConnectionLost;
    const size_t count = std::min(piece_bytes_, data.size());
    written_.append(data.begin(), data.begin() + static_cast<std::ptrdiff_t>(count));
    return count;
  }

  void Close() override { is_closed_ = true; }

  const std::string& written() const { return written_; }
  bool is_closed() const { return is_closed_; }

  size_t written_bytes_max = std::string::npos;  ///< the peer takes so many, then is gone

 private:
  std::string answer_;
  size_t piece_bytes_;
  Status end_;
  size_t at_ = 0;
  bool is_busy_ = false;
  bool is_closed_ = false;
  std::string written_;
};

}  // namespace ota::agent
