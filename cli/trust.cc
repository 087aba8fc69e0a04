// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/model_file.h"
#include "cli/upload.h"
#include "formats/host/authoring.h"
#include "formats/host/uuid.h"
#include "formats/trust/root_update.h"

namespace ota::cli {
namespace {

using formats::ComponentKind;
using formats::RootSpec;
using nlohmann::json;

struct TrustOptions {
  UploadOptions upload;
  std::vector<std::string> roots;
  std::string current;
  std::string next;
  std::string output;
  std::vector<std::string> root_keys;
  std::vector<std::string> removed_keys;
  std::string freshness_key;
  std::vector<std::string> releases;
  std::vector<std::string> resets;
  std::vector<std::string> signers;
  uint32_t threshold = 0;
  uint64_t expires_s = 0;
};

constexpr const char* kKindNames[] = {"?", "model", "firmware", "configuration"};

ComponentKind ParseKind(const std::string& text) {
  for (uint8_t kind = 1; kind <= formats::kComponentKindLast; ++kind) {
    if (text == kKindNames[kind]) return static_cast<ComponentKind>(kind);
  }
  throw CommandError("'" + text + "' is no kind; say model, firmware or configuration", 2);
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (begin <= text.size()) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

// "FILE[,FILE…][:PATTERN,…[:KIND,…]]", with "K/" before it for a threshold.
formats::ReleaseRoleSpec ParseRelease(const std::string& text) {
  formats::ReleaseRoleSpec role;
  std::string rest = text;
  if (rest.size() > 2 && rest[1] == '/' && rest[0] >= '1' && rest[0] <= '9') {
    role.key_set.threshold = static_cast<uint8_t>(rest[0] - '0');
    rest = rest.substr(2);
  }
  const std::vector<std::string> parts = Split(rest, ':');
  if (parts.size() > 3) throw CommandError("'" + text + "' has more than three parts", 2);
  for (const std::string& path : Split(parts[0], ',')) {
    role.key_set.keys.push_back(LoadPublicKey(path));
  }
  role.patterns = parts.size() > 1 ? Split(parts[1], ',') : std::vector<std::string>{"*"};
  const std::string kinds = parts.size() > 2 ? parts[2] : "model";
  for (const std::string& kind : Split(kinds, ',')) role.kinds.push_back(ParseKind(kind));
  return role;
}

// "KIND:NAME=NUMBER".
formats::SequenceResetSpec ParseReset(const std::string& text) {
  const size_t colon = text.find(':');
  const size_t equals = text.find('=');
  if (colon == std::string::npos || equals == std::string::npos || equals < colon) {
    throw CommandError("'" + text + "' is not KIND:NAME=NUMBER", 2);
  }
  formats::SequenceResetSpec reset;
  reset.kind = ParseKind(text.substr(0, colon));
  reset.name = text.substr(colon + 1, equals - colon - 1);
  try {
    reset.sequence_number = std::stoull(text.substr(equals + 1));
  } catch (const std::exception&) {
    throw CommandError("'" + text + "' does not end with a number", 2);
  }
  return reset;
}

formats::Bytes Encode(const RootSpec& spec) {
  Result<formats::Bytes> metadata = formats::EncodeRoot(spec);
  if (metadata.ok()) return std::move(*metadata);
  throw CommandError(
      "no device would take this root metadata: check that thresholds are not above the number of "
      "keys, no key comes twice, and there are at most 6 keys for a role and 4 release roles");
}

RootSpec ReadRoot(const std::string& path) {
  const formats::Bytes bytes = ReadFile(path);
  const Result<formats::SignedRoot> root = formats::DecodeSignedRoot(bytes);
  if (root.ok()) {
    Result<RootSpec> spec = formats::DecodeRoot(root->metadata);
    if (spec.ok()) return std::move(*spec);
  }
  throw CommandError(path + " is no root metadata; `ota-tinyml trust init` makes some");
}

void SignAndWrite(const RootSpec& spec, const TrustOptions& options) {
  const formats::Bytes metadata = Encode(spec);
  std::vector<std::unique_ptr<crypto::SigningKey>> keys;
  std::vector<crypto::SigningKey*> signers;
  for (const std::string& path : options.signers) {
    keys.push_back(LoadPrivateKey(path));
    signers.push_back(keys.back().get());
  }
  const Result<formats::Bytes> root = formats::SignRoot(metadata, signers);
  if (!root.ok()) throw CommandError("a key could not sign");
  WriteNewFile(options.output, *root, FileUse::kPublic);
  std::printf("%s: root metadata version %u, %zu bytes, %zu signatures\n", options.output.c_str(),
              spec.version, root->size(), signers.size());
}

void RunInit(const TrustOptions& options) {
  RootSpec spec;
  for (const std::string& path : options.root_keys) {
    spec.root.keys.push_back(LoadPublicKey(path));
  }
  spec.root.threshold = static_cast<uint8_t>(options.threshold);
  spec.freshness_key = LoadPublicKey(options.freshness_key);
  for (const std::string& release : options.releases) {
    spec.release_roles.push_back(ParseRelease(release));
  }
  spec.expires_s = options.expires_s;
  SignAndWrite(spec, options);
}

// Takes a key out of every role that has it. A release role without keys goes.
size_t RemoveKey(RootSpec& spec, const std::string& key_id) {
  size_t removed = 0;
  const auto remove_from = [&](formats::KeySetSpec& set) {
    removed += std::erase_if(set.keys, [&](const auto& key) { return FormatKeyId(key) == key_id; });
  };
  remove_from(spec.root);
  for (formats::ReleaseRoleSpec& role : spec.release_roles) remove_from(role.key_set);
  std::erase_if(spec.release_roles, [](const auto& role) { return role.key_set.keys.empty(); });
  return removed;
}

void RunRotate(const TrustOptions& options) {
  RootSpec spec = ReadRoot(options.current);
  ++spec.version;
  spec.sequence_resets.clear();
  for (const std::string& key_id : options.removed_keys) {
    if (RemoveKey(spec, key_id) == 0 && FormatKeyId(spec.freshness_key) != key_id) {
      throw CommandError("no root or release key has the id " + key_id + "; see `trust show`");
    }
    const bool is_freshness = FormatKeyId(spec.freshness_key) == key_id;
    if (is_freshness && options.freshness_key.empty()) {
      throw CommandError("that is the freshness key; give the new one with --freshness", 2);
    }
  }
  for (const std::string& path : options.root_keys) {
    spec.root.keys.push_back(LoadPublicKey(path));
  }
  if (options.threshold != 0) spec.root.threshold = static_cast<uint8_t>(options.threshold);
  if (!options.freshness_key.empty()) spec.freshness_key = LoadPublicKey(options.freshness_key);
  for (const std::string& release : options.releases) {
    spec.release_roles.push_back(ParseRelease(release));
  }
  for (const std::string& reset : options.resets) {
    spec.sequence_resets.push_back(ParseReset(reset));
  }
  if (options.expires_s != 0) spec.expires_s = options.expires_s;
  SignAndWrite(spec, options);
}

void RunSign(const TrustOptions& options) {
  formats::Bytes root = ReadFile(options.current);
  for (const std::string& path : options.signers) {
    Result<formats::Bytes> added = formats::AddRootSignature(root, *LoadPrivateKey(path));
    if (added.status() == Status::kAlreadyExists) throw CommandError(path + " has signed already");
    if (!added.ok()) throw CommandError(options.current + " is no root metadata");
    root = std::move(*added);
  }
  WriteNewFile(options.output, root, FileUse::kPublic);
}

// As a device would judge: the first one alone, each next one by the one before.
void RunVerify(const TrustOptions& options) {
  const formats::Bytes current = ReadFile(options.current);
  Status status = formats::VerifyInitialRoot(current);
  if (status == Status::kOk && !options.next.empty()) {
    formats::TrustState state;
    status = InitializeTrustState(formats::DecodeSignedRoot(current)->metadata, state);
    const formats::Bytes next = ReadFile(options.next);
    formats::RootUpdate update;
    if (status == Status::kOk) status = update.Begin(state, next);
    while (status == Status::kOk || status == Status::kBusy) {
      status = update.Step(0, state);
      if (status == Status::kOk) break;
    }
  }
  if (status == Status::kOk) {
    std::printf("a device takes it\n");
    return;
  }
  throw CommandError("a device refuses it: " + std::string(StatusName(status)) + ". " +
                     std::string(StatusSentence(status)));
}

void RunPublish(const TrustOptions& options) {
  CheckUse(options.upload);
  if (!options.upload.is_wanted()) throw CommandError("say where it goes with --server URL", 2);
  for (const std::string& path : options.roots) {
    const RootSpec spec = ReadRoot(path);
    const std::string version = std::to_string(spec.version);
    Upload(options.upload, "/roots/" + version, ReadFile(path), path);
    std::printf("%s: %s has stored root metadata version %s\n", path.c_str(),
                options.upload.server_url.c_str(), version.c_str());
  }
}

json ToJson(const formats::KeySetSpec& set) {
  json ids = json::array();
  for (const auto& key : set.keys) ids.push_back(FormatKeyId(key));
  return {{"threshold", set.threshold}, {"key_ids", ids}};
}

void RunShow(const TrustOptions& options) {
  const RootSpec spec = ReadRoot(options.current);
  json roles = json::array();
  for (const formats::ReleaseRoleSpec& role : spec.release_roles) {
    json entry = ToJson(role.key_set);
    entry["patterns"] = role.patterns;
    entry["kinds"] = json::array();
    for (const ComponentKind kind : role.kinds) {
      entry["kinds"].push_back(kKindNames[static_cast<uint8_t>(kind)]);
    }
    entry["classes"] = json::array();
    for (const formats::Bytes& id : role.class_ids) {
      entry["classes"].push_back(formats::FormatUuid(id));
    }
    roles.push_back(entry);
  }
  const json result = {{"version", spec.version},
                       {"root", ToJson(spec.root)},
                       {"freshness_key_id", FormatKeyId(spec.freshness_key)},
                       {"release_roles", roles},
                       {"expires_s", spec.expires_s}};
  std::printf("%s\n", result.dump(2).c_str());
}

void AddChangeOptions(CLI::App* command, TrustOptions& options) {
  command->add_option("--release", options.releases,
                      "A release role: [K/]KEY[,KEY…][:NAME,PREFIX*…[:KIND,…]]; default: models of "
                      "any name");
  command->add_option("--expires", options.expires_s, "Seconds since 1970");
  command->add_option("--sign", options.signers, "Private root keys that sign now");
  command->add_option("-o,--output", options.output, "Where it goes")->required();
}

void AddRotateCommands(CLI::App* command, const std::shared_ptr<TrustOptions>& options) {
  CLI::App* const rotate = command->add_subcommand(
      "rotate", "Make the next version, with keys added or taken out; sign with old and new keys");
  rotate->add_option("CURRENT", options->current, "The version before")->required();
  rotate->add_option("--add-root", options->root_keys, "Root keys that come in");
  rotate->add_option("--remove", options->removed_keys, "Ids of keys that go, from every role");
  rotate->add_option("--threshold", options->threshold, "How many root keys must sign from now on");
  rotate->add_option("--freshness", options->freshness_key, "The new freshness key");
  rotate->add_option("--reset", options->resets,
                     "KIND:NAME=NUMBER: set a sequence number that a stolen key drove up");
  AddChangeOptions(rotate, *options);
  rotate->callback([options] { RunRotate(*options); });
  CLI::App* const revoke =
      command->add_subcommand("revoke", "Make the next version without some keys");
  revoke->add_option("CURRENT", options->current, "The version before")->required();
  revoke->add_option("KEY_ID", options->removed_keys, "Ids of the keys, from `trust show`")
      ->required();
  revoke->add_option("--freshness", options->freshness_key,
                     "The new freshness key, if it goes too");
  revoke->add_option("--reset", options->resets, "As in rotate");
  AddChangeOptions(revoke, *options);
  revoke->callback([options] { RunRotate(*options); });
}

}  // namespace

void AddTrustCommand(CLI::App& app) {
  const auto options = std::make_shared<TrustOptions>();
  CLI::App* const command =
      app.add_subcommand("trust", "Decide whose signatures devices accept (root metadata)");
  command->require_subcommand(1);
  CLI::App* const init = command->add_subcommand("init", "Make version 1, which goes into devices");
  init->add_option("--root", options->root_keys, "The root keys")->required();
  init->add_option("--threshold", options->threshold, "How many of them must sign")->required();
  init->add_option("--freshness", options->freshness_key, "The server's freshness key")->required();
  AddChangeOptions(init, *options);
  init->callback([options] { RunInit(*options); });
  AddRotateCommands(command, options);
  CLI::App* const sign = command->add_subcommand("sign", "Add signatures of further root keys");
  sign->add_option("CURRENT", options->current, "Root metadata")->required();
  sign->add_option("--sign", options->signers, "Private root keys")->required();
  sign->add_option("-o,--output", options->output, "Where it goes")->required();
  sign->callback([options] { RunSign(*options); });
  CLI::App* const verify = command->add_subcommand("verify", "Judge as a device would");
  verify->add_option("CURRENT", options->current, "What the device holds")->required();
  verify->add_option("NEXT", options->next, "What it is given next");
  verify->callback([options] { RunVerify(*options); });
  CLI::App* const publish = command->add_subcommand(
      "publish", "Give a server root metadata, one version after the other");
  publish->add_option("ROOT", options->roots, "Root metadata, the lowest version first")
      ->required();
  AddUploadOptions(publish, options->upload);
  publish->callback([options] { RunPublish(*options); });
  CLI::App* const show = command->add_subcommand("show", "Print root metadata as JSON");
  show->add_option("CURRENT", options->current, "Root metadata")->required();
  show->callback([options] { RunShow(*options); });
}

}  // namespace ota::cli
