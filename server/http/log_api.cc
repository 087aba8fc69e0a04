// SPDX-License-Identifier: Apache-2.0
#include "server/http/log_api.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "crypto/host/hex.h"
#include "crypto/host/pem_key.h"

namespace ota::server {

namespace {

using Json = nlohmann::ordered_json;

Response TextResponse(std::string_view media_type, std::string text) {
  Response response;
  response.AddHeader("Content-Type", std::string(media_type));
  response.AddHeader("Cache-Control", "no-store");
  response.body = std::move(text);
  return response;
}

std::optional<uint64_t> ParseNumber(std::string_view text) {
  uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failed != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

// The value of NAME in a query of the form NAME=VALUE&…; empty if there is none.
std::string_view QueryValue(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view member = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(member.size() + 1, query.size()));
    if (member.starts_with(name) && member.substr(name.size()).starts_with('=')) {
      return member.substr(name.size() + 1);
    }
  }
  return "";
}

Json PathJson(const std::vector<Digest>& path) {
  Json json = Json::array();
  for (const Digest& digest : path) json.push_back(HexText(digest));
  return json;
}

Response AbsentError() {
  return ErrorResponse(404, "the log has no such entry, or not so many",
                       "GET /log/head says how many it has");
}

Response HandleEntryGet(std::string_view index_text, const TransparencyLog& log) {
  const std::optional<uint64_t> index = ParseNumber(index_text);
  if (!index) return AbsentError();
  const Result<std::vector<uint8_t>> entry = log.ReadEntry(*index);
  if (entry.status() == Status::kMediumFailed) {
    return ErrorResponse(500, "the entry cannot be read", "tell the operator of this server");
  }
  if (!entry.ok()) return AbsentError();
  return TextResponse("application/suit-envelope+cose", std::string(entry->begin(), entry->end()));
}

Response HandleInclusionGet(std::string_view query, const TransparencyLog& log) {
  Digest leaf;
  const std::optional<uint64_t> size = ParseNumber(QueryValue(query, "size"));
  if (!size || !IsOk(crypto::DecodeHex(QueryValue(query, "leaf"), leaf))) {
    return ErrorResponse(400, "leaf or size is missing or malformed",
                         "ask for /log/inclusion?leaf=HEX&size=N");
  }
  const Result<TransparencyLog::Inclusion> proof = log.ProveInclusion(leaf, *size);
  if (!proof.ok()) return AbsentError();
  Json json;
  json["index"] = proof->index;
  json["size"] = proof->tree_size;
  json["path"] = PathJson(proof->path);
  return TextResponse("application/json", json.dump(2) + "\n");
}

Response HandleConsistencyGet(std::string_view query, const TransparencyLog& log) {
  const std::optional<uint64_t> first = ParseNumber(QueryValue(query, "first"));
  const std::optional<uint64_t> second = ParseNumber(QueryValue(query, "second"));
  if (!first || !second) {
    return ErrorResponse(400, "first or second is missing or malformed",
                         "ask for /log/consistency?first=N&second=N");
  }
  const Result<std::vector<Digest>> proof = log.ProveConsistency(*first, *second);
  if (!proof.ok()) return AbsentError();
  Json json;
  json["first"] = *first;
  json["second"] = *second;
  json["path"] = PathJson(*proof);
  return TextResponse("application/json", json.dump(2) + "\n");
}

}  // namespace

void AddLogRoutes(Router& router, TransparencyLog& log) {
  using PathParts = Router::PathParts;
  router.Add("GET", "/log/head", [&log](const Request&, const PathParts&) -> Reply {
    return TextResponse("application/json", EncodeTreeHead(log.ReadHead()));
  });
  router.Add("GET", "/log/key", [&log](const Request&, const PathParts&) -> Reply {
    Result<std::string> pem = crypto::EncodePublicPem(log.public_key());
    if (!pem.ok()) return ErrorResponse(500, "the key cannot be encoded", "tell the operator");
    return TextResponse("application/x-pem-file", std::move(*pem));
  });
  router.Add("GET", "/log/entries/{index}",
             [&log](const Request&, const PathParts& parts) -> Reply {
               return HandleEntryGet(parts[0], log);
             });
  router.Add("GET", "/log/inclusion", [&log](const Request& request, const PathParts&) -> Reply {
    return HandleInclusionGet(request.query, log);
  });
  router.Add("GET", "/log/consistency", [&log](const Request& request, const PathParts&) -> Reply {
    return HandleConsistencyGet(request.query, log);
  });
}

}  // namespace ota::server
