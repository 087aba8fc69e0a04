// SPDX-License-Identifier: Apache-2.0
#include "server/transparency_log/tree_head.h"

#include <array>
#include <nlohmann/json.hpp>

namespace ota::server {

namespace {

using Json = nlohmann::ordered_json;

Result<uint64_t> NumberOf(const Json& json, const char* name) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) return Status::kInvalidArgument;
  return found->get<uint64_t>();
}

Status BytesOf(const Json& json, const char* name, MutableByteSpan target) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_string()) return Status::kInvalidArgument;
  return crypto::DecodeHex(found->get_ref<const std::string&>(), target);
}

}  // namespace

crypto::Sha256Digest ComputeSigningDigest(const TreeHead& head) {
  constexpr std::string_view kContext = "ota-tinyml tree head 1";
  std::array<uint8_t, 16> numbers;
  StoreBe64(numbers.data(), head.size);
  StoreBe64(numbers.data() + 8, head.time_s);
  DigestStream stream;
  stream.Update({reinterpret_cast<const uint8_t*>(kContext.data()), kContext.size()});
  stream.Update(numbers);
  stream.Update(head.root);
  return stream.Finish();
}

std::string EncodeTreeHead(const TreeHead& head) {
  Json json;
  json["size"] = head.size;
  json["time"] = head.time_s;
  json["root"] = HexText(head.root);
  json["signature"] = HexText(head.signature);
  return json.dump(2) + "\n";
}

Result<TreeHead> DecodeTreeHead(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Status::kInvalidArgument;
  TreeHead head;
  OTA_TRY(head.size, NumberOf(json, "size"));
  OTA_TRY(head.time_s, NumberOf(json, "time"));
  OTA_TRY(BytesOf(json, "root", head.root));
  OTA_TRY(BytesOf(json, "signature", head.signature));
  return head;
}

}  // namespace ota::server
