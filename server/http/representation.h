// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "server/http/message.h"

namespace ota::server {

/// Bytes with a strong entity tag that are to be sent.
struct Representation {
  std::shared_ptr<ByteSource> source;
  std::string entity_tag;       ///< With its quotes.
  std::vector<Header> headers;  ///< Content-Type and the like, for 200 and 206.
};

/// Whether one of the tags of an If-Match or If-None-Match list is `entity_tag`, or the list is
/// `*`. A weak tag (W/"…") matches only when `is_weak_accepted`.
enum class TagComparison { kStrong, kWeak };
bool MatchesEntityTag(std::string_view list, std::string_view entity_tag, TagComparison comparison);

/// Answers a GET or HEAD in the order of RFC 9110, section 13.2.2: If-Match (412), If-None-Match
/// (304), then Range with If-Range (206, 416), else 200.
Response ServeRepresentation(const Request& request, Representation representation);

}  // namespace ota::server
