// SPDX-License-Identifier: Apache-2.0
// What a poll costs the server: bytes, signatures, time; for devices that ask alone and together.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

#include "server/poll/poll_desk.h"
#include "server/release/release_store.h"
#include "server/release/test_publisher.h"
#include "server/temporary_directory.h"

namespace {

using namespace ota;
using std::chrono::steady_clock;

formats::Bytes MakeQuestion(const server::TestPublisher& publisher, uint64_t installed) {
  formats::Bytes components(64), bytes(formats::kPollQuestionBytesMax);
  formats::CborWriter list(components);
  list.WriteArrayHead(1);
  WriteSequence(list, {formats::ComponentKind::kModel, "kws", installed});
  formats::PollQuestion question;
  question.vendor_id = publisher.vendor_id;
  question.class_ids[0] = publisher.class_id;
  question.class_id_count = 1;
  question.device_id = publisher.vendor_id;
  question.nonce = publisher.class_id;
  question.components = *list.Finish();
  formats::CborWriter writer(bytes);
  WritePollQuestion(writer, question);
  bytes.resize(writer.size_needed_bytes());
  return bytes;
}

struct World {
  World() {
    (void)roots->Add(1, publisher.SignRoot(1));  // it is the publisher's own
    const std::string payload = "model";
    auto accepted = releases->Accept("kws", publisher.Envelope(7, payload));
    const auto staging = std::move(*releases->Stage(std::get<server::AcceptedEnvelope>(accepted)));
    (void)staging->Append({reinterpret_cast<const uint8_t*>(payload.data()), payload.size()});
    (void)releases->Publish(std::get<server::AcceptedEnvelope>(accepted), *staging);
    index.Refresh();
  }
  server::TemporaryDirectory directory;
  server::TestPublisher publisher;
  std::unique_ptr<server::TransparencyLog> log =
      std::move(*server::TransparencyLog::Open(directory.path("log")));
  std::unique_ptr<server::RootStore> roots =
      std::move(*server::RootStore::Open(directory.path("roots")));
  std::unique_ptr<server::ReleaseStore> releases =
      std::move(*server::ReleaseStore::Open(directory.path(), *roots, *log));
  std::unique_ptr<server::ArtifactStore> envelopes =
      std::move(*server::ArtifactStore::Open(directory.path("envelopes"), ".suit"));
  server::ReleaseIndex index{*envelopes, *roots};
};

// `together` devices ask at a time, until `total` have.
void Measure(World& world, uint32_t together, uint32_t total, uint64_t installed) {
  const formats::Bytes question = MakeQuestion(world.publisher, installed);
  server::FreshnessSigner signer(*world.publisher.freshness_key, *world.roots,
                                 {std::chrono::milliseconds(0), 1u << 20});
  server::PollDesk desk(world.index, *world.roots, *world.log, signer);
  std::atomic<uint32_t> answered = 0;
  std::atomic<size_t> answer_bytes = 0;
  const auto start = steady_clock::now();
  for (uint32_t asked = 0; asked < total;) {
    for (uint32_t i = 0; i < together && asked < total; ++i, ++asked) {
      const Status status = desk.Ask(question, [&](const Result<formats::Bytes>& answer) {
        answer_bytes = answer.ok() ? answer->size() : 0;
        ++answered;
      });
      if (!IsOk(status)) return;
    }
    while (answered < asked) std::this_thread::yield();
  }
  const std::chrono::duration<double, std::micro> took = steady_clock::now() - start;
  std::printf("%8u %8zu %8zu %12.4f %12.1f\n", together, question.size(), answer_bytes.load(),
              static_cast<double>(signer.signature_count()) / total, took.count() / total);
}

}  // namespace

int main() {
  World world;
  std::printf("%8s %8s %8s %12s %12s\n", "together", "question", "answer", "signatures", "us each");
  std::printf("nothing new:\n");
  for (const uint32_t together : {1u, 10u, 100u, 1000u}) Measure(world, together, 5000, 7);
  std::printf("one release on offer:\n");
  for (const uint32_t together : {1u, 10u, 100u, 1000u}) Measure(world, together, 5000, 6);
  return 0;
}
