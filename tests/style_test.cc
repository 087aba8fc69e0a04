// SPDX-License-Identifier: Apache-2.0
// The house rules of STYLE.md that a program can check.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "tests/source_tree.h"

namespace ota::tests {
namespace {

constexpr size_t kFunctionLinesMax = 70;
constexpr size_t kFileLinesMax = 800;

/// Which top folders a folder may include, besides itself.
const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"base", {}},
    {"crypto", {"base"}},
    {"formats", {"base", "crypto"}},
    {"engine", {"base", "formats"}},
    {"storage", {"base", "crypto"}},
    {"agent", {"base", "crypto", "formats", "engine", "storage"}},
    {"firmware", {"base", "crypto", "formats", "engine", "storage", "agent"}},
    {"simulator", {"base", "crypto", "formats", "engine", "storage", "agent"}},
    {"server", {"base", "crypto", "formats", "engine"}},
    {"cli", {"base", "crypto", "formats", "engine", "storage", "agent", "simulator", "server"}},
    {"models", {"base", "crypto", "formats", "engine"}},
    {"tests",
     {"base", "crypto", "formats", "engine", "storage", "agent", "simulator", "server", "cli"}},
    {"benchmarks",
     {"base", "crypto", "formats", "engine", "storage", "agent", "cli", "simulator", "server"}},
};

/// Identifier words that the vocabulary replaces, each with the word to use.
const std::map<std::string, std::string> kBannedWords = {
    {"util", "a name for what it does"},
    {"utils", "a name for what it does"},
    {"misc", "a name for what it does"},
    {"helper", "a name for what it does"},
    {"helpers", "a name for what it does"},
    {"manager", "a noun for what it keeps"},
    {"impl", "a concrete noun"},
    {"src", "source"},
    {"dst", "target"},
    {"dest", "target"},
    {"catalogue", "registry"},
    {"campaign", "rollout"},
    {"blacklist", "denied"},
    {"whitelist", "allowed"},
    {"sz", "size"},
    {"downgrade", "rollback (the attack)"},
    {"bootstrapper", "a noun for what it starts"}};

const std::vector<SourceFile>& Tree() {
  static const std::vector<SourceFile> kTree = ReadSourceTree(OTA_SOURCE_DIR);
  return kTree;
}

std::string TopFolder(const std::string& path) { return path.substr(0, path.find('/')); }

std::string Where(const SourceFile& file, size_t line) {
  return file.path + ":" + std::to_string(line);
}

bool IsTestSupport(const std::string& path) {
  return path.find("_test.") != std::string::npos || path.find("_fuzz.") != std::string::npos ||
         path.find("_benchmark.") != std::string::npos || path.find("test_") != std::string::npos;
}

TEST(Style, TheTreeIsRead) { EXPECT_GT(Tree().size(), 10u); }

TEST(Style, EachFileStartsWithTheLicenceLine) {
  for (const SourceFile& file : Tree()) {
    EXPECT_TRUE(file.text.starts_with("// SPDX-License-Identifier: Apache-2.0\n")) << file.path;
  }
}

TEST(Style, EachHeaderIsGuardedByPragmaOnce) {
  for (const SourceFile& file : Tree()) {
    if (!file.path.ends_with(".h")) continue;
    EXPECT_NE(file.text.find("\n#pragma once\n"), std::string::npos) << file.path;
  }
}

TEST(Style, FilesStayShort) {
  for (const SourceFile& file : Tree()) {
    const auto lines = std::count(file.text.begin(), file.text.end(), '\n');
    EXPECT_LE(lines, static_cast<std::ptrdiff_t>(kFileLinesMax)) << file.path;
  }
}

TEST(Style, FunctionsFitAScreen) {
  for (const SourceFile& file : Tree()) {
    for (const FunctionSpan& function : FindFunctions(file.code)) {
      EXPECT_LE(function.line_count, kFunctionLinesMax) << Where(file, function.line_first);
    }
  }
}

TEST(Style, IdentifiersUseTheVocabulary) {
  for (const SourceFile& file : Tree()) {
    std::istringstream lines(file.code);
    std::string line;
    for (size_t number = 1; std::getline(lines, line); ++number) {
      if (line.find("#include") != std::string::npos) continue;
      for (const std::string& word : SplitIdentifiers(line)) {
        const auto banned = kBannedWords.find(word);
        if (banned == kBannedWords.end()) continue;
        ADD_FAILURE() << Where(file, number) << ": '" << word << "'; say " << banned->second;
      }
    }
  }
}

TEST(Style, DependenciesPointOneWay) {
  for (const SourceFile& file : Tree()) {
    const std::string folder = TopFolder(file.path);
    const auto allowed = kMayInclude.find(folder);
    ASSERT_NE(allowed, kMayInclude.end()) << "unknown top folder of " << file.path;
    // A part's tests may use the simulator's parts; its product code may not.
    const bool may_simulate = IsTestSupport(file.path) && folder != "server";
    for (const std::string& include : FindIncludes(file.text)) {
      const std::string target = TopFolder(include);
      if (!kMayInclude.contains(target)) continue;  // a third-party header
      EXPECT_TRUE(target == folder || allowed->second.contains(target) ||
                  (may_simulate && target != "cli"))
          << file.path << " includes " << include;
    }
  }
}

TEST(Style, IncludePathsStartAtTheRepository) {
  for (const SourceFile& file : Tree()) {
    for (const std::string& include : FindIncludes(file.text)) {
      EXPECT_NE(include.find('/'), std::string::npos) << file.path << " includes " << include;
    }
  }
}

/// Every CMakeLists.txt and .cmake of the project, as one text.
std::string ReadBuildFiles() {
  namespace fs = std::filesystem;
  std::ostringstream text;
  for (auto it = fs::recursive_directory_iterator(OTA_SOURCE_DIR);
       it != fs::recursive_directory_iterator(); ++it) {
    const std::string name = it->path().filename().string();
    if (it->is_directory() && (name == "build" || name.starts_with("."))) {
      it.disable_recursion_pending();
    } else if (name == "CMakeLists.txt" || name.ends_with(".cmake")) {
      text << std::ifstream(it->path()).rdbuf();
    }
  }
  return text.str();
}

TEST(Style, NoFileIsDead) {
  const std::string build_files = ReadBuildFiles();
  std::set<std::string> included;
  for (const SourceFile& file : Tree()) {
    for (const std::string& include : FindIncludes(file.text)) included.insert(include);
  }
  for (const SourceFile& file : Tree()) {
    const std::string name = std::filesystem::path(file.path).filename().string();
    if (file.path.ends_with(".h")) {
      EXPECT_TRUE(included.contains(file.path) || build_files.find(name) != std::string::npos)
          << file.path << " is included by nobody";
    } else {
      EXPECT_NE(build_files.find(name), std::string::npos) << file.path << " is not built";
    }
  }
}

TEST(Style, NothingIsLeftToDo) {
  for (const SourceFile& file : Tree()) {
    for (const std::string& mark : {std::string("TO") + "DO", std::string("FIX") + "ME"}) {
      EXPECT_EQ(file.text.find(mark), std::string::npos) << file.path << " has a " << mark;
    }
  }
}

TEST(Style, DeviceLibraryUsesNoHeapTypes) {
  const std::set<std::string> kDevice = {"base", "crypto", "formats", "engine", "storage", "agent"};
  // Placement new, `new (storage) T`, is no use of the heap.
  const std::regex kHeapUse(
      R"(std::(string|vector|function|map|set|deque|list)\b|make_unique|make_shared|iostream|\bnew +[A-Za-z:])");
  for (const SourceFile& file : Tree()) {
    if (!kDevice.contains(TopFolder(file.path)) || IsTestSupport(file.path)) continue;
    if (file.path.find("/host/") != std::string::npos) continue;
    if (file.path.find("/posix/") != std::string::npos) continue;
    std::smatch use;
    EXPECT_FALSE(std::regex_search(file.code, use, kHeapUse)) << file.path << " uses " << use.str();
  }
}

}  // namespace
}  // namespace ota::tests
