// SPDX-License-Identifier: Apache-2.0
#include "cli/upload.h"

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/https_request.h"
#include "cli/progress_bar.h"

namespace ota::cli {
namespace {

std::string ReadToken(const std::string& path) {
  std::ifstream file(path);
  std::string token;
  if (file >> token) return token;
  throw CommandError("cannot read a token from " + path +
                     "; it is DIR/publisher.token at the server");
}

}  // namespace

void AddUploadOptions(CLI::App* command, UploadOptions& options) {
  command->add_option("--server", options.server_url, "Upload it there")
      ->type_name("https://HOST[:PORT]");
  command->add_option("--ca", options.ca_path, "What the server's certificate is signed by")
      ->type_name("FILE");
  command->add_option("--token-file", options.token_path, "DIR/publisher.token of the server")
      ->type_name("FILE");
}

void CheckUse(const UploadOptions& options) {
  const bool has_all =
      options.is_wanted() && !options.ca_path.empty() && !options.token_path.empty();
  const bool has_none =
      !options.is_wanted() && options.ca_path.empty() && options.token_path.empty();
  if (!has_all && !has_none) {
    throw CommandError("--server, --ca and --token-file go together", 2);
  }
}

nlohmann::json Upload(const UploadOptions& options, const std::string& path, ByteSpan body,
                      const std::string& label) {
  HttpsRequest request;
  request.server = options.server_url;
  request.ca_path = options.ca_path;
  request.method = "PUT";
  request.path = path;
  request.headers = {"Authorization: Bearer " + ReadToken(options.token_path),
                     "Content-Type: application/octet-stream"};
  request.body.assign(body.begin(), body.end());
  ProgressBar bar(label, body.size());
  request.progress = [&bar](uint64_t sent_bytes) { bar.Update(sent_bytes); };
  const std::string answer = FetchHttpsBody(request);
  nlohmann::json json = nlohmann::json::parse(answer, nullptr, false);
  if (!json.is_object()) throw CommandError("the answer is no JSON; is this an OTA-TinyML server?");
  return json;
}

}  // namespace ota::cli
