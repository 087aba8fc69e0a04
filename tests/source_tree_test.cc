// SPDX-License-Identifier: Apache-2.0
#include "tests/source_tree.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ota::tests {
namespace {

TEST(StripCommentsAndLiterals, LeavesCodeAndLineEndsAlone) {
  EXPECT_EQ(StripCommentsAndLiterals("a // {\nb"), "a     \nb");
  EXPECT_EQ(StripCommentsAndLiterals("a /* {\n } */ b"), "a     \n      b");
  EXPECT_EQ(StripCommentsAndLiterals("f(\"{\\\"\", '}')"), "f(\"   \", ' ')");
  EXPECT_EQ(StripCommentsAndLiterals("1'000'000 + x"), "1'000'000 + x");
  EXPECT_EQ(StripCommentsAndLiterals("R\"(a\"})\" + b").find('}'), std::string::npos);
}

TEST(FindFunctions, CountsBodiesNotNamespacesTypesOrInitialisers) {
  const std::string code =
      "namespace a {\n"
      "struct B {\n"
      "  int C() const {\n"
      "    return 1;\n"
      "  }\n"
      "};\n"
      "constexpr int kD[] = {1, 2};\n"
      "B::B(int x)\n"
      "    : x_(x) {\n"
      "  auto y = [](int z) {\n"
      "    return z;\n"
      "  };\n"
      "}\n"
      "}\n";
  const std::vector<FunctionSpan> functions = FindFunctions(code);
  ASSERT_EQ(functions.size(), 2u);
  EXPECT_EQ(functions[0].line_first, 3u);
  EXPECT_EQ(functions[0].line_count, 3u);
  EXPECT_EQ(functions[1].line_count, 5u);
}

TEST(FindFunctions, SeesAFunctionThatIsTooLong) {
  std::string code = "void F() {\n";
  for (int i = 0; i < 100; ++i) code += "  x();\n";
  code += "}\n";
  ASSERT_EQ(FindFunctions(code).size(), 1u);
  EXPECT_EQ(FindFunctions(code)[0].line_count, 102u);
}

TEST(SplitIdentifiers, SplitsAtUnderscoresAndCapitals) {
  EXPECT_THAT(SplitIdentifiers("ModelStore kHTTPPort src_offset"),
              testing::ElementsAre("model", "store", "k", "http", "port", "src", "offset"));
}

TEST(FindIncludes, TakesQuotedOnesOnly) {
  EXPECT_THAT(FindIncludes("#include <a>\n#include \"b/c.h\"\n"), testing::ElementsAre("b/c.h"));
}

}  // namespace
}  // namespace ota::tests
