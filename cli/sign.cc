// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/byte_source.h"
#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/model_file.h"
#include "formats/host/authoring.h"

namespace ota::cli {
namespace {

struct SignOptions {
  std::string envelope;
  std::vector<std::string> signers;
  std::string output;
};

void RunSign(const SignOptions& options) {
  formats::Bytes envelope = ReadFile(options.envelope);
  for (const std::string& path : options.signers) {
    Result<formats::Bytes> added = formats::AddManifestSignature(envelope, *LoadPrivateKey(path));
    if (added.status() == Status::kAlreadyExists) throw CommandError(path + " has signed already");
    if (!added.ok()) {
      throw CommandError(options.envelope +
                         " cannot be signed: " + std::string(StatusSentence(added.status())));
    }
    envelope = std::move(*added);
  }
  WriteNewFile(options.output, envelope, FileUse::kPublic);
  std::printf("%s: %zu bytes\n", options.output.c_str(), envelope.size());
}

}  // namespace

void AddSignCommand(CLI::App& app) {
  const auto options = std::make_shared<SignOptions>();
  CLI::App* const command = app.add_subcommand(
      "sign", "Add signatures to an envelope, for roles that ask for more than one");
  command->add_option("ENVELOPE", options->envelope, "From `publish`")->required();
  command->add_option("--key", options->signers, "Private release keys")->required();
  command->add_option("-o,--output", options->output, "Where it goes")->required();
  command->callback([options] { RunSign(*options); });
}

}  // namespace ota::cli
