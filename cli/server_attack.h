// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

// The attacks that concern a server: each against the real server over HTTPS, with a device that
// decides with the code that real devices run.

namespace ota::cli {

class ServerScene;

struct ServerAttack {
  const char* name;
  const char* what;      ///< what the attacker does, in one sentence
  const char* expected;  ///< status of HTTP and name of the refusal, or status of the device
  std::string (*play)(ServerScene& scene);
};

std::span<const ServerAttack> AllServerAttacks();

struct ServerAttackOutcome {
  std::string answer;
  std::string failure;  ///< empty: the case has passed

  bool has_passed() const { return failure.empty(); }
};

/// Plays one case with a server of its own; afterwards a good release must still reach the device.
ServerAttackOutcome PlayServerAttack(const ServerAttack& attack);

}  // namespace ota::cli
