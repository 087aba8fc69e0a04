// SPDX-License-Identifier: Apache-2.0
#include "cli/device_session.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands.h"
#include "cli/device_fetch.h"
#include "cli/device_update.h"
#include "cli/key_file.h"
#include "cli/medium.h"
#include "cli/model_file.h"
#include "cli/payload_sealing.h"
#include "cli/prediction.h"
#include "cli/progress_bar.h"
#include "crypto/host/hex.h"
#include "engine/interpreter.h"

namespace ota::cli {
namespace {

using nlohmann::json;
using simulator::RunToEnd;

std::string Describe(Status status) {
  return std::string(StatusSentence(status)) + " [" + std::string(StatusName(status)) + ']';
}

const char* Describe(simulator::AdoptedFile::Verdict verdict) {
  switch (verdict) {
    case simulator::AdoptedFile::Verdict::kVerified:
      return "its digest is right, taken into the store";
    case simulator::AdoptedFile::Verdict::kUnlisted:
      return "no digest is given for it, taken into the store as it is";
    case simulator::AdoptedFile::Verdict::kRefused:
      return "its digest is wrong, not taken";
  }
  return "";
}

const simulator::BoardTraits& RequireBoard(const std::string& id) {
  if (const simulator::BoardTraits* const traits = simulator::FindBoard(id)) return *traits;
  throw CommandError("--board " + id + ": there is no such board; say B1 to B7", 2);
}

const char* StateName(storage::ImageState state) {
  switch (state) {
    case storage::ImageState::kStaging:
      return "staging";
    case storage::ImageState::kStaged:
      return "staged";
    case storage::ImageState::kTrial:
      return "trial";
    case storage::ImageState::kConfirmed:
      return "confirmed";
  }
  return "unknown";
}

/// The one of several that belongs to run `index`; one alone belongs to all.
std::string PickFor(const std::vector<std::string>& values, size_t index,
                    const std::string& otherwise) {
  if (values.empty()) return otherwise;
  return values.size() == 1 ? values.front() : values[index];
}

bool IsGenerated(const std::string& input) {
  return input == "zero" || input == "max" || input.starts_with("random:");
}

/// The key, whose id will lie in `key_id`.
/// What the memory unit did since the meter was made.
class MediumMeter {
 public:
  explicit MediumMeter(const simulator::VirtualBoard& board)
      : board_(board), before_(board.figures()), start_ns_(board.medium_clock().now_ns()) {}

  double seconds() const {
    return static_cast<double>(board_.medium_clock().now_ns() - start_ns_) * 1e-9;
  }
  simulator::PartFigures figures() const { return Subtract(board_.figures(), before_); }

  json Report() const {
    const simulator::PartFigures spent = figures();
    return {{"seconds", seconds()},
            {"read_bytes", spent.read_bytes},
            {"programmed_bytes", spent.programmed_bytes},
            {"erased_bytes", spent.erased_bytes},
            {"energy_mj", static_cast<double>(spent.energy_nj) * 1e-6}};
  }

  /// "1.25 s on the medium, 12 KiB written, 24 KiB read, 3.1 mJ".
  std::string Describe() const {
    const simulator::PartFigures spent = figures();
    char text[160];
    std::snprintf(text, sizeof(text), "%.3g s on the medium, %s written, %s read, %.3g mJ",
                  seconds(), FormatBytes(spent.programmed_bytes).c_str(),
                  FormatBytes(spent.read_bytes).c_str(),
                  static_cast<double>(spent.energy_nj) * 1e-6);
    return text;
  }

 private:
  const simulator::VirtualBoard& board_;
  simulator::PartFigures before_;
  uint64_t start_ns_;
};

json ToJson(const std::string& name, const FetchSummary& summary) {
  return {{"name", name},
          {"size_bytes", summary.total_bytes},
          {"received_bytes", summary.received_bytes},
          {"resumed_at", summary.resumed_at},
          {"retry_count", summary.retry_count},
          {"was_present", summary.was_present}};
}

void PrintUpdate(const UpdateSummary& summary) {
  const auto number = static_cast<unsigned long long>(summary.sequence_number);
  if (IsOk(summary.status)) {
    std::printf("%s: release %llu verified, fetched, tested and confirmed, %u bytes\n",
                summary.name.c_str(), number, summary.fetch.total_bytes);
  } else if (summary.status == Status::kAlreadyExists) {
    std::printf("%s: is on the board already, release %llu, and nothing newer exists\n",
                summary.name.c_str(), number);
  } else {
    std::printf("%s: REFUSED: %s\n", summary.name.c_str(), Describe(summary.status).c_str());
  }
  std::fflush(stdout);
}

/// Closes on every way out.
class OpenModel {
 public:
  OpenModel(storage::ModelStore& store, const std::string& name) : store_(store) {
    const Result<ByteSource*> opened = RunToEnd([&] { return store.Open(name.c_str()); });
    if (opened.status() == Status::kNotFound) {
      throw CommandError(name +
                         ": no such model on this board; --list shows what there is, --fetch " +
                         name + " brings it");
    }
    if (!opened.ok()) throw CommandError(name + ": " + Describe(opened.status()));
    source_ = *opened;
  }
  ~OpenModel() { store_.Close(source_); }
  OpenModel(const OpenModel&) = delete;
  OpenModel& operator=(const OpenModel&) = delete;
  ByteSource& source() { return *source_; }

 private:
  storage::ModelStore& store_;
  ByteSource* source_ = nullptr;
};

}  // namespace

DeviceSession::DeviceSession(const DeviceOptions& options, json& report)
    : options_(options), report_(report), board_(PrepareBoard(options), options.state_directory) {
  BootBoard();
}

/// The board; its medium is put into place before it starts.
const simulator::BoardTraits& DeviceSession::PrepareBoard(const DeviceOptions& options) {
  const simulator::BoardTraits& traits = RequireBoard(options.board);
  if (!options.medium_path.empty()) {
    InstallMedium(traits, options.state_directory, options.medium_path);
  }
  return traits;
}

void DeviceSession::BootBoard() {
  const simulator::BoardTraits& traits = board_.traits();
  const Status status = board_.Boot();
  const std::string unit(simulator::UnitName(traits.unit));
  if (!IsOk(status)) {
    throw CommandError("board " + std::string(traits.id) + " cannot mount its " + unit + " in " +
                       options_.state_directory + ": " + Describe(status) +
                       " Delete the directory to start with a blank one.");
  }
  const storage::StoreSpace space = board_.store().space();
  report_["board"] = traits.id;
  report_["name"] = traits.name;
  report_["unit"] = unit;
  report_["arena_bytes"] = traits.arena_bytes();
  for (const simulator::AdoptedFile& file : board_.adopted()) {
    report_["adopted"].push_back({{"name", file.name}, {"verdict", Describe(file.verdict)}});
  }
  if (options_.is_json) return;
  std::printf("board %s: %s, %s at %u MHz, arena of %u KiB, models on %s, %u of %u KiB free%s\n",
              std::string(traits.id).c_str(), std::string(traits.name).c_str(),
              std::string(traits.core).c_str(), traits.clock_mhz, traits.arena_bytes() / 1024,
              unit.c_str(), space.free_bytes / 1024, space.total_bytes / 1024,
              board_.was_formatted() ? ", formatted now" : "");
  for (const simulator::AdoptedFile& file : board_.adopted()) {
    std::printf("%s: was on the medium as a file; %s\n", file.name.c_str(), Describe(file.verdict));
  }
  std::fflush(stdout);  // what follows may go to stderr
}

void DeviceSession::DeleteModels() {
  for (const std::string& name : options_.delete_names) {
    const Status status = RunToEnd([&] { return board_.store().Delete(name.c_str()); });
    if (!IsOk(status)) throw CommandError("cannot delete " + name + ": " + Describe(status));
    report_["deleted"].push_back(name);
    if (!options_.is_json) std::printf("%s: deleted\n", name.c_str());
  }
}

void DeviceSession::FetchModels() {
  if (options_.is_insecure) return FetchInsecurely();
  if (!options_.fetch_names.empty() || options_.wants_update) UpdateModels();
}

void DeviceSession::FetchInsecurely() {
  if (options_.fetch_names.empty()) return;
  std::fprintf(stderr,
               "WARNING: --insecure: nothing of what is fetched is proved to come from anybody. "
               "Whoever has the server has this board.\n");
  DeviceLink link(options_.server_url, options_.ca_path);
  FetchDisplay display(board_.power(), options_.cut_power_after_bytes);
  DeviceFetch fetch(board_, link, display);
  for (const std::string& name : options_.fetch_names) {
    const MediumMeter meter(board_);
    const FetchSummary summary = fetch.Fetch(name);
    json entry = ToJson(name, summary);
    entry["medium"] = meter.Report();
    report_["fetched"].push_back(entry);
    if (options_.is_json) continue;
    if (summary.was_present) {
      std::printf("%s: is on the board already, %u bytes\n", name.c_str(), summary.total_bytes);
    } else {
      std::printf("%s: fetched and stored, NOT verified, %u bytes; %s\n", name.c_str(),
                  summary.total_bytes, meter.Describe().c_str());
    }
  }
}

std::vector<std::string> DeviceSession::ListInstalled() {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < board_.store().image_count(); ++i) {
    const auto info = RunToEnd([&] { return board_.store().ReadImageInfo(i); });
    const bool is_model = info.ok() && info->state == storage::ImageState::kConfirmed &&
                          info->name.view() != agent::TrustRecord::kName;
    if (is_model) names.emplace_back(info->name.view());
  }
  return names;
}

void DeviceSession::UpdateModels() {
  DeviceTrust trust(board_, options_.state_directory, options_.trust_path);
  if (trust.was_provisioned() && !options_.is_json) {
    std::printf("trust: root metadata version %u is this board's anchor from now on\n",
                trust.root_version());
    std::fflush(stdout);
  }
  DeviceLink link(options_.server_url, options_.ca_path);
  FetchDisplay display(board_.power(), options_.cut_power_after_bytes);
  const MediumMeter meter(board_);
  std::vector<agent::DecryptionKey> keys;
  formats::KeyId key_id = {};
  if (!options_.payload_key_path.empty()) {
    keys.push_back(LoadPayloadKey(options_.payload_key_path, key_id));
  }
  DeviceUpdate update(board_, link, trust, display, keys);
  UpdateWish wish = {options_.fetch_names, options_.wants_all, options_.wants_proof};
  if (options_.wants_update) {
    const std::vector<std::string> installed = ListInstalled();
    wish.names.insert(wish.names.end(), installed.begin(), installed.end());
  }
  std::string failure;
  for (const UpdateSummary& summary : update.Run(wish)) {
    json entry = ToJson(summary.name, summary.fetch);
    entry["was_present"] = summary.status == Status::kAlreadyExists;
    entry["sequence_number"] = summary.sequence_number;
    entry["status"] = StatusName(summary.status);
    report_["fetched"].push_back(entry);
    if (!options_.is_json) PrintUpdate(summary);
    const bool is_good = IsOk(summary.status) || summary.status == Status::kAlreadyExists;
    if (is_good || !failure.empty()) continue;
    failure = summary.name + ": " + std::string(StatusSentence(summary.status)) + ' ' +
              update.Explain(summary) + " [" + std::string(StatusName(summary.status)) + ']';
  }
  report_["medium"] = meter.Report();
  if (!options_.is_json) std::printf("%s\n", meter.Describe().c_str());
  report_["root_version"] = trust.root_version();
  report_["trusted_time_s"] = update.now_s();
  if (!failure.empty()) throw CommandError(failure);
}

void DeviceSession::RunModels() {
  for (size_t i = 0; i < options_.run_names.size(); ++i) {
    RunModel(options_.run_names[i], PickFor(options_.inputs, i, "zero"),
             PickFor(options_.label_paths, i, ""));
  }
}

void DeviceSession::RunModel(const std::string& name, const std::string& input,
                             const std::string& labels) {
  const MediumMeter meter(board_);
  OpenModel model(board_.store(), name);
  const bool is_mapped = model.source().Map().has_value();
  engine::Interpreter interpreter(engine::AllOperators());
  const Status prepared = interpreter.Prepare(model.source(), board_.arena(),
                                              {.patch_planner = &engine::kPatchPlanner});
  if (prepared == Status::kArenaTooSmall) {
    const uint32_t needed = interpreter.arena_bytes_needed();
    throw CommandError(name + " does not fit, not even in patches: its plain plan needs " +
                       (needed == 0 ? "more" : std::to_string(needed) + " bytes") +
                       " of arena, board " + std::string(board_.traits().id) + " has " +
                       std::to_string(board_.traits().arena_bytes()));
  }
  if (!IsOk(prepared)) throw CommandError(name + " cannot be run: " + Describe(prepared));
  if (IsGenerated(input)) {
    FillInputs(interpreter, input);
  } else {
    FillInputsFromFile(interpreter, input);
  }
  if (const Status status = interpreter.Invoke(); !IsOk(status)) {
    throw CommandError(name + ": " + Describe(status));
  }
  const engine::ModelSummary& summary = interpreter.summary();
  const std::vector<std::string> names =
      labels.empty() ? std::vector<std::string>() : ReadLabels(labels);
  const Prediction prediction = ReadPrediction(interpreter, names);
  report_["runs"].push_back({{"name", name},
                             {"input", input},
                             {"values", prediction.values},
                             {"index", prediction.index},
                             {"label", prediction.label},
                             {"text", prediction.text},
                             {"is_mapped", is_mapped},
                             {"medium", meter.Report()},
                             {"arena_bytes", summary.arena_bytes},
                             {"chain_count", summary.chain_count},
                             {"patch_count", summary.patch_count},
                             {"read_bytes", interpreter.read_bytes()},
                             {"single_pass_bytes", summary.single_pass_bytes}});
  if (!options_.is_json) {
    std::printf("%s(%s): %s; %s\n", name.c_str(), input.c_str(), prediction.text.c_str(),
                is_mapped ? "run in place" : ("streamed: " + meter.Describe()).c_str());
    if (summary.chain_count == 0) return;
    std::printf("  %s; read %" PRIu64 " bytes of weights, %" PRIu64 " in a single pass\n",
                DescribePlan(summary).c_str(), interpreter.read_bytes(), summary.single_pass_bytes);
  }
}

void DeviceSession::ListModels() {
  if (!options_.wants_list) return;
  storage::ModelStore& store = board_.store();
  const storage::StoreSpace space = store.space();
  report_["models"] = json::array();
  for (uint32_t i = 0; i < store.image_count(); ++i) {
    const Result<storage::ImageInfo> info = RunToEnd([&] { return store.ReadImageInfo(i); });
    if (!info.ok())
      throw CommandError("image " + std::to_string(i) + ": " + Describe(info.status()));
    const std::string name(info->name.view());
    report_["models"].push_back({{"name", name},
                                 {"state", StateName(info->state)},
                                 {"size_bytes", info->size_bytes},
                                 {"durable_bytes", info->durable_bytes},
                                 {"sequence_number", info->sequence_number},
                                 {"sha256", crypto::HexText(info->digest)}});
    if (options_.is_json) continue;
    std::printf("%-32s %-9s %8u bytes  %.16s\n", name.c_str(), StateName(info->state),
                info->size_bytes, crypto::HexText(info->digest).c_str());
  }
  report_["space"] = {{"total_bytes", space.total_bytes},
                      {"free_bytes", space.free_bytes},
                      {"largest_free_bytes", space.largest_free_bytes}};
  if (!options_.is_json) {
    std::printf("%u images; %u of %u bytes free\n", store.image_count(), space.free_bytes,
                space.total_bytes);
  }
}

}  // namespace ota::cli
