// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/https_request.h"
#include "crypto/es256.h"
#include "crypto/host/pem_key.h"
#include "server/durable_write.h"
#include "server/transparency_log/merkle_tree.h"
#include "server/transparency_log/tree_head.h"

// `ota-tinyml log`: asks a server's transparency log and believes nothing that is not proved.

namespace ota::cli {

namespace {

using server::Digest;
using server::TreeHead;

struct LogOptions {
  std::string server;
  std::string ca_path;
  std::string key_path;
  std::string envelope_path;
  std::string state_path;
  unsigned interval_seconds = 0;
};

std::string ReadWhole(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw CommandError("cannot read " + path + "; see that it exists");
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::string Fetch(const LogOptions& options, const std::string& path) {
  HttpsRequest request;
  request.server = options.server;
  request.ca_path = options.ca_path;
  request.path = path;
  return FetchHttpsBody(request);
}

crypto::P256PublicKey ReadLogKey(const LogOptions& options) {
  const Result<crypto::P256PublicKey> key = crypto::DecodePublicPem(ReadWhole(options.key_path));
  if (!key.ok()) {
    throw CommandError(options.key_path +
                       " is no public key of P-256 in PEM; give the log's key, "
                       "DIR/log/key.pub.pem at the server, with --key");
  }
  return *key;
}

TreeHead FetchHead(const LogOptions& options) {
  const crypto::P256PublicKey key = ReadLogKey(options);
  const Result<TreeHead> head = server::DecodeTreeHead(Fetch(options, "/log/head"));
  if (!head.ok()) throw CommandError("the log's head is malformed; is this an OTA-TinyML server?");
  if (!IsOk(crypto::VerifyEs256(key, ComputeSigningDigest(*head), head->signature))) {
    throw CommandError("the log's head is not signed with the key " + options.key_path +
                       ": another server, or an attack");
  }
  return *head;
}

std::vector<Digest> ParsePath(const std::string& text, nlohmann::json& json) {
  json = nlohmann::json::parse(text, nullptr, false);
  std::vector<Digest> path;
  bool is_good = json.is_object() && json.contains("path") && json["path"].is_array();
  if (is_good) {
    for (const auto& step : json["path"]) {
      path.emplace_back();
      is_good = is_good && step.is_string() &&
                IsOk(crypto::DecodeHex(step.get_ref<const std::string&>(), path.back()));
    }
  }
  if (!is_good) throw CommandError("the log's proof is malformed");
  return path;
}

void VerifyEnvelope(const LogOptions& options) {
  const std::string envelope = ReadWhole(options.envelope_path);
  const Digest leaf = server::ComputeLeafDigest(
      {reinterpret_cast<const uint8_t*>(envelope.data()), envelope.size()});
  const TreeHead head = FetchHead(options);
  const std::string query = "?leaf=" + server::HexText(leaf) + "&size=" + std::to_string(head.size);
  nlohmann::json json;
  const std::vector<Digest> path = ParsePath(Fetch(options, "/log/inclusion" + query), json);
  const uint64_t index = json.value("index", UINT64_MAX);
  if (!server::VerifyInclusion(leaf, index, head.size, path, head.root)) {
    throw CommandError("the log's proof for " + options.envelope_path +
                       " is wrong: the log claims what it cannot show");
  }
  std::printf("%s is entry %llu of %llu; root %s\n", options.envelope_path.c_str(),
              static_cast<unsigned long long>(index), static_cast<unsigned long long>(head.size),
              server::HexText(head.root).c_str());
}

void CheckAgainst(const TreeHead& known, const TreeHead& head, const LogOptions& options) {
  const std::string evidence = "; keep " + options.state_path + " as evidence";
  if (head.size < known.size) {
    throw CommandError("the log FORGOT entries: it had " + std::to_string(known.size) +
                       " and now has " + std::to_string(head.size) + evidence);
  }
  nlohmann::json json;
  const std::vector<Digest> proof =
      ParsePath(Fetch(options, "/log/consistency?first=" + std::to_string(known.size) +
                                   "&second=" + std::to_string(head.size)),
                json);
  if (!server::VerifyConsistency(known.size, known.root, head.size, head.root, proof)) {
    throw CommandError("the log was REWRITTEN: its first " + std::to_string(known.size) +
                       " entries are not those that were seen before" + evidence);
  }
}

// Fetches entry `index` and checks that it is the one under the head.
void ReportEntry(uint64_t index, const TreeHead& head, const LogOptions& options) {
  const std::string entry = Fetch(options, "/log/entries/" + std::to_string(index));
  const Digest leaf =
      server::ComputeLeafDigest({reinterpret_cast<const uint8_t*>(entry.data()), entry.size()});
  const std::string query = "?leaf=" + server::HexText(leaf) + "&size=" + std::to_string(head.size);
  nlohmann::json json;
  const std::vector<Digest> path = ParsePath(Fetch(options, "/log/inclusion" + query), json);
  if (!server::VerifyInclusion(leaf, index, head.size, path, head.root)) {
    throw CommandError("the log shows an entry " + std::to_string(index) + " that is not in it");
  }
  std::printf("entry %llu: %zu bytes, leaf %s\n", static_cast<unsigned long long>(index),
              entry.size(), server::HexText(leaf).c_str());
}

void MonitorOnce(const LogOptions& options) {
  const TreeHead head = FetchHead(options);
  TreeHead known;
  const bool is_first = access(options.state_path.c_str(), F_OK) != 0;
  if (!is_first) {
    const Result<TreeHead> stored = server::DecodeTreeHead(ReadWhole(options.state_path));
    if (!stored.ok()) throw CommandError(options.state_path + " is no tree head; see --state");
    known = *stored;
    CheckAgainst(known, head, options);
  }
  for (uint64_t i = known.size; i < head.size; ++i) ReportEntry(i, head, options);
  const server::Failure failure =
      server::WriteDurably(options.state_path, server::EncodeTreeHead(head), 0644);
  if (failure) throw CommandError(failure->message);
  std::printf(
      "%llu entries, %llu new, consistent; root %s\n", static_cast<unsigned long long>(head.size),
      static_cast<unsigned long long>(head.size - known.size), server::HexText(head.root).c_str());
  std::fflush(stdout);
}

void Monitor(const LogOptions& options) {
  MonitorOnce(options);
  while (options.interval_seconds > 0) {
    sleep(options.interval_seconds);
    MonitorOnce(options);
  }
}

void AddCommonOptions(CLI::App& command, LogOptions& options) {
  command.add_option("--server", options.server, "The server")->required()->type_name("URL");
  command.add_option("--ca", options.ca_path, "What its certificate is signed by")
      ->required()
      ->type_name("FILE");
  command.add_option("--key", options.key_path, "The log's public key, log/key.pub.pem there")
      ->required()
      ->type_name("FILE");
}

}  // namespace

void AddLogCommand(CLI::App& app) {
  CLI::App* log = app.add_subcommand("log", "Check a server's transparency log of manifests");
  log->require_subcommand(1);

  auto options = std::make_shared<LogOptions>();
  CLI::App* verify = log->add_subcommand("verify", "Prove that the log has an envelope");
  AddCommonOptions(*verify, *options);
  verify->add_option("ENVELOPE", options->envelope_path, "The envelope, as it was published")
      ->required()
      ->type_name("FILE");
  verify->callback([options] { VerifyEnvelope(*options); });

  CLI::App* monitor =
      log->add_subcommand("monitor", "Prove that the log only grew, list what is new");
  AddCommonOptions(*monitor, *options);
  monitor->add_option("--state", options->state_path, "Keeps what was seen last; made at first")
      ->required()
      ->type_name("FILE");
  monitor->add_option("--interval", options->interval_seconds, "Go on, every so many seconds")
      ->type_name("SECONDS");
  monitor->callback([options] { Monitor(*options); });
}

}  // namespace ota::cli
