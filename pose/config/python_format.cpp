// Python's format mini-language, as f-strings use it:
// [[fill]align][sign][#][0][width][,][.precision] [type] with the types d b o x X f F e E g G % s.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <string_view>

#include "pose/config/python_value.h"

namespace limber::python {
namespace {

struct Spec {
  std::string fill = " ";
  char align = 0, sign = '-', group = 0, type = 0;
  bool alternate = false;
  int width = 0, precision = -1;
};

int take_number(const std::string& text, size_t& i) {
  int number = 0;
  while (i < text.size() && std::isdigit(static_cast<unsigned char>(text[i]))) {
    number = number * 10 + (text[i++] - '0');
    if (number > 1000) fail_value("format \"", text, "\": a width or precision above 1000");
  }
  return number;
}

Spec parse(const std::string& text) {
  Spec spec;
  const std::vector<std::string> chars = characters(text);
  const auto is_align = [](const std::string& c) {
    return c == "<" || c == ">" || c == "^" || c == "=";
  };
  size_t i = 0;
  const auto at = [&](char c) { return i < text.size() && text[i] == c; };
  if (chars.size() > 1 && is_align(chars[1])) {
    spec.fill = chars[0];
    spec.align = chars[1][0];
    i = chars[0].size() + 1;
  } else if (!chars.empty() && is_align(chars[0])) {
    spec.align = text[i++];
  }
  if (at('+') || at('-') || at(' ')) spec.sign = text[i++];
  if (at('#')) spec.alternate = bool(++i);
  if (at('0')) {
    ++i;
    if (!spec.align) {
      spec.fill = "0";
      spec.align = '=';
    }
  }
  spec.width = take_number(text, i);
  if (at(',') || at('_')) spec.group = text[i++];
  if (at('.')) {
    const size_t digits = ++i;
    spec.precision = take_number(text, i);
    if (i == digits) fail_value("format \"", text, "\": a precision is missing");
  }
  if (i < text.size()) spec.type = text[i++];
  if (i != text.size()) fail_value("format \"", text, "\" is not understood");
  return spec;
}

std::string pad(const Spec& spec, const std::string& sign, const std::string& body, char align) {
  const int length = int(characters(sign + body).size());
  const int missing = std::max(0, spec.width - length);
  const auto fill = [&](int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += spec.fill;
    return out;
  };
  if (spec.align) align = spec.align;
  if (align == '=') return sign + fill(missing) + body;
  if (align == '<') return sign + body + fill(missing);
  if (align == '>') return fill(missing) + sign + body;
  return fill(missing / 2) + sign + body + fill(missing - missing / 2);
}

// Puts the separator between groups of three digits before the point.
std::string grouped(const std::string& digits, char separator) {
  if (!separator) return digits;
  const size_t whole = std::min(digits.size(), digits.find_first_not_of("0123456789"));
  std::string out = digits.substr(whole);
  for (size_t i = whole, n = 0; i-- > 0; ++n) {
    if (n && n % 3 == 0) out.insert(0, 1, separator);
    out.insert(0, 1, digits[i]);
  }
  return out;
}

std::string sign_of(const Spec& spec, bool negative) {
  if (negative) return "-";
  return spec.sign == '-' ? "" : std::string(1, spec.sign);
}

std::string format_integer(const Spec& spec, int64_t v, const std::string& text) {
  if (spec.precision >= 0) fail_value("format \"", text, "\": an int has no precision");
  uint64_t rest = v < 0 ? 0 - uint64_t(v) : uint64_t(v);
  const bool hexadecimal = spec.type == 'x' || spec.type == 'X';
  const unsigned base = hexadecimal ? 16 : spec.type == 'o' ? 8 : spec.type == 'b' ? 2 : 10;
  const std::string_view symbols = spec.type == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string digits;
  do {
    digits.insert(digits.begin(), symbols[rest % base]);
    rest /= base;
  } while (rest);
  if (base == 10) digits = grouped(digits, spec.group);
  const std::string prefix =
      spec.alternate && base != 10 ? std::string("0") + spec.type : std::string();
  return pad(spec, sign_of(spec, v < 0) + prefix, digits, '>');
}

std::string format_real(const Spec& spec, double v) {
  std::string body;
  const double magnitude = std::abs(v);
  if (spec.type == 0 && spec.precision < 0) {
    body = float_repr(magnitude);
  } else {
    const bool percent = spec.type == '%';
    const char type = percent ? 'f' : spec.type ? spec.type : 'g';
    const std::string pattern = std::string(spec.alternate ? "%#.*" : "%.*") + type;
    char buffer[1500];
    const int precision = spec.precision < 0 ? 6 : spec.precision;
    std::snprintf(buffer, sizeof buffer, pattern.c_str(), precision,
                  percent ? magnitude * 100 : magnitude);
    body = buffer;
    if (spec.type == 0 && body.find_first_of(".en") == std::string::npos) body += ".0";
    if (percent) body += "%";
  }
  return pad(spec, sign_of(spec, std::signbit(v) && !std::isnan(v)), grouped(body, spec.group),
             '>');
}

}  // namespace

std::string format(const Value& v, const std::string& text) {
  if (text.empty()) return v.text();
  const Spec spec = parse(text);
  const std::string type = spec.type ? std::string(1, spec.type) : "";
  if (v.is<std::string>()) {
    if (!type.empty() && type != "s")
      fail_value("format \"", text, "\": type ", type, " for a str");
    std::string cut;
    int count = 0;
    for (const std::string& c : characters(v.get<std::string>())) {
      if (spec.precision >= 0 && count++ >= spec.precision) break;
      cut += c;
    }
    return pad(spec, "", cut, '<');
  }
  const std::string real_types = "fFeEgG%";
  if (v.is_int() && (type.empty() || std::string("dboxX").find(type) != std::string::npos))
    return format_integer(spec, v.integer(), text);
  if (v.is_number() && ((v.is<double>() && type.empty()) ||
                        (!type.empty() && real_types.find(type) != std::string::npos)))
    return format_real(spec, v.number());
  fail_value("format \"", text, "\" for a ", v.type());
}

}  // namespace limber::python
