// SPDX-License-Identifier: Apache-2.0
#include "tests/source_tree.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace ota::tests {
namespace {

namespace fs = std::filesystem;

bool IsOurs(const fs::path& relative) {
  const std::string top = relative.begin()->string();
  return top != "build" && !top.starts_with(".");
}

std::string ReadAll(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Blanks `text` from `begin` up to `end`, line ends kept.
void Blank(std::string& text, size_t begin, size_t end) {
  for (size_t i = begin; i < std::min(end, text.size()); ++i) {
    if (text[i] != '\n') text[i] = ' ';
  }
}

size_t EndOfQuoted(const std::string& text, size_t begin) {
  const char quote = text[begin];
  size_t i = begin + 1;
  while (i < text.size() && text[i] != quote && text[i] != '\n') i += text[i] == '\\' ? 2 : 1;
  return std::min(i, text.size());
}

/// End of the raw string whose opening quote is at `begin`; its content only is blanked by callers.
size_t EndOfRawString(const std::string& text, size_t begin) {
  const size_t open = text.find('(', begin);
  if (open == std::string::npos) return text.size();
  const std::string closing = ")" + text.substr(begin + 1, open - begin - 1) + "\"";
  const size_t close = text.find(closing, open);
  return close == std::string::npos ? text.size() : close + closing.size() - 1;
}

bool IsDigitSeparator(const std::string& text, size_t i) {
  return i > 0 && std::isalnum(static_cast<unsigned char>(text[i - 1])) != 0 &&
         i + 1 < text.size() && std::isalnum(static_cast<unsigned char>(text[i + 1])) != 0;
}

/// What an opening brace opens, told by the code between it and the statement before.
enum class Scope { kNamespace, kType, kFunction, kOther };

Scope ClassifyScope(const std::string& heading) {
  static const std::regex kNamespacePattern(R"((^|\s)(namespace\b|extern\s*"))");
  static const std::regex kTypePattern(R"((^|[\s>])(class|struct|union|enum)\b[^()]*$)");
  static const std::regex kFunctionPattern(
      R"(\)\s*(const|noexcept|override|final|mutable|->\s*[\w:<>,*&\s]+|\s|:\s*[\s\S]*)*$)");
  if (std::regex_search(heading, kNamespacePattern)) return Scope::kNamespace;
  if (std::regex_search(heading, kTypePattern)) return Scope::kType;
  if (heading.find('(') != std::string::npos && heading.find('=') == std::string::npos) {
    return Scope::kFunction;
  }
  if (heading.find("operator") != std::string::npos) return Scope::kFunction;
  return std::regex_search(heading, kFunctionPattern) && heading.find(" = ") == std::string::npos
             ? Scope::kFunction
             : Scope::kOther;
}

std::string HeadingBefore(const std::string& code, size_t brace) {
  size_t begin = brace;
  while (begin > 0 && code[begin - 1] != ';' && code[begin - 1] != '{' && code[begin - 1] != '}') {
    --begin;
  }
  std::string heading = code.substr(begin, brace - begin);
  std::erase_if(heading, [previous = '\n'](char c) mutable {
    const bool is_directive = previous == '\n' && c == '#';
    previous = c;
    return is_directive;
  });
  return heading.size() > 400 ? heading.substr(heading.size() - 400) : heading;
}

}  // namespace

std::string StripCommentsAndLiterals(const std::string& text) {
  std::string code = text;
  for (size_t i = 0; i < text.size(); ++i) {
    size_t end = i;
    if (text.compare(i, 2, "//") == 0) {
      end = std::min(text.find('\n', i), text.size());
      Blank(code, i, end);
    } else if (text.compare(i, 2, "/*") == 0) {
      const size_t close = text.find("*/", i + 2);
      end = close == std::string::npos ? text.size() : close + 2;
      Blank(code, i, end);
    } else if (text.compare(i, 2, "R\"") == 0) {
      end = EndOfRawString(text, i + 1);
      Blank(code, i + 2, end);
    } else if (text[i] == '"' || (text[i] == '\'' && !IsDigitSeparator(text, i))) {
      end = EndOfQuoted(text, i);
      Blank(code, i + 1, end);
    }
    i = std::max(i, end);
  }
  return code;
}

std::vector<SourceFile> ReadSourceTree(const std::string& root) {
  std::vector<SourceFile> files;
  for (auto it = fs::recursive_directory_iterator(root); it != fs::recursive_directory_iterator();
       ++it) {
    const fs::path relative = fs::relative(it->path(), root);
    if (!IsOurs(relative)) {
      it.disable_recursion_pending();
      continue;
    }
    if (relative.extension() != ".h" && relative.extension() != ".cc") continue;
    std::string text = ReadAll(it->path());
    std::string code = StripCommentsAndLiterals(text);
    files.push_back({relative.string(), std::move(text), std::move(code)});
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<FunctionSpan> FindFunctions(const std::string& code) {
  std::vector<FunctionSpan> functions;
  std::vector<Scope> scopes;
  size_t function_depth = 0;
  size_t line = 1;
  for (size_t i = 0; i < code.size(); ++i) {
    if (code[i] == '\n') ++line;
    if (code[i] == '{') {
      const std::string heading = HeadingBefore(code, i);
      scopes.push_back(function_depth > 0 ? Scope::kOther : ClassifyScope(heading));
      if (scopes.back() == Scope::kFunction) {
        function_depth = scopes.size();
        functions.push_back({heading, line, 0});
      }
    }
    if (code[i] == '}' && !scopes.empty()) {
      if (function_depth == scopes.size()) {
        functions.back().line_count = line - functions.back().line_first + 1;
        function_depth = 0;
      }
      scopes.pop_back();
    }
  }
  return functions;
}

std::vector<std::string> SplitIdentifiers(const std::string& code) {
  static const std::regex kWord(R"([A-Z]+(?![a-z])|[A-Z]?[a-z]+)");
  std::vector<std::string> words;
  for (std::sregex_iterator it(code.begin(), code.end(), kWord), end; it != end; ++it) {
    std::string word = it->str();
    std::transform(word.begin(), word.end(), word.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    words.push_back(std::move(word));
  }
  return words;
}

std::vector<std::string> FindIncludes(const std::string& text) {
  static const std::regex kInclude(R"re((^|\n)\s*#include\s+"([^"]+)")re");
  std::vector<std::string> includes;
  for (std::sregex_iterator it(text.begin(), text.end(), kInclude), end; it != end; ++it) {
    includes.push_back((*it)[2].str());
  }
  return includes;
}

}  // namespace ota::tests
