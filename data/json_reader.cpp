#include "data/json_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "tensor/error.h"

namespace limber {
namespace {

constexpr size_t kDeepest = 200;

}  // namespace

void append_utf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += char(code);
  } else if (code < 0x800) {
    out += char(0xC0 | (code >> 6));
    out += char(0x80 | (code & 63));
  } else if (code < 0x10000) {
    out += char(0xE0 | (code >> 12));
    out += char(0x80 | ((code >> 6) & 63));
    out += char(0x80 | (code & 63));
  } else {
    out += char(0xF0 | (code >> 18));
    out += char(0x80 | ((code >> 12) & 63));
    out += char(0x80 | ((code >> 6) & 63));
    out += char(0x80 | (code & 63));
  }
}

JsonReader::JsonReader(std::string_view text, std::string name)
    : text_(text), name_(std::move(name)) {
  if (text_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
}

void JsonReader::fail(std::string_view what) const {
  const std::string_view before = text_.substr(0, std::min(at_, text_.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t start = before.rfind('\n');
  const size_t column = before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1;
  fail_input(name_, ":", line, ":", column, ": broken JSON: ", what);
}

void JsonReader::skip_space() {
  while (at_ < text_.size() &&
         (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t'))
    ++at_;
}

bool JsonReader::at_word(std::string_view word) const {
  return text_.substr(at_, word.size()) == word;
}

JsonReader::Kind JsonReader::peek() {
  skip_space();
  if (at_ >= text_.size()) return Kind::end;
  switch (text_[at_]) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::list;
    case '"':
      return Kind::string;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      return Kind::number;
  }
}

void JsonReader::expect(char c) {
  skip_space();
  if (at_ >= text_.size()) fail(std::string("the file ends where '") + c + "' should be");
  if (text_[at_] != c) fail(std::string("expected '") + c + "', found '" + text_[at_] + "'");
  ++at_;
}

void JsonReader::begin_object() {
  expect('{');
  if (first_.size() >= kDeepest) fail("nested too deeply");
  first_.push_back(true);
}

void JsonReader::begin_list() {
  expect('[');
  if (first_.size() >= kDeepest) fail("nested too deeply");
  first_.push_back(true);
}

// To the next element of the open object or list; false at its end.
bool JsonReader::advance(char close) {
  skip_space();
  if (at_ < text_.size() && text_[at_] == close) {
    ++at_;
    first_.pop_back();
    return false;
  }
  if (!first_.back()) expect(',');
  first_.back() = false;
  return true;
}

bool JsonReader::next_key(std::string& key) {
  if (!advance('}')) return false;
  key = string();
  expect(':');
  return true;
}

bool JsonReader::next_item() { return advance(']'); }

double JsonReader::number() {
  const Kind kind = peek();
  if (kind == Kind::boolean) return boolean() ? 1 : 0;
  for (const auto& [word, value] :
       {std::pair<std::string_view, double>{"NaN", std::numeric_limits<double>::quiet_NaN()},
        {"Infinity", std::numeric_limits<double>::infinity()},
        {"-Infinity", -std::numeric_limits<double>::infinity()}})
    if (at_word(word)) {
      at_ += word.size();
      return value;
    }
  double value = 0;
  const char *begin = text_.data() + at_, *end = text_.data() + text_.size();
  const auto [stop, error] = std::from_chars(begin, end, value);
  if (error == std::errc::result_out_of_range) {
    value = *begin == '-' ? -std::numeric_limits<double>::infinity()
                          : std::numeric_limits<double>::infinity();
  } else if (error != std::errc{} || kind != Kind::number) {
    fail("expected a number");
  }
  at_ += size_t(stop - begin);
  return value;
}

int64_t JsonReader::integer() {
  peek();
  int64_t whole = 0;
  const char *begin = text_.data() + at_, *end = text_.data() + text_.size();
  const auto [stop, error] = std::from_chars(begin, end, whole);
  const bool goes_on = stop < end && (*stop == '.' || *stop == 'e' || *stop == 'E');
  if (error == std::errc{} && !goes_on) {
    at_ += size_t(stop - begin);
    return whole;
  }
  const double value = number();
  if (!(std::abs(value) < 9e15) || value != std::floor(value)) fail("expected a whole number");
  return int64_t(value);
}

bool JsonReader::boolean() {
  skip_space();
  for (const auto& [word, value] :
       {std::pair<std::string_view, bool>{"true", true}, {"false", false}})
    if (at_word(word)) {
      at_ += word.size();
      return value;
    }
  if (peek() != Kind::number) fail("expected true or false");
  return number() != 0;
}

void JsonReader::null() {
  skip_space();
  if (!at_word("null")) fail("expected null");
  at_ += 4;
}

unsigned JsonReader::hex4() {
  unsigned code = 0;
  const char* begin = text_.data() + at_;
  if (at_ + 4 > text_.size() || std::from_chars(begin, begin + 4, code, 16).ptr != begin + 4)
    fail("bad \\u escape");
  at_ += 4;
  return code;
}

std::string JsonReader::string() {
  expect('"');
  std::string out;
  while (true) {
    const size_t stop = text_.find_first_of("\"\\", at_);
    if (stop == std::string_view::npos) {
      at_ = text_.size();
      fail("the file ends within a string");
    }
    out.append(text_.substr(at_, stop - at_));
    at_ = stop + 1;
    if (text_[stop] == '"') return out;
    if (at_ >= text_.size()) fail("the file ends within a string");
    const char c = text_[at_++];
    static constexpr std::string_view escaped = "\"\\/bfnrt", meant = "\"\\/\b\f\n\r\t";
    if (const size_t which = escaped.find(c); which != std::string_view::npos) {
      out += meant[which];
    } else if (c == 'u') {
      uint32_t code = hex4();
      if (code >= 0xD800 && code < 0xDC00 && at_word("\\u")) {
        at_ += 2;
        code = 0x10000 + ((code - 0xD800) << 10) + ((hex4() - 0xDC00) & 0x3FF);
      }
      append_utf8(out, code);
    } else {
      fail("unknown escape in a string");
    }
  }
}

void JsonReader::numbers(std::vector<double>& out) {
  if (peek() != Kind::list) {
    out.push_back(number());
    return;
  }
  begin_list();
  while (next_item()) numbers(out);
}

void JsonReader::skip() {
  std::string key;
  switch (peek()) {
    case Kind::object:
      begin_object();
      while (next_key(key)) skip();
      break;
    case Kind::list:
      begin_list();
      while (next_item()) skip();
      break;
    case Kind::string:
      string();
      break;
    case Kind::boolean:
      boolean();
      break;
    case Kind::null:
      null();
      break;
    case Kind::number:
      number();
      break;
    case Kind::end:
      fail("the file ends where a value should be");
  }
}

void JsonReader::finish() {
  if (peek() != Kind::end) fail("something follows the value");
}

}  // namespace limber
