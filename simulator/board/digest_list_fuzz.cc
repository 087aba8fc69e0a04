// SPDX-License-Identifier: Apache-2.0
// A hostile list of digests: what is read of it is sound, and is the same when written and read
// again.
#include <cstdint>
#include <cstdlib>

#include "simulator/board/digest_list.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ota::simulator;
  const DigestList list = ParseDigestList({reinterpret_cast<const char*>(data), size});
  std::string text;
  for (const auto& [name, digest] : list) {
    const bool is_digest =
        digest.size() == 64 && digest.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!is_digest || name.empty() || name.find('\n') != std::string::npos) std::abort();
    text += digest + "  " + name + "\r\n";
  }
  if (ParseDigestList(text) != list) std::abort();
  return 0;
}
