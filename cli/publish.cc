// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cinttypes>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/release.h"
#include "cli/upload.h"

namespace ota::cli {
namespace {

struct PublishOptions {
  ReleaseOptions release;
  UploadOptions upload;
  std::string output;
  bool is_dry_run = false;
  bool as_json = false;
};

void PrintRelease(const Release& release, const nlohmann::json& receipt,
                  const PublishOptions& options) {
  if (options.as_json) {
    nlohmann::json result = {
        {"name", options.release.name},
        {"version", options.release.version},
        {"sequence_number", release.sequence_number},
        {"image_bytes", release.image_bytes},
        {"payload_digest", crypto::HexText(crypto::ComputeSha256(release.payload))},
        {"envelope_bytes", release.envelope.size()},
        {"manifest_bytes", release.manifest_bytes},
        {"arena_bytes", release.arena_bytes},
        {"self_tests", options.release.self_test_count},
        {"is_encrypted", !options.release.recipients.empty()},
        {"recipients", options.release.recipients.size()},
        {"is_dry_run", options.is_dry_run},
        {"server", receipt}};
    if (!options.output.empty() && !options.is_dry_run) {
      result["envelope"] = options.output + ".suit";
      result["payload"] = options.release.is_integrated ? "" : options.output + ".bin";
    }
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  std::printf("%-18s %s %s, sequence number %" PRIu64 "\n", "release", options.release.name.c_str(),
              options.release.version.c_str(), release.sequence_number);
  std::printf("%-18s %u bytes, arena %u bytes, %u self-tests\n", "model", release.image_bytes,
              release.arena_bytes, options.release.self_test_count);
  std::printf("%-18s %zu bytes, manifest %u, signatures %zu\n", "envelope", release.envelope.size(),
              release.manifest_bytes, options.release.signers.size());
  if (options.is_dry_run) std::printf("dry run: nothing was written or sent\n");
  if (receipt.is_null()) return;
  std::printf("%-18s %s has stored it, entry %" PRIu64 " of its transparency log\n", "server",
              options.upload.server_url.c_str(), receipt.value("log_index", uint64_t{0}));
}

// The length of the envelope, the envelope, the payload if it is not in the envelope.
formats::Bytes EncodeUpload(const Release& release, bool is_integrated) {
  formats::Bytes body(sizeof(uint32_t));
  StoreBe32(body.data(), static_cast<uint32_t>(release.envelope.size()));
  body.insert(body.end(), release.envelope.begin(), release.envelope.end());
  if (!is_integrated) body.insert(body.end(), release.payload.begin(), release.payload.end());
  return body;
}

void WriteRelease(const Release& release, const PublishOptions& options) {
  if (!options.release.is_integrated) {
    WriteNewFile(options.output + ".bin", release.payload, FileUse::kPublic);
  }
  WriteNewFile(options.output + ".suit", release.envelope, FileUse::kPublic);
}

void CheckUse(const PublishOptions& options) {
  CheckUse(options.upload);
  const bool has_target = options.upload.is_wanted() || !options.output.empty();
  if (!has_target && !options.is_dry_run) {
    throw CommandError("say where it goes with --server URL or -o NAME, or --dry-run", 2);
  }
}

void RunPublish(const PublishOptions& options) {
  CheckUse(options);
  const Release release = BuildRelease(options.release);
  nlohmann::json receipt;
  if (!options.is_dry_run) {
    if (!options.output.empty()) WriteRelease(release, options);
    if (options.upload.is_wanted()) {
      receipt = Upload(options.upload, "/releases/" + options.release.name,
                       EncodeUpload(release, options.release.is_integrated), options.release.name);
    }
  }
  PrintRelease(release, receipt, options);
}

void AddReleaseOptions(CLI::App* command, ReleaseOptions& release) {
  command->add_option("MODEL", release.model, "A .tflite file")->required();
  command->add_option("--name", release.name, "Name of the component on devices")->required();
  command->add_option("--version", release.version, "For people, e.g. 1.2.0")->required();
  command->add_option("--sequence", release.sequence_number,
                      "Must grow from release to release; default: the time in seconds");
  command->add_option("--vendor", release.vendor, "A domain name or a UUID")->required();
  command->add_option("--class", release.classes, "Classes of devices: names or UUIDs")->required();
  command->add_option("--device", release.device, "UUID of the only device it is for");
  command->add_option("--key", release.signers, "Private release keys that sign")->required();
  CLI::Option* const recipients =
      command
          ->add_option(
              "--encrypt-for", release.recipients,
              "Who can read it: public keys of devices (ECDH-ES), group keys (AES key wrap)")
          ->type_name("FILE");
  command
      ->add_option("--cipher", release.cipher,
                   "With --encrypt-for: ctr, or gcm, whose tag others can check; default ctr")
      ->type_name("ctr|gcm")
      ->needs(recipients);
  command->add_option("--self-test", release.self_test_count, "How many; default 1");
  command->add_option("--accuracy", release.accuracy, "METRIC=PERCENT/SAMPLES");
  command->add_option("--unit", release.memory_unit,
                      "any, on-chip-flash, spi-nor, eeprom, fram, sd-card, emmc");
  command->add_option("--priority", release.priority, "critical, mandatory, optional");
  command->add_option("--use-before", release.use_before_s, "Seconds since 1970");
  command->add_option("--battery", release.minimum_battery_mwh, "mWh that must be left");
  command->add_option("--uri", release.uri, "Where devices fetch it; default: by its digest");
  command->add_flag("--integrated", release.is_integrated, "Put the payload into the envelope");
}

}  // namespace

void AddPublishCommand(CLI::App& app) {
  const auto options = std::make_shared<PublishOptions>();
  CLI::App* const command = app.add_subcommand(
      "publish",
      "Validate, plan and self-test a model, encrypt it, write its manifest, sign and upload it");
  AddReleaseOptions(command, options->release);
  AddUploadOptions(command, options->upload);
  command->add_option("-o,--output", options->output, "Writes NAME.suit and NAME.bin");
  command->add_flag("--dry-run", options->is_dry_run, "Do everything but write and send");
  command->add_flag("--json", options->as_json, "Print JSON");
  command->callback([options] { RunPublish(*options); });
}

}  // namespace ota::cli
