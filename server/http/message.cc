// SPDX-License-Identifier: Apache-2.0
#include "server/http/message.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ota::server {

namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool EqualsIgnoringCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (Lower(c) >= 'a' && Lower(c) <= 'f') return Lower(c) - 'a' + 10;
  return -1;
}

Result<std::string> DecodePercent(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (!IsInBounds(i, 3, text.size())) return Status::kInvalidArgument;
      const int high = HexValue(text[i + 1]);
      const int low = HexValue(text[i + 2]);
      if (high < 0 || low < 0) return Status::kInvalidArgument;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F) return Status::kInvalidArgument;
    decoded += c;
  }
  return decoded;
}

}  // namespace

std::optional<std::string> Request::FindHeader(std::string_view name) const {
  std::optional<std::string> found;
  for (const Header& header : headers) {
    if (!EqualsIgnoringCase(header.name, name)) continue;
    found = found ? *found + ", " + header.value : header.value;
  }
  return found;
}

uint64_t Response::body_bytes() const {
  if (const auto* text = std::get_if<std::string>(&body)) return text->size();
  return std::get<SourceBody>(body).length;
}

Response ErrorResponse(int status, std::string_view what, std::string_view remedy,
                       std::string_view name) {
  nlohmann::ordered_json error;
  error["status"] = status;
  error["reason"] = ReasonPhrase(status);
  if (!name.empty()) error["name"] = name;
  error["what"] = what;
  error["do"] = remedy;
  Response response;
  response.status = status;
  response.AddHeader("Content-Type", "application/json");
  response.AddHeader("Cache-Control", "no-store");
  // What a peer sent may not be UTF-8; such bytes are replaced, never thrown over.
  response.body = nlohmann::ordered_json{{"error", error}}.dump(
                      2, ' ', false, nlohmann::json::error_handler_t::replace) +
                  "\n";
  return response;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 100:
      return "Continue";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 505:
      return "HTTP Version Not Supported";
    case 507:
      return "Insufficient Storage";
    default:
      return "Unknown";
  }
}

std::string ResponseHead(const Response& response, bool is_keep_alive, std::string_view date) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  const auto add = [&head](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  head.append(ReasonPhrase(response.status)).append("\r\n");
  add("Date", date);
  add("Server", "ota-tinyml");
  for (const Header& header : response.headers) add(header.name, header.value);
  add("X-Content-Type-Options", "nosniff");
  const bool has_length =
      response.status >= 200 && response.status != 204 && response.status != 304;
  if (has_length) add("Content-Length", std::to_string(response.body_bytes()));
  add("Connection", is_keep_alive ? "keep-alive" : "close");
  return head + "\r\n";
}

Status DecodeTarget(std::string_view target, Request& request) {
  constexpr std::string_view kSchemes[] = {"https://", "http://"};
  for (const std::string_view scheme : kSchemes) {
    if (!EqualsIgnoringCase(target.substr(0, scheme.size()), scheme)) continue;
    const size_t path_offset = target.find_first_of("/?", scheme.size());
    target = path_offset == std::string_view::npos ? "/" : target.substr(path_offset);
    break;
  }
  if (!target.starts_with('/')) return Status::kInvalidArgument;
  const size_t query_offset = target.find('?');
  OTA_TRY(std::string path, DecodePercent(target.substr(0, query_offset)));
  request.path = std::move(path);
  request.query =
      query_offset == std::string_view::npos ? "" : std::string(target.substr(query_offset + 1));
  return Status::kOk;
}

}  // namespace ota::server
