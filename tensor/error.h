// The one exception of the project, and the check that throws it.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace limber {

// What went wrong, in words that name the op, file, key and shapes.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Bad input from outside: a file, a config, an annotation. Programs exit with 3 on it, and with 1
// on any other error.
class InputError : public Error {
 public:
  using Error::Error;
};

// str("a", 1, shape) -> "a1(2, 3)".
template <class... Parts>
std::string str(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw Error(str(parts...));
}

template <class... Parts>
[[noreturn]] void fail_input(const Parts&... parts) {
  throw InputError(str(parts...));
}

// Throws Error with the parts joined when `condition` is false; they are not evaluated into a
// string otherwise.
template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail(parts...);
}

template <class... Parts>
void check_input(bool condition, const Parts&... parts) {
  if (!condition) [[unlikely]]
    fail_input(parts...);
}

}  // namespace limber
