// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/update/attempt_record.h"
#include "agent/update/fetcher.h"
#include "agent/update/payload_stage.h"
#include "agent/update/self_test_run.h"
#include "agent/update/server_path.h"
#include "agent/update/trust_record.h"
#include "formats/trust/manifest_verification.h"

namespace ota::agent {

/// What one step may cost.
struct StepBudget {
  uint32_t curve_operations_max = 500;  ///< of a signature's verification, where it can be split
  uint32_t macs_max = 100'000;          ///< of a self-test
};

/// Takes one signed envelope from its bytes to a confirmed model.
///
/// Invariants:
///  - not a byte of payload is asked for before the envelope is verified and meant for this device;
///  - a model is taken into use only after its digest and its self-tests were right;
///  - the sequence number of what is confirmed never falls, also over power cuts and deletions;
///  - an image is begun to be fetched at most AttemptRecord::kAttemptsMax times a day, also over
///    resets.
class Updater {
 public:
  /// In the order of an update's life; each is left for the next, or for kFailed.
  enum class State : uint8_t {
    kIdle,
    kVerifying,   ///< signatures, roles
    kChecking,    ///< whether it is for this device, and now
    kOpeningKey,  ///< of an encrypted payload
    kCounting,    ///< the attempt, unless it goes on with what is half staged
    kFetching,
    kOpening,     ///< the staged image, into the arena
    kTesting,     ///< self-tests
    kAnnouncing,  ///< that the number will rise, should power fail before it is recorded
    kActivating,
    kConfirming,
    kRecording,  ///< the trust state
    kDone,
    kFailed,
  };

  /// All must outlive the updater. `trust` is what the device believes, as loaded, and `record`
  /// stores it; `arena`, aligned as the engine asks, is used during kOpening and kTesting. `stage`
  /// is the source that `fetcher` was made with; null: it takes only payloads that are neither
  /// encrypted nor in the envelope. `patch_planner` is needed for models that fit the arena in
  /// patches alone.
  Updater(Fetcher& fetcher, storage::ModelStore& store, formats::TrustState& trust,
          TrustRecord& record, engine::OperatorTable operators, MutableByteSpan arena,
          const StepBudget& budget, PayloadStage* stage = nullptr,
          const engine::PatchPlanner* patch_planner = nullptr)
      : fetcher_(fetcher),
        stage_(stage),
        store_(store),
        trust_(trust),
        record_(record),
        attempts_(store),
        self_tests_(operators, patch_planner),
        arena_(arena),
        budget_(budget) {}

  /// Gets ready for an envelope, whose bytes must live until the end, as `device`'s must. `now_s`
  /// is trusted time; 0: not known.
  void Start(ByteSpan envelope, const formats::DeviceProfile& device, uint64_t now_s);

  /// Goes on by one bounded step. kBusy: call again. kOk: the model is confirmed, and the trust
  /// state is stored. Anything else: the update has failed, and nothing that was in use has
  /// changed. Refusals before the payload: statuses of ManifestVerification and CheckManifest;
  /// kNameInvalid: the name of the trust state; kNotSupported: a payload that is encoded,
  /// or one that needs a stage where there is none; statuses of FindPayload and PayloadStage;
  /// kAttemptsExhausted. Then those of Fetcher, SelfTestRun and ModelStore. After a failed
  /// self-test the image stays staged, never in use, until the next one of its name takes its
  /// place.
  Status Step();

  State state() const { return state_; }
  /// Of the envelope; from kChecking on.
  const formats::Manifest& manifest() const { return manifest_; }

 private:
  Status StepState();
  Status Check();
  Status PreparePayload();
  Status OpenKey();
  Status Count();
  Status OpenStaged();
  Status Test();
  Status Record();
  void CloseStaged();

  Fetcher& fetcher_;
  PayloadStage* stage_;
  storage::ModelStore& store_;
  formats::TrustState& trust_;
  TrustRecord& record_;
  AttemptRecord attempts_;
  SelfTestRun self_tests_;
  MutableByteSpan arena_;
  StepBudget budget_;

  State state_ = State::kIdle;
  Status failure_ = Status::kOk;
  ByteSpan envelope_;
  formats::DeviceProfile device_;
  uint64_t now_s_ = 0;
  formats::ManifestVerification verification_;
  formats::Manifest manifest_;
  storage::ModelName name_;
  ExpectedImage expected_;
  bool is_installed_ = false;  ///< this very image, under a lower number
  ServerPath payload_path_;
  ByteSource* staged_ = nullptr;
};

}  // namespace ota::agent
