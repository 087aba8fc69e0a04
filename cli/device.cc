// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>

#include "cli/commands.h"
#include "cli/device_session.h"
#include "simulator/memory_parts/part_state.h"

namespace ota::cli {
namespace {

void CheckCount(const char* option, size_t count, size_t run_count) {
  if (count <= 1 || count == run_count) return;
  throw CommandError(std::string(option) + ": give one for all of --run, or one for each", 2);
}

void CheckUse(const DeviceOptions& options) {
  const bool has_wish = options.wants_list || options.wants_update ||
                        !options.fetch_names.empty() || !options.run_names.empty() ||
                        !options.delete_names.empty();
  if (!has_wish) {
    throw CommandError("nothing to do; say --fetch, --update, --run, --list or --delete (--help)",
                       2);
  }
  const bool asks_server = options.wants_update || !options.fetch_names.empty();
  if (asks_server && (options.server_url.empty() || options.ca_path.empty())) {
    throw CommandError("--fetch and --update need --server URL and --ca FILE", 2);
  }
  if (options.is_insecure && (options.wants_update || !options.trust_path.empty())) {
    throw CommandError("--insecure trusts nobody: leave out --trust and --update", 2);
  }
  CheckCount("--input", options.inputs.size(), options.run_names.size());
  CheckCount("--labels", options.label_paths.size(), options.run_names.size());
}

void RunDevice(const DeviceOptions& options) {
  CheckUse(options);
  nlohmann::json report;
  try {
    DeviceSession session(options, report);
    session.DeleteModels();
    session.FetchModels();
    session.RunModels();
    session.ListModels();
  } catch (const std::system_error& error) {
    throw CommandError("cannot keep the board's memory in " + options.state_directory + ": " +
                       error.what());
  } catch (const simulator::PartFileError& error) {
    throw CommandError(error.what());
  }
  if (options.is_json) std::printf("%s\n", report.dump(2).c_str());
}

}  // namespace

void AddServerOptions(CLI::App* command, DeviceOptions& options) {
  command->add_option("--server", options.server_url, "Where models come from")
      ->type_name("https://HOST[:PORT]");
  command->add_option("--ca", options.ca_path, "Certificate of the CA to trust, PEM or DER")
      ->type_name("FILE");
  command
      ->add_option("--trust", options.trust_path,
                   "Signed root metadata, for the first boot: whose releases the board takes")
      ->type_name("FILE");
  command->add_option("--fetch", options.fetch_names, "Fetch, verify and store these models")
      ->type_name("NAME");
  command->add_flag("--update", options.wants_update,
                    "Take newer releases of all models on the board");
  command->add_flag("--all", options.wants_all,
                    "With --fetch or --update: take also other models for this board");
  command->add_flag("--require-log", options.wants_proof,
                    "Take only what is proved to be in the server's transparency log");
  command
      ->add_option(
          "--payload-key", options.payload_key_path,
          "The board's private key, or its group's key, for payloads that are encrypted for it")
      ->type_name("FILE");
  command->add_flag("--insecure", options.is_insecure,
                    "Take whatever the server has under a name, signed by nobody");
  command
      ->add_option("--cut-power-after", options.cut_power_after_bytes,
                   "Let the board's power fail once so many bytes of models were staged")
      ->type_name("BYTES");
}

void AddDeviceCommand(CLI::App& app) {
  const auto options = std::make_shared<DeviceOptions>();
  CLI::App* const command =
      app.add_subcommand("device", "Be one virtual board: fetch models, keep them, run them");
  command->add_option("--board", options->board, "B1 to B7; B1 if left out");
  command->add_option("--state", options->state_directory, "Where the board's memory unit is kept")
      ->required()
      ->type_name("DIR");
  command
      ->add_option("--medium", options->medium_path,
                   "Start with what this image holds (see image build); for a new --state only")
      ->type_name("FILE");
  AddServerOptions(command, *options);
  command->add_option("--run", options->run_names, "Run these stored models; needs no network")
      ->type_name("NAME");
  command
      ->add_option("--input", options->inputs,
                   "For --run: a file (.bmp, .npy or raw bytes), zero, max or random:SEED")
      ->type_name("FILE|zero|random:SEED");
  command
      ->add_option("--labels", options->label_paths, "For --run: names of the outputs, one a line")
      ->type_name("FILE");
  command->add_flag("--list", options->wants_list, "List what is stored");
  command->add_option("--delete", options->delete_names, "Delete these models first")
      ->type_name("NAME");
  command->add_flag("--json", options->is_json, "Print JSON");
  command->callback([options] { RunDevice(*options); });
}

}  // namespace ota::cli
