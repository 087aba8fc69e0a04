// SPDX-License-Identifier: Apache-2.0
#include "simulator/board/digest_list.h"

#include <algorithm>
#include <sstream>

namespace ota::simulator {
namespace {

constexpr size_t kDigestDigits = 64;
constexpr size_t kNameAt = kDigestDigits + 2;

/// 0: not a hexadecimal digit.
char LowerDigit(char c) {
  if (c >= 'A' && c <= 'F') return static_cast<char>(c - 'A' + 'a');
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ? c : '\0';
}

}  // namespace

DigestList ParseDigestList(const std::string& text) {
  DigestList digests;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.size() <= kNameAt || line[kDigestDigits] != ' ') continue;
    std::string digest = line.substr(0, kDigestDigits);
    std::transform(digest.begin(), digest.end(), digest.begin(), LowerDigit);
    if (digest.find('\0') == std::string::npos) digests[line.substr(kNameAt)] = digest;
  }
  return digests;
}

}  // namespace ota::simulator
