// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/message.h"

namespace ota::server {

/// Finds who answers a request, by method and path. Unknown paths get 404, known paths with another
/// method 405 with Allow, unknown methods 501. HEAD goes to the handler of GET.
///
///   router.Add("GET", "/models/{model}", [&](const Request& request, const PathParts& parts) …);
class Router final : public RequestHandler {
 public:
  /// What stood in the place of each {…} of the pattern, in order. One part never holds a '/'.
  using PathParts = std::vector<std::string_view>;
  using Handler = std::function<Reply(const Request&, const PathParts&)>;

  /// Adds a route. All routes are added before the first request.
  void Add(std::string method, std::string pattern, Handler handler);

  Reply Handle(const Request& request) override;

 private:
  struct Route {
    std::string method;
    std::string pattern;
    Handler handler;
  };
  std::vector<Route> routes_;
};

}  // namespace ota::server
