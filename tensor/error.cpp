#include "tensor/error.h"

#include <cstdio>

namespace limber {

Words& Words::operator<<(std::string_view more) {
  text += more;
  return *this;
}

Words& Words::real(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%g", value);
  text += digits;
  return *this;
}

Words& Words::integer(int64_t value) {
  text += std::to_string(value);
  return *this;
}

Words& Words::natural(uint64_t value) {
  text += std::to_string(value);
  return *this;
}

}  // namespace limber
