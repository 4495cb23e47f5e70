#include "tensor/error.h"

#include <cstdio>

namespace limber {

Words& Words::operator<<(std::string_view more) {
  text += more;
  return *this;
}

Words& Words::operator<<(char c) {
  text += c;
  return *this;
}

Words& Words::operator<<(double number) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", number);
  text += digits;
  return *this;
}

Words& Words::integer(int64_t number) {
  text += std::to_string(number);
  return *this;
}

Words& Words::natural(uint64_t number) {
  text += std::to_string(number);
  return *this;
}

}  // namespace limber
