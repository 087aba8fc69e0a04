// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>

#include "base/bytes.h"

namespace ota::agent {

/// Where something lies at a server: a folder and the digest or the number that names it there. It
/// holds its text, so it must live as long as the path is used.
class ServerPath {
 public:
  ServerPath() = default;

  /// FOLDER and the digest in lower case hexadecimal, e.g. "/payloads/" and 32 bytes.
  ServerPath(std::string_view folder, ByteSpan digest) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    Append(folder);
    for (const uint8_t byte : digest) {
      const std::array<char, 2> pair = {kDigits[byte >> 4], kDigits[byte & 15]};
      Append({pair.data(), pair.size()});
    }
  }

  /// FOLDER and the number in decimal.
  ServerPath(std::string_view folder, uint32_t number) {
    Append(folder);
    std::array<char, 10> digits;
    const std::to_chars_result end = std::to_chars(digits.begin(), digits.end(), number);
    Append({digits.data(), static_cast<size_t>(end.ptr - digits.data())});
  }

  std::string_view view() const { return {text_.data(), length_}; }

 private:
  static constexpr size_t kTextBytesMax = 80;  // a folder's name and a SHA-256

  void Append(std::string_view text) {
    const size_t count = std::min(text.size(), text_.size() - length_);
    std::copy_n(text.begin(), count, text_.begin() + static_cast<std::ptrdiff_t>(length_));
    length_ += count;
  }

  std::array<char, kTextBytesMax> text_ = {};
  size_t length_ = 0;
};

}  // namespace ota::agent
