// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/payload_sealing.h"
#include "crypto/host/pem_key.h"
#include "crypto/host/token_key.h"

namespace ota::cli {
namespace {

struct KeyOptions {
  std::string path;
  bool has_no_passphrase = false;
  bool is_for_group = false;
  bool as_json = false;
  bool as_pem = false;
};

void RunGenerateInToken(const KeyOptions& options) {
  const auto key = MakeTokenKey(options.path);
  std::printf("key id %s\n%s: in the token; `key show --pem` gives its public part\n",
              FormatKeyId(key->public_key()).c_str(), options.path.c_str());
}

void RunGenerateForGroup(const KeyOptions& options) {
  const formats::KeyId key_id = WriteGroupKey(options.path);
  std::printf("key id %s\n%s: group key, NOT encrypted, for publishers and the group's devices\n",
              crypto::HexText(key_id).c_str(), options.path.c_str());
}

void RunGenerate(const KeyOptions& options) {
  if (options.is_for_group) return RunGenerateForGroup(options);
  if (crypto::IsTokenUri(options.path)) return RunGenerateInToken(options);
  const auto key = crypto::PemKey::Generate();
  if (!key.ok()) throw CommandError("the system's random generator failed");
  const std::string passphrase = options.has_no_passphrase ? "" : ChoosePassphrase(options.path);
  const Result<std::string> pem = (*key)->ToPem(passphrase);
  const Result<std::string> public_pem = crypto::EncodePublicPem((*key)->public_key());
  if (!pem.ok() || !public_pem.ok()) throw CommandError("the key could not be encoded as PEM");
  WriteNewFile(options.path, *pem, FileUse::kSecret);
  WriteNewFile(options.path + ".pub", *public_pem, FileUse::kPublic);
  std::printf("key id %s\n%s: private%s, for nobody else\n%s.pub: public\n",
              FormatKeyId((*key)->public_key()).c_str(), options.path.c_str(),
              passphrase.empty() ? ", NOT encrypted" : "", options.path.c_str());
}

void RunShow(const KeyOptions& options) {
  const crypto::P256PublicKey key = LoadPublicKey(options.path);
  if (options.as_pem) {
    const Result<std::string> pem = crypto::EncodePublicPem(key);
    if (!pem.ok()) throw CommandError("the key could not be encoded as PEM");
    std::printf("%s", pem->c_str());
    return;
  }
  const std::string x = crypto::HexText(ByteSpan(key).first(crypto::kP256CoordinateBytes));
  const std::string y = crypto::HexText(ByteSpan(key).last(crypto::kP256CoordinateBytes));
  if (options.as_json) {
    const nlohmann::json result = {
        {"key_id", FormatKeyId(key)}, {"curve", "P-256"}, {"x", x}, {"y", y}};
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  std::printf("key id  %s\ncurve   P-256\nx       %s\ny       %s\n", FormatKeyId(key).c_str(),
              x.c_str(), y.c_str());
}

}  // namespace

void AddKeyCommand(CLI::App& app) {
  const auto options = std::make_shared<KeyOptions>();
  CLI::App* const command =
      app.add_subcommand("key", "Make and show keys, for signing and to encrypt for (P-256)");
  command->require_subcommand(1);
  CLI::App* const generate = command->add_subcommand(
      "generate", "Make a key pair: FILE is encrypted with a passphrase, FILE.pub is public");
  generate
      ->add_option("FILE", options->path,
                   "Where the private key goes; or a PKCS#11 URI: it is made in that token")
      ->required();
  generate->add_flag("--no-passphrase", options->has_no_passphrase,
                     "Do not encrypt: for a server's freshness key and for tests");
  generate->add_flag("--group", options->is_for_group,
                     "Make a key that a group of devices shares, to encrypt payloads for it");
  generate->callback([options] { RunGenerate(*options); });
  CLI::App* const show = command->add_subcommand("show", "Print the public part of a key");
  show->add_option("FILE", options->path, "A private or a public key in PEM, or a PKCS#11 URI")
      ->required();
  show->add_flag("--json", options->as_json, "Print JSON");
  show->add_flag("--pem", options->as_pem, "Print the public key in PEM");
  show->callback([options] { RunShow(*options); });
}

}  // namespace ota::cli
