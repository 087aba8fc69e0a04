// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

// Keys that are encrypted at rest, as people unlock them: the real program, at a terminal.

namespace ota::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Session {
  std::string output;
  int exit_code = -1;
};

class PassphraseTest : public testing::Test {
 protected:
  PassphraseTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "ota-passphrase-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    key_ = directory_ + "/key";
  }
  ~PassphraseTest() override { std::filesystem::remove_all(directory_); }

  // Runs the program in a terminal of its own and gives it one answer for each ": " that it waits
  // at.
  static Session RunAtTerminal(const std::vector<std::string>& arguments,
                               const std::vector<std::string>& answers) {
    int terminal = -1;
    const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
    if (child == 0) Execute(arguments);
    Session session;
    size_t answered = 0, read_to = 0;
    char part[256];
    for (ssize_t count; (count = read(terminal, part, sizeof part)) > 0;) {
      session.output.append(part, static_cast<size_t>(count));
      const bool is_asked = session.output.ends_with(": ") && session.output.size() > read_to;
      if (!is_asked || answered == answers.size()) continue;
      read_to = session.output.size();
      const std::string line = answers[answered++] + "\n";
      EXPECT_EQ(write(terminal, line.data(), line.size()), static_cast<ssize_t>(line.size()));
    }
    close(terminal);
    int status = 0;
    waitpid(child, &status, 0);
    session.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return session;
  }

  [[noreturn]] static void Execute(const std::vector<std::string>& arguments) {
    unsetenv("OTA_TINYML_PASSPHRASE");
    unsetenv("OTA_TINYML_PASSPHRASE_FILE");
    std::vector<char*> words = {const_cast<char*>(OTA_PROGRAM)};
    for (const std::string& argument : arguments)
      words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    execv(OTA_PROGRAM, words.data());
    _exit(127);
  }

  // Signs with the key, which shows that it was unlocked; by a shell, without a terminal.
  int Sign(const std::string& environment) const {
    const std::string command =
        "env -u OTA_TINYML_PASSPHRASE -u OTA_TINYML_PASSPHRASE_FILE " + environment + " " +
        OTA_PROGRAM + " publish models/sine/sine.tflite " +
        "--name sine --version 1 --vendor example.com --class a --key " + key_ +
        " --dry-run </dev/null >/dev/null 2>" + directory_ + "/errors";
    return WEXITSTATUS(std::system(command.c_str()));
  }

  std::string Errors() const {
    std::ifstream stream(directory_ + "/errors");
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  std::string directory_;
  std::string key_;
};

TEST_F(PassphraseTest, IsAskedForTwiceWhenAKeyIsMadeAndOnceWhenItIsUsed) {
  const Session made = RunAtTerminal({"key", "generate", key_}, {"correct horse", "correct horse"});
  EXPECT_EQ(made.exit_code, 0) << made.output;
  EXPECT_THAT(made.output, HasSubstr("New passphrase for " + key_));
  EXPECT_THAT(made.output, Not(HasSubstr("correct"))) << "it must not be shown";
  std::ifstream stream(key_);
  const std::string pem{std::istreambuf_iterator<char>(stream), {}};
  EXPECT_THAT(pem, HasSubstr("ENCRYPTED PRIVATE KEY"));

  const std::vector<std::string> publish = {"publish",   "models/sine/sine.tflite",
                                            "--name",    "sine",
                                            "--version", "1",
                                            "--vendor",  "example.com",
                                            "--class",   "a",
                                            "--key",     key_,
                                            "-o",        directory_ + "/signed"};
  const Session used = RunAtTerminal(publish, {"correct horse"});
  EXPECT_EQ(used.exit_code, 0) << used.output;
  EXPECT_THAT(used.output, HasSubstr("Passphrase of " + key_));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/signed.suit"));
  const Session wrong = RunAtTerminal(publish, {"wrong"});
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.output, HasSubstr("passphrase is wrong"));
}

TEST_F(PassphraseTest, MakesNoKeyWhenTheTwoDifferOrAreEmpty) {
  const Session differ = RunAtTerminal({"key", "generate", key_}, {"one", "other"});
  EXPECT_EQ(differ.exit_code, 1);
  EXPECT_THAT(differ.output, HasSubstr("the passphrases differ"));
  const Session empty = RunAtTerminal({"key", "generate", key_}, {""});
  EXPECT_EQ(empty.exit_code, 1);
  EXPECT_THAT(empty.output, HasSubstr("--no-passphrase"));
  EXPECT_FALSE(std::filesystem::exists(key_));
}

TEST_F(PassphraseTest, IsTakenFromTheEnvironmentOrAFileWhereThereIsNoTerminal) {
  ASSERT_EQ(RunAtTerminal({"key", "generate", key_}, {"correct horse", "correct horse"}).exit_code,
            0);
  EXPECT_EQ(Sign("OTA_TINYML_PASSPHRASE='correct horse'"), 0) << Errors();
  std::ofstream(directory_ + "/file") << "correct horse\nsecond line\n";
  EXPECT_EQ(Sign("OTA_TINYML_PASSPHRASE_FILE=" + directory_ + "/file"), 0) << Errors();
  EXPECT_EQ(Sign("OTA_TINYML_PASSPHRASE=wrong"), 1);
  EXPECT_EQ(Sign("OTA_TINYML_PASSPHRASE_FILE=" + directory_ + "/missing"), 1);
  EXPECT_EQ(Sign(""), 1);
  EXPECT_THAT(Errors(), HasSubstr("no terminal to ask for a passphrase"));
}

}  // namespace
}  // namespace ota::cli
