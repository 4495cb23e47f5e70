// String literals: adjacent ones join, format strings fall into literals and fields.
#include <cctype>

#include "pose/config/python_parser.h"

namespace limber::python {

ExprPtr Parser::strings() {
  const Place place = now().place;
  ExprPtr joined = make(Expr::Kind::format_string, place);
  std::string plain;
  bool formatted = false;
  const auto flush = [&] {
    ExprPtr literal = make(Expr::Kind::literal, place);
    literal->value = Value(std::move(plain));
    plain.clear();
    add(joined, std::move(literal));
  };
  for (;;) {
    if (now().kind == Token::Kind::string) {
      plain += take().text;
    } else if (now().kind == Token::Kind::format_string) {
      formatted = true;
      flush();
      const Token token = take();
      size_t i = 0;
      add(joined, format_parts(token, i, false));
    } else {
      break;
    }
  }
  flush();
  return formatted ? std::move(joined) : std::move(joined->parts[0]);
}

ExprPtr Parser::format_parts(const Token& token, size_t& i, bool in_spec) {
  ExprPtr out = make(Expr::Kind::format_string, token.place);
  const std::string& source = token.text;
  std::string plain;
  const auto flush = [&] {
    if (plain.empty()) return;
    ExprPtr literal = make(Expr::Kind::literal, token.place);
    literal->value = Value(token.raw ? plain : unescape(plain, file_, token.place));
    plain.clear();
    add(out, std::move(literal));
  };
  while (i < source.size()) {
    const char c = source[i];
    if ((c == '{' || c == '}') && !in_spec && i + 1 < source.size() && source[i + 1] == c) {
      plain += c;
      i += 2;
    } else if (c == '{') {
      flush();
      ++i;
      add(out, format_field(token, i));
    } else if (c == '}') {
      if (in_spec) break;
      fail_at(file_, token.place, "a single \"}\" in a format string");
    } else {
      plain += c;
      ++i;
    }
  }
  flush();
  return out;
}

// From behind "{" to behind the matching "}".
ExprPtr Parser::format_field(const Token& token, size_t& i) {
  const std::string& source = token.text;
  if (nesting_ >= 4) fail_at(file_, token.place, "format strings nested deeper than 4");
  const size_t begin = i;
  int open = 0;
  char quote = 0;
  for (; i < source.size(); ++i) {
    const char c = source[i];
    if (quote) {
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '\'' || c == '"') quote = c;
    if (c == '\\') fail_at(file_, token.place, "a backslash inside of a format string's braces");
    if (c == '(' || c == '[' || c == '{') ++open;
    if (open > 0) {
      open -= c == ')' || c == ']' || c == '}';
      continue;
    }
    const bool unequal = c == '!' && i + 1 < source.size() && source[i + 1] == '=';
    if (unequal) ++i;
    if (!unequal && (c == '!' || c == ':' || c == '}')) break;
  }
  if (i >= source.size()) fail_at(file_, token.place, "\"{\" in a format string is not closed");
  const std::string text = source.substr(begin, i - begin);
  if (text.find_first_not_of(" \t\n") == std::string::npos)
    fail_at(file_, token.place, "empty braces in a format string");
  const size_t last = text.find_last_not_of(" \t\n");
  if (text[last] == '=') outside(token.place, "\"=\" in a format string's braces");

  ExprPtr field = make(Expr::Kind::format_field, token.place);
  Parser inner(tokenize_inside(text, file_, token.place), file_, nesting_ + 1);
  add(field, inner.whole_expression());
  if (source[i] == '!') {
    field->text = source.substr(i + 1, 1);
    i += 2;
    if (field->text != "r" && field->text != "s")
      outside(token.place, "the conversion \"!" + field->text + "\" in a format string");
  }
  if (i < source.size() && source[i] == ':') {
    ++i;
    ++nesting_;
    add(field, format_parts(token, i, true));
    --nesting_;
  }
  if (i >= source.size() || source[i] != '}')
    fail_at(file_, token.place, "\"{\" in a format string is not closed");
  ++i;
  return field;
}

}  // namespace limber::python
