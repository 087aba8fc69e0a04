// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/commands.h"
#include "cli/key_file.h"
#include "cli/model_file.h"
#include "cli/volume_image.h"
#include "crypto/sha256.h"
#include "simulator/board/memory_unit.h"

namespace ota::cli {
namespace {

namespace fs = std::filesystem;

struct BuildOptions {
  std::string kind;
  std::string size;
  std::string erase_unit = "4K";
  std::string store_size;
  std::vector<std::string> models;
  std::string output;
  ImageOptions image;
};

struct ReadOptions {
  std::string image;
  std::vector<std::string> names;
  std::string folder = ".";
  bool as_json = false;
  bool repairs = false;
};

void SaveFile(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(reinterpret_cast<const char*>(bytes.data()),
             static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) {
    throw CommandError("cannot write " + path + "; check the folder, permissions and free space");
  }
}

/// "NAME=PATH" or "PATH": what it is called on the medium, and where it comes from.
std::pair<std::string, std::string> SplitModel(const std::string& argument, bool is_file) {
  const size_t equals = argument.find('=');
  if (equals != std::string::npos) {
    return {argument.substr(0, equals), argument.substr(equals + 1)};
  }
  const fs::path path(argument);
  // A store keeps models, not files: "kws", not "kws.tflite".
  return {is_file ? path.filename().string() : path.stem().string(), argument};
}

void Build(BuildOptions options) {
  options.image.kind = ParseImageKind(options.kind);
  options.image.erase_unit = ParseSize(options.erase_unit);
  if (!options.store_size.empty()) options.image.store_bytes = ParseSize(options.store_size);
  const bool has_files = options.image.is_plain && options.image.kind != ImageKind::kRaw;
  std::unique_ptr<VolumeImage> image = VolumeImage::Make(ParseSize(options.size), options.image);
  std::string digests;
  std::set<std::string> names;
  for (const std::string& argument : options.models) {
    const auto [name, path] = SplitModel(argument, has_files);
    if (!names.insert(name).second) {
      throw CommandError("two models are called '" + name + "'; NAME=FILE calls one otherwise", 2);
    }
    const std::vector<uint8_t> bytes = ReadFile(path);
    image->Add(name, bytes);
    digests += crypto::HexText(crypto::ComputeSha256(bytes)) + "  " + name + '\n';
  }
  if (has_files) image->Add(simulator::kDigestListName, {digests.begin(), digests.end()});
  image->Seal();
  SaveFile(options.output, image->bytes());
  std::printf("%s: %s, %zu models, %llu bytes free\n", options.output.c_str(),
              image->description().c_str(), options.models.size(),
              static_cast<unsigned long long>(image->ReadFreeBytes()));
}

std::string FormatTime(uint32_t seconds) {
  if (seconds == 0) return "-";
  const std::time_t time = seconds;
  std::tm fields{};
  gmtime_r(&time, &fields);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &fields);
  return text;
}

// What a foreign medium calls a file goes to a terminal: nothing but text may.
std::string Printable(const std::string& name) {
  std::string text;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    text += byte < 0x20 || byte == 0x7F ? '?' : c;
  }
  return text;
}

void ListImage(const ReadOptions& options) {
  const auto image = VolumeImage::Open(ReadFile(options.image), options.image);
  const std::vector<ImageEntry> entries = image->List();
  if (options.as_json) {
    nlohmann::json list = nlohmann::json::array();
    for (const ImageEntry& entry : entries) {
      nlohmann::json line = {{"name", entry.name}, {"bytes", entry.size_bytes}};
      if (entry.modified_s != 0) line["modified"] = entry.modified_s;
      if (!entry.state.empty()) line["state"] = entry.state;
      list.push_back(line);
    }
    const nlohmann::json document = {
        {"kind", image->description()}, {"free_bytes", image->ReadFreeBytes()}, {"files", list}};
    std::printf("%s\n",
                document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
    return;
  }
  std::printf("%s: %s\n", options.image.c_str(), image->description().c_str());
  for (const ImageEntry& entry : entries) {
    std::printf("%10llu  %-16s  %s\n", static_cast<unsigned long long>(entry.size_bytes),
                entry.state.empty() ? FormatTime(entry.modified_s).c_str() : entry.state.c_str(),
                Printable(entry.name).c_str());
  }
  std::printf("%zu files and models, %llu bytes free\n", entries.size(),
              static_cast<unsigned long long>(image->ReadFreeBytes()));
}

// Where a file of the medium goes: always below the folder, whatever it is called.
fs::path TargetPath(const std::string& folder, const std::string& name) {
  fs::path target(folder);
  const fs::path relative = fs::path(name).relative_path();
  for (const fs::path& part : relative) {
    if (part == "..") {
      throw CommandError("the medium has a file called " + Printable(name) +
                         ", which would lead out of " + folder + "; nothing was extracted");
    }
    target /= part;
  }
  if (relative.empty() || relative.filename().empty()) {
    throw CommandError("the medium has a file without a usable name: " + Printable(name));
  }
  return target;
}

void Extract(const ReadOptions& options) {
  const auto image = VolumeImage::Open(ReadFile(options.image), options.image);
  std::vector<std::string> names = options.names;
  if (names.empty()) {
    for (const ImageEntry& entry : image->List()) {
      if (entry.state.empty() || entry.state == "confirmed") names.push_back(entry.name);
    }
  }
  std::vector<fs::path> targets;
  for (const std::string& name : names) targets.push_back(TargetPath(options.folder, name));
  for (size_t i = 0; i < names.size(); ++i) {
    const std::vector<uint8_t> content = image->Read(names[i]);
    std::error_code ignored;  // SaveFile says what is wrong
    fs::create_directories(targets[i].parent_path(), ignored);
    SaveFile(targets[i].string(), content);
    std::printf("%10zu  %s\n", content.size(), targets[i].string().c_str());
  }
}

void CheckImage(const ReadOptions& options) {
  const auto image = VolumeImage::Open(ReadFile(options.image), options.image);
  const ImageCheck found = image->Check(options.repairs);
  std::printf("%s: %s, %u files, %u models\n", options.image.c_str(), image->description().c_str(),
              found.file_count, found.model_count);
  for (const std::string& finding : found.findings) {
    std::printf("  %s\n", Printable(finding).c_str());
  }
  if (found.is_sound) {
    std::printf("sound\n");
    return;
  }
  if (!options.repairs) {
    throw CommandError(options.image + " is not sound; --repair mends what a power cut leaves");
  }
  SaveFile(options.image, image->bytes());
  if (!image->Check(false).is_sound) {
    throw CommandError(options.image + " is repaired, but for what is listed as damaged");
  }
  std::printf("repaired\n");
}

void AddBuildCommand(CLI::App& parent) {
  auto options = std::make_shared<BuildOptions>();
  CLI::App* const command = parent.add_subcommand("build", "Make an image that holds models");
  command->add_option("--fs", options->kind, "fat, spiffs, eefs, or raw for the model store")
      ->required();
  command->add_option("--size", options->size, "Bytes of the medium: 4M, 512K, 65536")->required();
  command->add_option("models", options->models, "Files, or NAME=FILE to call one otherwise")
      ->required();
  command->add_option("-o,--output", options->output, "File to write")->required();
  ImageOptions& image = options->image;
  command->add_flag("--plain", image.is_plain,
                    "Models as files, and models.sha256 to verify them with, in place of a store");
  command->add_option("--store-size", options->store_size,
                      "FAT, EEFS: bytes for the store; else 15 sixteenths of the volume");
  command->add_option("--fat", image.fat_bits, "FAT: 12, 16 or 32; else what suits the size")
      ->check(CLI::IsMember({12, 16, 32}));
  command->add_flag("--partitioned", image.is_partitioned, "FAT: behind a master boot record");
  command->add_option("--page", image.page_bytes, "SPIFFS: bytes of a page")->capture_default_str();
  command->add_option("--block", image.block_bytes, "SPIFFS: bytes of a block")
      ->capture_default_str();
  command->add_flag("--esp8266", image.is_esp8266, "SPIFFS: laid out for an ESP8266");
  command->add_flag("--little-endian", image.is_little_endian, "EEFS: for such a processor");
  command->add_option("--slots", image.slot_count, "EEFS: files at most")->capture_default_str();
  command->add_option("--spare", image.spare_bytes, "EEFS: bytes each file may grow");
  command->add_option("--erase-unit", options->erase_unit, "raw: of the flash")
      ->capture_default_str();
  command
      ->add_option("--program-unit", image.program_unit,
                   "raw: of the flash, EEFS: a page of the EEPROM, in bytes")
      ->capture_default_str();
  command->add_option("--time", image.time_s, "Of all files, seconds since 1970");
  command->callback([options] { Build(*options); });
}

void AddImageOption(CLI::App& command, ReadOptions& options) {
  command.add_option("image", options.image, "File with the bytes of the medium")->required();
}

}  // namespace

void AddImageCommand(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("image", "Make, list, extract and check media that hold models");
  command->require_subcommand(1);
  AddBuildCommand(*command);

  auto list = std::make_shared<ReadOptions>();
  CLI::App* const list_command = command->add_subcommand("list", "List what an image holds");
  AddImageOption(*list_command, *list);
  list_command->add_flag("--json", list->as_json, "For programs");
  list_command->callback([list] { ListImage(*list); });

  auto extract = std::make_shared<ReadOptions>();
  CLI::App* const extract_command =
      command->add_subcommand("extract", "Copy files out of an image");
  AddImageOption(*extract_command, *extract);
  extract_command->add_option("names", extract->names, "Which; without, all");
  extract_command->add_option("-d,--directory", extract->folder, "Where to")->capture_default_str();
  extract_command->callback([extract] { Extract(*extract); });

  auto check = std::make_shared<ReadOptions>();
  CLI::App* const check_command =
      command->add_subcommand("check", "Verify the structure of an image; 1: it is not sound");
  AddImageOption(*check_command, *check);
  check_command->add_flag("--repair", check->repairs, "Mend what a power cut left, in the file");
  check_command->callback([check] { CheckImage(*check); });
}

}  // namespace ota::cli
