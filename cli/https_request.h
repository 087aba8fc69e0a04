// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

// One HTTPS request from a command to the server, waiting for the answer. For people's machines;
// what devices use is agent/transport.

namespace ota::cli {

struct HttpsRequest {
  std::string server;   ///< https://HOST[:PORT]
  std::string ca_path;  ///< PEM; what the server's certificate must be signed by.
  std::string method = "GET";
  std::string path = "/";
  std::vector<std::string> headers;  ///< "Name: value" each; Host, Content-Length are added.
  std::string body;
  size_t response_bytes_max = 16 * 1024 * 1024;
  /// Called with the bytes of the body sent so far.
  std::function<void(uint64_t sent_bytes)> progress;
};

struct HttpsResponse {
  int status = 0;
  std::string body;
};

/// Sends the request and receives the whole answer, whatever its status. Each wait has a bound of
/// 30 s. Throws CommandError: the URL is malformed (exit code 2); the server cannot be reached or
/// trusted, went away, or answers what is no HTTP or too long.
HttpsResponse FetchHttps(const HttpsRequest& request);

/// As FetchHttps, for an answer with status 200 to 299; its body. Throws CommandError with what the
/// server says for any other.
std::string FetchHttpsBody(const HttpsRequest& request);

}  // namespace ota::cli
