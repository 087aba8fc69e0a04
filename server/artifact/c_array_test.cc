// SPDX-License-Identifier: Apache-2.0
#include "server/artifact/c_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "server/artifact/artifact_store.h"
#include "server/temporary_directory.h"

namespace ota::server {
namespace {

int RunShell(const std::string& command) { return std::system(command.c_str()); }

class CArrayTest : public testing::Test {
 protected:
  CArray MakeArray(const std::string& name, const std::string& bytes) {
    directory_.Replace(name + ".tflite", bytes);
    auto store = ArtifactStore::Open(directory_.path());
    auto artifact = (*store)->OpenArtifact(name);
    EXPECT_TRUE(artifact.ok());
    return CArray(*artifact);
  }
  static std::string ReadPart(CArray& array, uint32_t offset, uint32_t length) {
    std::vector<uint8_t> bytes(length);
    EXPECT_EQ(array.Read(offset, bytes), Status::kOk);
    return std::string(bytes.begin(), bytes.end());
  }
  static std::string RandomBytes(size_t count) {
    std::string bytes;
    uint32_t state = 1;
    for (size_t i = 0; i < count; ++i) {
      state = state * 1664525 + 1013904223;
      bytes += static_cast<char>(state >> 24);
    }
    return bytes;
  }

  TemporaryDirectory directory_;
};

TEST(CIdentifier, IsWhatXxdWouldMake) {
  EXPECT_EQ(CIdentifier("kws"), "kws");
  EXPECT_EQ(CIdentifier("kws-v2.1"), "kws_v2_1");
  EXPECT_EQ(CIdentifier("2d"), "__2d");
}

TEST(CIdentifier, IsNeverAKeyword) {
  EXPECT_EQ(CIdentifier("int"), "int_model");
  EXPECT_EQ(CIdentifier("class"), "class_model");
  EXPECT_EQ(CIdentifier("_Bool"), "_Bool_model");
}

TEST_F(CArrayTest, HasTheLinesOfXxd) {
  for (const size_t size : {1u, 11u, 12u, 13u, 24u, 1000u, 9216u, 9217u}) {
    const std::string bytes = RandomBytes(size);
    CArray array = MakeArray("m", bytes);
    const std::string text = ReadPart(array, 0, array.size_bytes());
    directory_.Write("raw", bytes);
    ASSERT_EQ(
        RunShell("xxd -i < '" + directory_.path("raw") + "' > '" + directory_.path("lines") + "'"),
        0)
        << "xxd is needed";
    const std::string lines = directory_.Read("lines");
    EXPECT_NE(text.find("= {\n" + lines + "};\n"), std::string::npos) << size << " bytes\n" << text;
  }
}

TEST_F(CArrayTest, ReadsAnyPartAsTheWholeHasIt) {
  CArray array = MakeArray("m", RandomBytes(1531));
  const std::string whole = ReadPart(array, 0, array.size_bytes());
  for (uint32_t offset = 0; offset < whole.size(); offset += 7) {
    for (const uint32_t length : {1u, 5u, 73u, 74u, 75u, 1000u, 5000u}) {
      const uint32_t shown = std::min(length, array.size_bytes() - offset);
      ASSERT_EQ(ReadPart(array, offset, shown), whole.substr(offset, shown))
          << "offset " << offset << " length " << shown;
    }
  }
  uint8_t byte = 0;
  EXPECT_EQ(array.Read(array.size_bytes(), {&byte, 1}), Status::kOutOfRange);
}

TEST_F(CArrayTest, CompilesAsCAndAsCppAndHoldsTheSameBytes) {
  const std::string bytes = RandomBytes(5000);
  CArray array = MakeArray("class", bytes);
  directory_.Write("class.h", ReadPart(array, 0, array.size_bytes()));
  const std::string program =
      "#include \"class.h\"\n#include <stdint.h>\n#include <stdio.h>\n"
      "int main(void) {\n"
      "  if ((uintptr_t)class_model % 16 != 0) return 1;\n"
      "  if (sizeof class_model != class_model_len) return 2;\n"
      "  return fwrite(class_model, 1, class_model_len, stdout) == class_model_len ? 0 : 3;\n}\n";
  directory_.Write("main.c", program);
  directory_.Write("main.cc", program);
  const std::string change = "cd '" + directory_.path() + "' && ";
  const std::string strict = " -Wall -Wextra -Werror -pedantic -o program ";
  for (const std::string& compiler :
       {"gcc -std=c11" + strict + "main.c", "g++ -std=c++11" + strict + "main.cc",
        "g++ -std=c++20" + strict + "main.cc"}) {
    ASSERT_EQ(RunShell(change + compiler + " && ./program > bytes"), 0) << compiler;
    EXPECT_EQ(directory_.Read("bytes"), bytes) << compiler;
  }
}

TEST_F(CArrayTest, NeverMixesVersions) {
  CArray array = MakeArray("m", "first version");
  directory_.Write("m.tflite", "other version");
  std::vector<uint8_t> text(array.size_bytes());
  EXPECT_EQ(array.Read(0, text), Status::kArtifactChanged);
}

}  // namespace
}  // namespace ota::server
