// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/status.h"

// The conformance suite of trust: named attacks on a device, each against the code that real
// devices run. The groups are those of TUF's own suite, and those that SUIT's manifests add.

namespace ota::simulator {

class Scene;

/// An attack, or for comparison a thing that must work. It passes if the device's answer is the
/// expected one, nothing refused has changed what the device believes or runs, and the device takes
/// a good update afterwards.
struct AttackCase {
  const char* group;
  const char* name;
  const char* what;  // what the attacker does, in one sentence
  Status expected;
  Status (*play)(Scene& scene);
};

/// What is taken or refused by itself: manifests, keys, roots, freshness, payloads.
std::span<const AttackCase> TrustAttackCases();
/// What happens in a round of polling: mirrors, freezes, floods, other answers.
std::span<const AttackCase> PollAttackCases();

/// All of them.
std::vector<AttackCase> AllAttackCases();

struct AttackOutcome {
  Status answer = Status::kOk;
  std::string failure;  // empty: the case has passed

  bool has_passed() const { return failure.empty(); }
};

/// Plays one case in a world of its own.
AttackOutcome PlayAttack(const AttackCase& attack);

}  // namespace ota::simulator
