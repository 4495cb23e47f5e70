// MMEngine's --cfg-options syntax.
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>

#include "pose/config/config.h"

namespace limber {
namespace {

// Python's int() and float() allow one underscore between two digits.
bool drop_underscores(std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    if (i == 0 || i + 1 == text.size() || !std::isdigit(static_cast<unsigned char>(text[i - 1])) ||
        !std::isdigit(static_cast<unsigned char>(text[i + 1])))
      return false;
  }
  text = out;
  return true;
}

std::string lower(std::string text) {
  for (char& c : text) c = char(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

bool is_integer(const std::string& text) {
  const size_t start = !text.empty() && (text[0] == '-' || text[0] == '+');
  return text.size() > start && std::all_of(text.begin() + std::ptrdiff_t(start), text.end(),
                                            [](unsigned char c) { return std::isdigit(c); });
}

// Decimal notation, inf, infinity and nan, but not strtod's hexadecimal or nan(...).
bool parse_float(const std::string& text, double& out) {
  if (text.empty() || text.find_first_of("xX()") != std::string::npos) return false;
  char* end = nullptr;
  out = std::strtod(text.c_str(), &end);
  return end == text.c_str() + text.size();
}

Config parse_scalar(const std::string& text, const std::string& option) {
  std::string number = text;
  if (drop_underscores(number)) {
    if (is_integer(number)) {
      errno = 0;
      const long long v = std::strtoll(number.c_str(), nullptr, 10);
      check_input(errno == 0, "option ", option, ": integer ", text, " is too large");
      return Config::value(int64_t(v));
    }
    double real = 0;
    if (parse_float(number, real)) return Config::value(real);
  }
  if (lower(text) == "true") return Config::value(true);
  if (lower(text) == "false") return Config::value(false);
  if (text == "None") return Config();
  return Config::value(std::string_view(text));
}

// Where the first comma outside of brackets stands, or the end.
size_t next_comma(std::string_view text) {
  int round = 0, square = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    round += (text[i] == '(') - (text[i] == ')');
    square += (text[i] == '[') - (text[i] == ']');
    if (text[i] == ',' && round == 0 && square == 0) return i;
  }
  return text.size();
}

bool balanced(std::string_view text) {
  return std::count(text.begin(), text.end(), '(') == std::count(text.begin(), text.end(), ')') &&
         std::count(text.begin(), text.end(), '[') == std::count(text.begin(), text.end(), ']');
}

Config parse_value(std::string text, const std::string& option) {
  const size_t first = text.find_first_not_of("'\"");
  text = first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of("'\"") - first + 1);
  std::erase(text, ' ');
  bool tuple = false;
  if (text.size() > 1 && ((text.front() == '(' && text.back() == ')') ||
                          (text.front() == '[' && text.back() == ']'))) {
    tuple = text.front() == '(';
    text = text.substr(1, text.size() - 2);
  } else if (text.find(',') == std::string::npos) {
    return parse_scalar(text, option);
  }
  Config list = tuple ? Config::tuple() : Config::list();
  while (!text.empty()) {
    check_input(balanced(text), "option ", option, ": brackets do not match in \"", text, "\"");
    const size_t comma = next_comma(text);
    list.push_back(parse_value(text.substr(0, comma), option));
    text = comma < text.size() ? text.substr(comma + 1) : "";
  }
  return list;
}

}  // namespace

void apply_overrides(Config& config, const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    const size_t equals = option.find('=');
    check_input(equals != std::string::npos && equals > 0, "option \"", option,
                "\": expected key.path=value");
    Config value = parse_value(option.substr(equals + 1), option);
    value.set_origin("option " + option);
    config.set_path(option.substr(0, equals), value);
  }
}

}  // namespace limber
