// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/host/authoring.h"

// From a model to what is published: `publish` in steps. All functions throw CommandError.

namespace ota::cli {

struct ReleaseOptions {
  std::string model;
  std::string name;
  std::string version;
  std::string vendor;
  std::vector<std::string> classes;
  std::string device;
  uint64_t sequence_number = 0;  // 0: the time in seconds
  std::string memory_unit = "any";
  std::string priority = "optional";
  uint64_t use_before_s = 0;
  uint32_t minimum_battery_mwh = 0;
  std::string uri;  // empty: by digest
  bool is_integrated = false;
  uint32_t self_test_count = 1;
  std::string accuracy;                 // "METRIC=PERCENT/SAMPLES"
  std::vector<std::string> recipients;  // files of public keys and group keys
  std::string cipher = "ctr";           // or gcm; for payloads with recipients
  std::vector<std::string> signers;
};

struct Release {
  formats::Bytes payload;   // as it travels
  formats::Bytes envelope;  // with the payload in it if it is integrated
  uint64_t sequence_number = 0;
  uint32_t arena_bytes = 0;
  uint32_t image_bytes = 0;
  uint32_t manifest_bytes = 0;
};

/// Validates and plans the model, runs its self-tests, encrypts it if there are recipients, writes
/// the manifest and signs it.
Release BuildRelease(const ReleaseOptions& options);

}  // namespace ota::cli
