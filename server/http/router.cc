// SPDX-License-Identifier: Apache-2.0
#include "server/http/router.h"

#include <algorithm>
#include <array>
#include <optional>

namespace ota::server {

namespace {

constexpr std::array<std::string_view, 9> kMethods = {
    "GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"};

// The part of `text` before the next '/', and what follows from the '/' on.
std::pair<std::string_view, std::string_view> SplitAtSlash(std::string_view text) {
  const size_t slash = std::min(text.find('/'), text.size());
  return {text.substr(0, slash), text.substr(slash)};
}

std::optional<Router::PathParts> MatchPattern(std::string_view pattern, std::string_view path) {
  Router::PathParts parts;
  while (pattern.starts_with('/') && path.starts_with('/')) {
    const auto [wanted, pattern_rest] = SplitAtSlash(pattern.substr(1));
    const auto [part, path_rest] = SplitAtSlash(path.substr(1));
    const bool is_placeholder = wanted.starts_with('{');
    if (is_placeholder ? part.empty() : wanted != part) return std::nullopt;
    if (is_placeholder) parts.push_back(part);
    pattern = pattern_rest;
    path = path_rest;
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return parts;
}

void AddMethod(std::string& list, std::string_view method) {
  if (list.find(method) != std::string::npos) return;
  list.append(list.empty() ? "" : ", ").append(method);
}

}  // namespace

void Router::Add(std::string method, std::string pattern, Handler handler) {
  routes_.push_back({std::move(method), std::move(pattern), std::move(handler)});
}

Reply Router::Handle(const Request& request) {
  if (std::find(kMethods.begin(), kMethods.end(), request.method) == kMethods.end()) {
    return ErrorResponse(501, "the method " + request.method + " is not known here",
                         "use GET to read models");
  }
  const std::string_view method =
      request.method == "HEAD" ? std::string_view{"GET"} : std::string_view{request.method};
  std::string allowed;
  for (const Route& route : routes_) {
    const std::optional<PathParts> parts = MatchPattern(route.pattern, request.path);
    if (!parts) continue;
    if (route.method == method) return route.handler(request, *parts);
    AddMethod(allowed, route.method);
    if (route.method == "GET") AddMethod(allowed, "HEAD");
  }
  if (allowed.empty()) {
    return ErrorResponse(404, "nothing is at " + request.path, "GET / lists what is where");
  }
  Response response = ErrorResponse(405, request.method + " cannot be used on " + request.path,
                                    "use one of: " + allowed);
  response.AddHeader("Allow", allowed);
  return response;
}

}  // namespace ota::server
