// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/prng.h"
#include "cli/program_for_test.h"
#include "formats/tflite/test_model_writer.h"

// From a publisher's keys over a real server onto a board, as people do it: the real program.

namespace ota::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

// As MobileNetV2 begins: a convolution, then an expansion, a depthwise convolution and a
// projection, whose widest tensor has 216 KiB.
class WideModel {
 public:
  void Write(const std::string& path) {
    int32_t last = AddActivation({1, 96, 96, 3});
    graph_.inputs = {last};
    last = AddConvolution(formats::OperatorCode::kConv2d, last, {8, 3, 3, 3}, {1, 96, 96, 8}, 1);
    last = AddConvolution(formats::OperatorCode::kConv2d, last, {24, 1, 1, 8}, {1, 96, 96, 24}, 1);
    last = AddConvolution(formats::OperatorCode::kDepthwiseConv2d, last, {1, 3, 3, 24},
                          {1, 48, 48, 24}, 2);
    last = AddConvolution(formats::OperatorCode::kConv2d, last, {8, 1, 1, 24}, {1, 48, 48, 8}, 1);
    const int32_t pooled = AddActivation({1, 1, 1, 8});
    graph_.operators.push_back(
        {formats::OperatorCode::kAveragePool2d,
         {last},
         {pooled},
         {formats::OptionU8(0, 1), formats::OptionI32(1, 1), formats::OptionI32(2, 1),
          formats::OptionI32(3, 48), formats::OptionI32(4, 48)}});
    graph_.outputs = {pooled};
    const std::vector<uint8_t> bytes = formats::WriteModel(graph_);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  }

 private:
  int32_t Add(formats::TensorSpec tensor) {
    graph_.tensors.push_back(std::move(tensor));
    return static_cast<int32_t>(graph_.tensors.size()) - 1;
  }

  int32_t AddActivation(std::vector<int32_t> shape) {
    return Add({.shape = std::move(shape), .scales = {0.05f}, .zero_point = 3});
  }

  int32_t AddConvolution(formats::OperatorCode code, int32_t input, std::vector<int32_t> weights,
                         std::vector<int32_t> output, int32_t stride) {
    const bool is_depthwise = code == formats::OperatorCode::kDepthwiseConv2d;
    std::vector<uint8_t> data;
    for (int32_t i = 0; i < weights[0] * weights[1] * weights[2] * weights[3]; ++i) {
      data.push_back(static_cast<uint8_t>(prng_.Next() >> 8));
    }
    const int32_t tensor =
        Add({.shape = std::move(weights), .scales = {0.004f}, .data = std::move(data)});
    const int32_t result = AddActivation(std::move(output));
    std::vector<formats::OptionField> options = {formats::OptionI32(1, stride),
                                                 formats::OptionI32(2, stride)};
    if (is_depthwise) options.push_back(formats::OptionI32(3, 1));
    graph_.operators.push_back({code, {input, tensor, -1}, {result}, std::move(options)});
    return result;
  }

  Prng prng_{3};
  formats::SubgraphSpec graph_;
};

class PublishTest : public ProgramTest {
 protected:
  ~PublishTest() override { Shell("kill -KILL $(cat pid)"); }

  // Runs a script in the test's directory, with the words defined below; returns what it wrote.
  std::string Shell(const std::string& script) {
    const std::string path = directory_ + "/script.sh";
    std::ofstream(path) << "cd '" << directory_ << "'\nMODELS='"
                        << std::filesystem::absolute("models").string() << "'\nOTA='" << OTA_PROGRAM
                        << "'\n"
                        << kWords << "{ " << script << "\n} 2>&1\n";
    return RunCommand("bash '" + path + "'");
  }

  // A server, keys, and root metadata version 1 in 1.cbor, which the server has.
  void SetUp() override {
    const std::string output = Shell(
        "start; for k in root release; do ota key generate $k --no-passphrase; done\n"
        "ota trust init --root root.pub --threshold 1 --freshness data/freshness.pub.pem "
        "--release release.pub --sign root -o 1.cbor && ota trust publish 1.cbor $TO");
    ASSERT_EQ(exit_code_, 0) << output;
  }

  static constexpr const char* kWords =
      "ota() { \"$OTA\" \"$@\"; }\n"
      "start() { rm -f port; \"$OTA\" serve --data data --listen 127.0.0.1:0 --port-file port "
      ">>out 2>>err & echo $! > pid; for i in $(seq 400); do [ -s port ] && break; sleep 0.05; "
      "done; urls; }\n"
      "urls() { URL=https://127.0.0.1:$(cat port); CA=data/tls/ca.pem; "
      "TO=\"--server $URL --ca $CA --token-file data/publisher.token\"; }\n"
      "[ -s port ] && urls\n"
      "publish() { ota publish $MODELS/$1/$1.tflite --name $1 --version ${VERSION:-1} "
      "--vendor boards.ota-tinyml.example --class ${CLASS:-B1} --key ${KEY:-release} \"${@:2}\"; "
      "}\n"
      "device() { ota device --board B1 --state board --server $URL --ca $CA \"$@\"; }\n";
};

TEST_F(PublishTest, BringsAModelFromItsPublisherOntoABoard) {
  const auto published = nlohmann::json::parse(Shell("publish sine --sequence 5 $TO --json"));
  EXPECT_EQ(published["sequence_number"], 5);
  EXPECT_EQ(published["server"]["log_index"], 0);
  EXPECT_THAT(Shell("device --trust 1.cbor --fetch sine"),
              HasSubstr("sine: release 5 verified, fetched, tested and confirmed"));
  EXPECT_EQ(exit_code_, 0);
  EXPECT_THAT(Shell("device --fetch sine"), HasSubstr("on the board already, release 5"));
  EXPECT_EQ(exit_code_, 0);
  Shell("publish sine --sequence 6 $TO");
  EXPECT_THAT(Shell("device --update"), HasSubstr("sine: release 6"));
  EXPECT_THAT(Shell("device --fetch digits"), HasSubstr("digits: REFUSED"));
  EXPECT_EQ(exit_code_, 1);
  Shell("CLASS=B6 publish digits --sequence 1 $TO");
  EXPECT_THAT(Shell("device --fetch digits"),
              testing::AllOf(HasSubstr("no release of 'digits' for this board"),
                             HasSubstr("vendor is boards.ota-tinyml.example"),
                             HasSubstr("classes are B1 and every-board"), HasSubstr("--class B1")));
  Shell("publish digits $TO");
  EXPECT_THAT(Shell("device --fetch sine --all --require-log"), HasSubstr("digits: release"));
  EXPECT_EQ(exit_code_, 0);
}

TEST_F(PublishTest, ABoardTakesAndRunsAModelThatFitsItsArenaInPatchesAlone) {
  WideModel().Write(directory_ + "/wide.tflite");
  const std::string publish =
      "ota publish wide.tflite --name wide --version 1 --vendor boards.ota-tinyml.example "
      "--class B4 --key release $TO";
  const std::string published = Shell(publish);
  ASSERT_EQ(exit_code_, 0) << published;
  const auto expected = nlohmann::json::parse(Shell("ota run wide.tflite --input random:7 --json"));
  EXPECT_GT(expected["arena_bytes"], 200 * 1024) << "the plain plan";
  const std::string printed = Shell(
      "ota device --board B4 --state board --server $URL --ca $CA --trust 1.cbor --fetch wide "
      "--run wide --input random:7 --json");
  ASSERT_EQ(exit_code_, 0) << printed;
  const auto report = nlohmann::json::parse(printed);
  const auto& run = report["runs"][0];
  EXPECT_LT(run["arena_bytes"], 124 * 1024) << "of board B4";
  EXPECT_GE(run["chain_count"], 1);
  EXPECT_GT(run["patch_count"], run["chain_count"]);
  EXPECT_GE(run["read_bytes"], run["single_pass_bytes"]);
  const auto& values = expected["outputs"][0]["values"];
  ASSERT_EQ(run["values"].size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(std::lround(run["values"][i].get<double>() / 0.05) + 3, values[i].get<int>()) << i;
  }
}

TEST_F(PublishTest, BringsAModelWithinItsEnvelope) {
  EXPECT_THAT(Shell("publish sine --integrated $TO"), HasSubstr("has stored it"));
  EXPECT_THAT(Shell("device --trust 1.cbor --fetch sine --run sine"),
              testing::AllOf(HasSubstr("tested and confirmed"), HasSubstr("sine(zero):")));
  EXPECT_EQ(exit_code_, 0);
}

TEST_F(PublishTest, ABoardTakesNothingThatIsNotSignedForIt) {
  Shell("cp $MODELS/sine/sine.tflite data/models/");
  EXPECT_THAT(Shell("device --trust 1.cbor --fetch sine"), HasSubstr("sine: REFUSED"));
  EXPECT_EQ(exit_code_, 1);
  Shell("publish sine --sequence 5 $TO");
  Shell("P=$(ls data/payloads/*); chmod u+w $P; printf X | dd of=$P bs=1 seek=700 conv=notrunc");
  EXPECT_THAT(Shell("device --fetch sine"), HasSubstr("sine: REFUSED"));
  EXPECT_THAT(Shell("device --list"), Not(HasSubstr("sine")));
}

TEST_F(PublishTest, ABoardThatTrustsNobodySaysWhatToDo) {
  Shell("publish sine --sequence 5 $TO");
  EXPECT_THAT(Shell("device --fetch sine"), HasSubstr("--trust FILE"));
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(Shell("device --insecure --fetch sine"),
              testing::AllOf(HasSubstr("WARNING: --insecure"), HasSubstr("NOT verified")));
  EXPECT_EQ(exit_code_, 0);
  Shell("device --insecure --trust 1.cbor --fetch sine");
  EXPECT_EQ(exit_code_, 2);
  Shell("head -c 100 1.cbor > bad.cbor; rm -r board");
  EXPECT_THAT(Shell("device --trust bad.cbor --fetch sine"), HasSubstr("cannot be trusted"));
}

TEST_F(PublishTest, ABoardFollowsRotationsThatItSleptThrough) {
  Shell("publish sine --sequence 5 $TO; device --trust 1.cbor --fetch sine");
  const std::string output = Shell(
      "ota key generate new --no-passphrase\n"
      "OLD=$(ota key show release.pub --json | sed -n 's/.*\"key_id\": \"\\(.*\\)\".*/\\1/p')\n"
      "ota trust rotate 1.cbor --release new.pub --sign root -o 2.cbor &&\n"
      "ota trust revoke 2.cbor $OLD --sign root -o 3.cbor && ota trust publish 2.cbor 3.cbor $TO");
  ASSERT_EQ(exit_code_, 0) << output;
  EXPECT_THAT(Shell("publish sine --sequence 6 $TO"), HasSubstr("[SignerUnknown]"));
  Shell("KEY=new publish sine --sequence 6 $TO");
  EXPECT_EQ(exit_code_, 0);
  const std::string report = Shell("device --update --json");
  EXPECT_THAT(report, HasSubstr("\"root_version\": 3"));
  EXPECT_THAT(report, HasSubstr("\"sequence_number\": 6"));
}

TEST_F(PublishTest, WhatWasAcknowledgedSurvivesAKill) {
  for (int sequence = 1; sequence <= 3; ++sequence) {
    const std::string number = std::to_string(sequence);
    const std::string output = Shell("publish sine --sequence " + number +
                                     " $TO && kill -KILL $(cat pid); start; curl -sSf --cacert "
                                     "$CA $URL/log/head");
    EXPECT_THAT(output, HasSubstr("\"size\": " + number)) << output;
    EXPECT_THAT(Shell("device --trust 1.cbor --fetch sine"), HasSubstr("release " + number));
  }
}

TEST_F(PublishTest, SaysWhyTheServerRefuses) {
  Shell("ota key generate stranger --no-passphrase");
  EXPECT_THAT(Shell("KEY=stranger publish sine $TO"), HasSubstr("[SignerUnknown]"));
  EXPECT_EQ(exit_code_, 1);
  Shell("publish sine --sequence 5 $TO");
  EXPECT_THAT(Shell("publish sine --sequence 4 $TO"), HasSubstr("is not above"));
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(Shell("echo 0 > token; publish sine --server $URL --ca $CA --token-file token"),
              HasSubstr("only publishers may publish"));
  EXPECT_EQ(exit_code_, 1);
  Shell("publish sine --server $URL --ca $CA");
  EXPECT_EQ(exit_code_, 2);
  Shell("publish sine");
  EXPECT_EQ(exit_code_, 2);
}

TEST_F(PublishTest, EnvelopesOfOurModelsTakeAtMost320Bytes) {
  int models = 0;
  for (const auto& folder : std::filesystem::directory_iterator("models")) {
    const std::string name = folder.path().filename();
    if (!std::filesystem::exists(folder.path() / (name + ".tflite"))) continue;
    ++models;
    const std::string output = Shell("VERSION=1.0.0 publish " + name + " -o " + name);
    ASSERT_EQ(exit_code_, 0) << output;
    EXPECT_LE(std::filesystem::file_size(directory_ + "/" + name + ".suit"), 320u) << name;
    const auto manifest =
        nlohmann::json::parse(Shell("ota manifest " + name + ".suit --root 1.cbor"));
    EXPECT_EQ(manifest["is_verified"], true) << name;
    EXPECT_EQ(manifest["model"]["arena_bytes"].size(), 2u) << name;
  }
  EXPECT_GE(models, 2);
}

TEST_F(PublishTest, ADryRunSendsAndWritesNothing) {
  const auto result = nlohmann::json::parse(Shell("publish sine --dry-run -o sine $TO --json"));
  EXPECT_EQ(result["is_dry_run"], true);
  EXPECT_GT(result["arena_bytes"], 0);
  EXPECT_EQ(Shell("ls sine.suit data/payloads 2>/dev/null"), "data/payloads:\n");
}

TEST_F(PublishTest, TheLogProvesWhatItHasAndThatItOnlyGrew) {
  const std::string log = " --server $URL --ca $CA --key data/log/key.pub.pem ";
  Shell("publish sine --sequence 1 -o one $TO");
  EXPECT_THAT(Shell("ota log monitor" + log + "--state seen"), HasSubstr("1 entries, 1 new"));
  Shell("cp -r data/log old-log; publish sine --sequence 2 $TO; publish sine --sequence 3 $TO");
  EXPECT_THAT(Shell("ota log monitor" + log + "--state seen"),
              HasSubstr("3 entries, 2 new, consistent"));
  EXPECT_THAT(Shell("ota log verify" + log + "one.suit"), HasSubstr("one.suit is entry 0 of 3"));
  Shell("publish sine --sequence 9 -o other");
  Shell("ota log verify" + log + "other.suit");
  EXPECT_EQ(exit_code_, 1) << "an envelope that was never published";

  Shell("kill -KILL $(cat pid); rm -r data/log; cp -r old-log data/log; start");
  EXPECT_THAT(Shell("ota log monitor" + log + "--state seen"), HasSubstr("FORGOT"));
  EXPECT_EQ(exit_code_, 1);
  Shell("publish digits --sequence 7 $TO; publish digits --sequence 8 $TO");
  EXPECT_THAT(Shell("ota log monitor" + log + "--state seen"), HasSubstr("REWRITTEN"));
  EXPECT_EQ(exit_code_, 1);
}

TEST_F(PublishTest, APrunedServerOffersAndProvesTheSameAsBefore) {
  const std::string log = " --server $URL --ca $CA --key data/log/key.pub.pem ";
  Shell("for i in 1 2 3; do publish sine --sequence $i -o $i $TO; done");
  Shell("ota log monitor" + log + "--state seen");
  EXPECT_THAT(Shell("ota prune --data data"), HasSubstr("another server uses"));
  EXPECT_EQ(exit_code_, 1);
  const auto pruned = nlohmann::json::parse(
      Shell("kill -KILL $(cat pid); until ota prune --data data --dry-run >dry 2>&1; do :; done; "
            "ota prune --data data --json; start"));
  EXPECT_EQ(pruned["removed"].size(), 2u) << "two envelopes; all have one payload";
  EXPECT_EQ(pruned["kept_releases"], 1);
  EXPECT_THAT(Shell("cat dry"), HasSubstr("would remove files: 2"));
  EXPECT_THAT(Shell("ota log monitor" + log + "--state seen"), HasSubstr("3 entries, 0 new"));
  EXPECT_THAT(Shell("ota log verify" + log + "1.suit"), HasSubstr("1.suit is entry 0 of 3"));
  EXPECT_THAT(Shell("device --trust 1.cbor --fetch sine --require-log"),
              HasSubstr("sine: release 3 verified"));
  Shell("publish sine --sequence 2 $TO");
  EXPECT_EQ(exit_code_, 1) << "the sequence number still only grows";
}

TEST_F(PublishTest, BothCiphersAndBothKindsOfKeysBringAnEncryptedModelToRun) {
  Shell("ota key generate own --no-passphrase; ota key generate group --group");
  EXPECT_EQ(Shell("stat -c %a group"), "600\n");
  int sequence = 0;
  for (const std::string cipher : {"ctr", "gcm"}) {
    for (const std::string key : {"own", "group"}) {
      const std::string recipient = key == "own" ? "own.pub" : key;
      EXPECT_THAT(Shell("rm -r board; publish sine --cipher " + cipher + " --encrypt-for " +
                        recipient + " --sequence " + std::to_string(++sequence) + " $TO"),
                  HasSubstr("has stored it"));
      EXPECT_THAT(Shell("device --trust 1.cbor --fetch sine"), HasSubstr("[CoseRecipientMissing]"));
      EXPECT_THAT(Shell("device --fetch sine --run sine --payload-key " + key),
                  testing::AllOf(HasSubstr("tested and confirmed"), HasSubstr("sine(zero):")))
          << cipher << ' ' << key;
    }
  }
}

TEST_F(PublishTest, ImpossibleEncryptionIsRefusedWithWhatToDo) {
  Shell("ota key generate group --group; sed s/.$// group > short");
  EXPECT_THAT(Shell("publish sine --dry-run --encrypt-for short"), HasSubstr("damaged group key"));
  EXPECT_EQ(exit_code_, 1);
  EXPECT_THAT(Shell("publish sine --dry-run --encrypt-for group --cipher cbc"),
              HasSubstr("'cbc' is no cipher; say one of ctr, gcm"));
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(Shell("publish sine --dry-run --cipher gcm"), HasSubstr("--encrypt-for"));
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(Shell("ota key generate 'pkcs11:token=t;object=o' --group"), HasSubstr("in a file"));
  EXPECT_EQ(exit_code_, 2);
  EXPECT_THAT(Shell("publish sine --dry-run --encrypt-for $MODELS/sine/sine.tflite"),
              HasSubstr("holds no P-256 key in PEM; `ota-tinyml key generate` makes one"));
}

TEST_F(PublishTest, EncryptedPayloadsAreForTheirRecipientsAlone) {
  Shell("ota key generate group --no-passphrase");
  EXPECT_THAT(Shell("publish sine --encrypt-for group.pub $TO"), HasSubstr("has stored it"));
  EXPECT_EQ(Shell("ls data/models"), "sine.suit\n");
  EXPECT_THAT(Shell("cmp $MODELS/sine/sine.tflite data/payloads/*"), HasSubstr("differ"));
  EXPECT_THAT(Shell("device --trust 1.cbor --fetch sine"), HasSubstr("[CoseRecipientMissing]"));
  EXPECT_THAT(Shell("device --payload-key group --fetch sine --run sine"),
              testing::AllOf(HasSubstr("tested and confirmed"), HasSubstr("sine(zero):")));
}

}  // namespace
}  // namespace ota::cli
