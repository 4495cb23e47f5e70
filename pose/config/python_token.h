// Python source text as tokens, with indentation.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/error.h"

namespace limber::python {

// Lines and columns count from 1; columns count bytes.
struct Place {
  int line = 1, column = 1;
};

struct Token {
  enum class Kind { name, integer, real, string, format_string, op, newline, indent, dedent, end };
  Kind kind = Kind::end;
  Place place;
  std::string text;  // name or operator; a string's value; a format string's source, undecoded
  bool raw = false;  // of a format string: backslashes stand for themselves
  int64_t integer = 0;
  double real = 0;

  bool is_op(std::string_view op) const { return kind == Kind::op && text == op; }
  bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

// Throws InputError "file: line L, column C: ...".
template <class... Parts>
[[noreturn]] void fail_at(const std::string& file, Place place, const Parts&... parts) {
  fail_input(file, ": line ", place.line, ", column ", place.column, ": ", parts...);
}

// `inside` is for the expression in a format string's braces: one expression at `start`, where
// line ends count for nothing.
std::vector<Token> tokenize(std::string_view text, const std::string& file);
std::vector<Token> tokenize_inside(std::string_view text, const std::string& file, Place start);

// A string literal's value: escapes replaced.
std::string unescape(std::string_view text, const std::string& file, Place place);

}  // namespace limber::python
