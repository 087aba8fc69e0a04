// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "agent/update/poller.h"
#include "agent/update/updater.h"
#include "storage/model_store/model_rotation.h"

namespace ota::agent {

/// Told what an UpdateAgent does; every call is made from its Step.
class UpdateObserver {
 public:
  /// The answer is believed. `now_s`: seconds since 1970.
  virtual void OnPolled(uint64_t now_s, uint32_t offer_count) = 0;
  /// A release is looked at; the name lives for the call.
  virtual void OnOffer(const formats::ComponentSequence& release) = 0;
  /// It has ended: kOk, in use and confirmed; else why not.
  virtual void OnReleaseEnd(const formats::ComponentSequence& release, Status status) = 0;

 protected:
  ~UpdateObserver() = default;
};

/// Memory that an UpdateAgent works in; all of it the caller's.
struct UpdateBuffers {
  MutableByteSpan answer;    ///< Poller::kAnswerBytes
  MutableByteSpan envelope;  ///< Poller::kMessageBytes or more: also the longest envelope it takes
  MutableByteSpan arena;     ///< for self-tests
};

/// What runs the models, in their self-tests as later.
struct UpdateEngine {
  engine::OperatorTable operators;
  /// Of a device that runs models in patches if they fit its arena no other way; else null.
  const engine::PatchPlanner* patch_planner = nullptr;
};

/// One round of updates: asks the server what is new, and takes each release that it offers, from
/// its envelope to the confirmed model, or refuses it; then models that stay are moved, if need be,
/// so that the memory unit wears evenly. The whole of the device's side.
class UpdateAgent {
 public:
  /// All must outlive the agent. `exchange` and `fetcher` may use one connection: never both at a
  /// time. `trust` is what the device believes, as loaded. `observer`, `stage` and `rotation` may
  /// be null: `stage` as Updater's, `rotation` if nothing is to be moved.
  UpdateAgent(const Port& port, MessageExchange& exchange, Fetcher& fetcher,
              storage::ModelStore& store, formats::TrustState& trust, const UpdateEngine& engine,
              const UpdateBuffers& buffers, const StepBudget& budget, UpdateObserver* observer,
              PayloadStage* stage, storage::ModelRotation* rotation = nullptr)
      : exchange_(exchange),
        fetcher_(fetcher),
        record_(store),
        poller_(port, exchange, store, trust, record_, buffers.answer, buffers.envelope),
        updater_(fetcher, store, trust, record_, engine.operators, buffers.arena, budget, stage,
                 engine.patch_planner),
        envelope_bytes_(buffers.envelope),
        budget_(budget),
        observer_(observer),
        rotation_(rotation) {}

  /// Starts a round. `device` and what it points to must outlive it; `wish` need not.
  void Start(const formats::DeviceProfile& device, const PollWish& wish);

  /// Goes on by one bounded step. kBusy: call again. kOk: the round is over, and every offer was
  /// taken. Otherwise the first status with which the poll, an offer or a move failed; the other
  /// offers were tried all the same. kDigestMismatch: what came is not the envelope that was
  /// offered. kNotLogged: a proof was wished for and is not there or wrong.
  Status Step();

  /// Whether the next step can do nothing until something comes, or a pause is over: a good time to
  /// sleep.
  bool is_waiting_for_network() const;

  const Poller& poller() const { return poller_; }
  const Updater& updater() const { return updater_; }

 private:
  enum class State : uint8_t { kIdle, kPolling, kChoosing, kFetching, kUpdating, kMoving, kDone };

  Status StepState();
  Status Choose();
  Status TakeEnvelope();
  Status MoveModels();
  void End(Status status);

  MessageExchange& exchange_;
  Fetcher& fetcher_;
  TrustRecord record_;
  Poller poller_;
  Updater updater_;
  MutableByteSpan envelope_bytes_;
  StepBudget budget_;
  UpdateObserver* observer_;
  storage::ModelRotation* rotation_;

  State state_ = State::kIdle;
  Status first_failure_ = Status::kOk;
  formats::DeviceProfile device_;
  bool wants_proof_ = false;
  uint32_t updated_bytes_ = 0;  ///< of images that this round has installed
  uint32_t offer_index_ = 0;
  OfferedEnvelope offer_;
  ServerPath envelope_path_;
};

}  // namespace ota::agent
