// SPDX-License-Identifier: Apache-2.0
#include "server/http/representation.h"

#include <algorithm>

#include "server/http/byte_range.h"

namespace ota::server {

namespace {

std::string_view SkipSeparators(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(" \t,"), text.size()));
}

Response NotModified(const Representation& representation) {
  Response response;
  response.status = 304;
  response.AddHeader("ETag", representation.entity_tag);
  response.AddHeader("Cache-Control", "no-cache");
  return response;
}

Response Unsatisfiable(const Representation& representation) {
  const std::string size = std::to_string(representation.source->size_bytes());
  Response response =
      ErrorResponse(416, "the range begins past the end, at " + size + " bytes",
                    "ask for bytes below " + size + ", or you have everything already");
  response.AddHeader("Content-Range", "bytes */" + size);
  response.AddHeader("ETag", representation.entity_tag);
  return response;
}

// The range to serve; the whole if there is none or If-Range names another version.
ByteRange RequestedRange(const Request& request, const Representation& representation) {
  const std::optional<std::string> range = request.FindHeader("Range");
  if (!range || request.method != "GET") return {};
  const std::optional<std::string> condition = request.FindHeader("If-Range");
  // A date is never a strong validator here, as no Last-Modified is sent.
  if (condition && *condition != representation.entity_tag) return {};
  return ParseByteRange(*range, representation.source->size_bytes());
}

}  // namespace

bool MatchesEntityTag(std::string_view list, std::string_view entity_tag,
                      TagComparison comparison) {
  std::string_view rest = SkipSeparators(list);
  if (rest.starts_with('*')) return true;
  while (!rest.empty()) {
    const bool is_weak = rest.starts_with("W/");
    if (is_weak) rest.remove_prefix(2);
    const size_t end = rest.starts_with('"') ? rest.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return false;
    const bool is_comparable = !is_weak || comparison == TagComparison::kWeak;
    if (is_comparable && rest.substr(0, end + 1) == entity_tag) return true;
    rest = SkipSeparators(rest.substr(end + 1));
  }
  return false;
}

Response ServeRepresentation(const Request& request, Representation representation) {
  const std::string& tag = representation.entity_tag;
  const std::optional<std::string> if_match = request.FindHeader("If-Match");
  if (if_match && !MatchesEntityTag(*if_match, tag, TagComparison::kStrong)) {
    Response response = ErrorResponse(412, "the version that If-Match names is not here any more",
                                      "begin again with the version " + tag);
    response.AddHeader("ETag", tag);
    return response;
  }
  const std::optional<std::string> if_none_match = request.FindHeader("If-None-Match");
  if (if_none_match && MatchesEntityTag(*if_none_match, tag, TagComparison::kWeak)) {
    return NotModified(representation);
  }
  const uint32_t size_bytes = representation.source->size_bytes();
  const ByteRange range = RequestedRange(request, representation);
  if (range.kind == ByteRange::Kind::kUnsatisfiable) return Unsatisfiable(representation);

  Response response;
  response.headers = std::move(representation.headers);
  response.AddHeader("ETag", tag);
  response.AddHeader("Cache-Control", "no-cache");
  response.AddHeader("Accept-Ranges", "bytes");
  SourceBody body{.source = representation.source, .offset = 0, .length = size_bytes};
  if (range.kind == ByteRange::Kind::kPart) {
    response.status = 206;
    response.AddHeader("Content-Range", "bytes " + std::to_string(range.offset) + "-" +
                                            std::to_string(range.offset + range.length - 1) + "/" +
                                            std::to_string(size_bytes));
    body.offset = range.offset;
    body.length = range.length;
  }
  response.body = std::move(body);
  return response;
}

}  // namespace ota::server
