// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

// Reads the project's own C++ as text, for the style test. It understands comments, strings and
// braces, not C++; what it says of a function's length is exact for the code that clang-format
// writes.

namespace ota::tests {

struct SourceFile {
  std::string path;  ///< relative to the repository
  std::string text;
  std::string code;  ///< as `text`, comments and the insides of literals turned into spaces
};

struct FunctionSpan {
  std::string heading;  ///< what stands before the opening brace
  size_t line_first;    ///< line of the opening brace, from 1
  size_t line_count;
};

/// Every .h and .cc below the repository's top folders, build trees left out, sorted by path.
std::vector<SourceFile> ReadSourceTree(const std::string& root);

/// `text` with comments and the insides of string and character literals turned into spaces; line
/// ends stay where they are.
std::string StripCommentsAndLiterals(const std::string& text);

/// The outermost function bodies of `code`, lambdas inside them not counted apart.
std::vector<FunctionSpan> FindFunctions(const std::string& code);

/// The words of every identifier in `code`, split at underscores and capitals, in lower case.
std::vector<std::string> SplitIdentifiers(const std::string& code);

/// The paths that `text` includes in quotes.
std::vector<std::string> FindIncludes(const std::string& text);

}  // namespace ota::tests
