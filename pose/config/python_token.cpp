#include "pose/config/python_token.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>

namespace limber::python {
namespace {

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)); }
bool starts_name(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) || c == '_' || (c & 0x80);
}
bool continues_name(char c) { return starts_name(c) || is_digit(c); }

class Tokenizer {
 public:
  Tokenizer(std::string_view text, const std::string& file) : text_(text), file_(file) {}

  std::vector<Token> run() {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = line_start_ = 3;
    indentation();
    while (at_ < text_.size()) step();
    if (!open_.empty())
      fail_at(file_, open_.back().place, "\"", open_.back().text, "\" is not closed");
    if (!tokens_.empty() && tokens_.back().kind != Token::Kind::newline) add(Token::Kind::newline);
    for (; indents_.size() > 1; indents_.pop_back()) add(Token::Kind::dedent);
    add(Token::Kind::end);
    return std::move(tokens_);
  }

  std::vector<Token> run_inside(Place start) {
    line_ = start.line;
    fixed_ = start;
    inside_ = true;
    while (at_ < text_.size()) step();
    if (!open_.empty()) fail_at(file_, start, "\"", open_.back().text, "\" is not closed");
    add(Token::Kind::end);
    return std::move(tokens_);
  }

 private:
  Place here() const {
    if (inside_) return fixed_;
    return {line_, int(at_ - line_start_) + 1};
  }
  char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  Token& add(Token::Kind kind, std::string text = "") {
    Token token;
    token.kind = kind;
    token.place = here();
    token.text = std::move(text);
    tokens_.push_back(std::move(token));
    return tokens_.back();
  }

  void new_line() {
    ++at_;
    ++line_;
    line_start_ = at_;
  }

  void step() {
    const char c = peek();
    if (c == ' ' || c == '\t' || c == '\f' || c == '\r') {
      ++at_;
    } else if (c == '#') {
      while (at_ < text_.size() && peek() != '\n') ++at_;
    } else if (c == '\\' && (peek(1) == '\n' || (peek(1) == '\r' && peek(2) == '\n'))) {
      at_ += peek(1) == '\n' ? 1 : 2;
      new_line();
    } else if (c == '\n') {
      const bool ends = open_.empty() && !inside_;
      if (ends && !tokens_.empty() && tokens_.back().kind != Token::Kind::newline &&
          tokens_.back().kind != Token::Kind::dedent && tokens_.back().kind != Token::Kind::indent)
        add(Token::Kind::newline);
      new_line();
      if (ends) indentation();
    } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
      number();
    } else if (!string() && !name()) {
      op();
    }
  }

  // At the start of a logical line; blank lines and comments have no indentation.
  void indentation() {
    for (;;) {
      size_t i = at_;
      int width = 0;
      for (; i < text_.size() && (text_[i] == ' ' || text_[i] == '\t' || text_[i] == '\f'); ++i)
        width = text_[i] == ' ' ? width + 1 : text_[i] == '\t' ? width / 8 * 8 + 8 : 0;
      if (i >= text_.size()) return;
      if (text_[i] == '#' || text_[i] == '\n' || text_[i] == '\r') {
        while (i < text_.size() && text_[i] != '\n') ++i;
        at_ = i;
        if (i >= text_.size()) return;
        new_line();
        continue;
      }
      at_ = i;
      if (width > indents_.back()) {
        if (indents_.size() > 50) fail_at(file_, here(), "blocks nested deeper than 50");
        indents_.push_back(width);
        add(Token::Kind::indent);
      }
      for (; width < indents_.back(); indents_.pop_back()) add(Token::Kind::dedent);
      if (width != indents_.back())
        fail_at(file_, here(), "this indentation fits no block that is open");
      return;
    }
  }

  bool name() {
    if (!starts_name(peek())) return false;
    size_t end = at_;
    while (end < text_.size() && continues_name(text_[end])) ++end;
    add(Token::Kind::name, std::string(text_.substr(at_, end - at_)));
    at_ = end;
    return true;
  }

  void number() {
    size_t end = at_;
    const bool based = peek() == '0' && std::isalpha(static_cast<unsigned char>(peek(1))) &&
                       peek(1) != 'e' && peek(1) != 'E';
    while (end < text_.size() && (continues_name(text_[end]) || text_[end] == '.' ||
                                  (!based && (text_[end] == '+' || text_[end] == '-') &&
                                   (text_[end - 1] == 'e' || text_[end - 1] == 'E'))))
      ++end;
    const std::string source(text_.substr(at_, end - at_));
    std::string digits = source;
    std::erase(digits, '_');
    char* rest = nullptr;
    errno = 0;
    if (based || digits.find_first_of(".eE") == std::string::npos) {
      const char mark = based ? char(std::tolower(digits[1])) : 0;
      const int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 10;
      const bool zeros = digits.find_first_not_of('0') == std::string::npos;
      if (base == 10 && (based || (digits[0] == '0' && !zeros))) bad_number(source);
      const char* start = digits.c_str() + (based ? 2 : 0);
      const long long value = std::strtoll(start, &rest, base);
      if (rest == start || *rest != '\0') bad_number(source);
      if (errno) fail_at(file_, here(), "integer ", source, " does not fit 64 bits");
      add(Token::Kind::integer, source).integer = value;
    } else {
      const double value = std::strtod(digits.c_str(), &rest);
      if (*rest != '\0') bad_number(source);
      add(Token::Kind::real, source).real = value;
    }
    at_ = end;
  }

  [[noreturn]] void bad_number(const std::string& source) {
    fail_at(file_, here(), "\"", source, "\" is no number that configs use");
  }

  bool string() {
    size_t quote = at_;
    bool raw = false, formatted = false;
    for (; quote < text_.size() && quote < at_ + 3; ++quote) {
      const char c = char(std::tolower(static_cast<unsigned char>(text_[quote])));
      if (c == '\'' || c == '"') break;
      if (c == 'b' && is_quote(quote + 1)) fail_at(file_, here(), "bytes literal");
      if (c != 'r' && c != 'f' && c != 'u') return false;
      raw |= c == 'r';
      formatted |= c == 'f';
    }
    if (!is_quote(quote)) return false;
    const Place place = here();
    const std::string mark(1, text_[quote]);
    const std::string triple = mark + mark + mark;
    const bool is_triple = text_.substr(quote, 3) == triple;
    const std::string& close = is_triple ? triple : mark;
    const size_t begin = quote + close.size();
    size_t end = begin;
    for (; text_.substr(end, close.size()) != close; ++end) {
      if (end >= text_.size() || (text_[end] == '\n' && !is_triple))
        fail_at(file_, place, "string is not closed");
      if (text_[end] == '\\' && end + 1 < text_.size()) ++end;
    }
    std::string body(text_.substr(begin, end - begin));
    for (size_t cr; (cr = body.find("\r\n")) != std::string::npos;) body.erase(cr, 1);
    if (!raw && !formatted) body = unescape(body, file_, place);
    Token& token = add(formatted ? Token::Kind::format_string : Token::Kind::string, body);
    token.raw = raw;
    for (; at_ < end; ++at_) {
      if (text_[at_] != '\n') continue;
      ++line_;
      line_start_ = at_ + 1;
    }
    at_ = end + close.size();
    return true;
  }

  bool is_quote(size_t i) const {
    return i < text_.size() && (text_[i] == '\'' || text_[i] == '"');
  }

  void op() {
    static constexpr std::string_view ops[] = {
        "**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "<=", ">=", "==",
        "!=",  "->",  "+=",  "-=",  "*=",  "/=", "%=", "&=", "|=", "^=", ":=", "@=",
        "(",   ")",   "[",   "]",   "{",   "}",  ",",  ":",  ".",  ";",  "@",  "=",
        "+",   "-",   "*",   "/",   "%",   "<",  ">",  "~",  "&",  "|",  "^"};
    for (const std::string_view op : ops) {
      if (text_.substr(at_, op.size()) != op) continue;
      Token& token = add(Token::Kind::op, std::string(op));
      at_ += op.size();
      if (op == "(" || op == "[" || op == "{") {
        if (open_.size() >= 100) fail_at(file_, token.place, "brackets nested deeper than 100");
        open_.push_back(token);
      } else if (op == ")" || op == "]" || op == "}") {
        const std::string wanted = op == ")" ? "(" : op == "]" ? "[" : "{";
        if (open_.empty() || open_.back().text != wanted)
          fail_at(file_, token.place, "\"", op, "\" closes nothing");
        open_.pop_back();
      }
      return;
    }
    fail_at(file_, here(), "character \"", peek(), "\" means nothing here");
  }

  std::string_view text_;
  const std::string& file_;
  size_t at_ = 0, line_start_ = 0;
  int line_ = 1;
  bool inside_ = false;
  Place fixed_;
  std::vector<int> indents_ = {0};
  std::vector<Token> open_;
  std::vector<Token> tokens_;
};

void append_utf8(std::string& out, uint32_t c) {
  const auto tail = [&](int shift) { out += char(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) {
    out += char(c);
  } else if (c < 0x800) {
    out += char(0xC0 | (c >> 6));
    tail(0);
  } else if (c < 0x10000) {
    out += char(0xE0 | (c >> 12));
    tail(6);
    tail(0);
  } else {
    out += char(0xF0 | (c >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// Up to `most` digits of `base` from text[i] on.
uint32_t digits(std::string_view text, size_t& i, size_t most, int base) {
  const std::string piece(text.substr(i, most));
  size_t n = 0;
  uint32_t value = 0;
  for (; n < piece.size(); ++n) {
    const char c = char(std::tolower(static_cast<unsigned char>(piece[n])));
    const int digit = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
    if (digit >= base) break;
    value = value * uint32_t(base) + uint32_t(digit);
  }
  i += n;
  return value;
}

}  // namespace

std::vector<Token> tokenize(std::string_view text, const std::string& file) {
  return Tokenizer(text, file).run();
}

std::vector<Token> tokenize_inside(std::string_view text, const std::string& file, Place start) {
  return Tokenizer(text, file).run_inside(start);
}

std::string unescape(std::string_view text, const std::string& file, Place place) {
  static constexpr std::string_view simple = "\\'\"abfnrtv";
  static constexpr std::string_view meaning = "\\'\"\a\b\f\n\r\t\v";
  std::string out;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i++];
    if (c != '\\' || i == text.size()) {
      out += c;
      continue;
    }
    const char e = text[i++];
    if (const size_t which = simple.find(e); which != std::string_view::npos) {
      out += meaning[which];
    } else if (e >= '0' && e <= '7') {
      append_utf8(out, digits(text, --i, 3, 8));
    } else if (e == 'x' || e == 'u' || e == 'U') {
      const size_t length = e == 'x' ? 2 : e == 'u' ? 4 : 8, begin = i;
      const uint32_t code = digits(text, i, length, 16);
      if (i - begin != length || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        fail_at(file, place, "escape \"\\", e, "\" in a string without a valid number");
      append_utf8(out, code);
    } else if (e == 'N') {
      fail_at(file, place, "escape \"\\N\" in a string");
    } else if (e != '\n') {
      out += c;
      out += e;
    }
  }
  return out;
}

}  // namespace limber::python
