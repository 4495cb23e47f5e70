// The one exception of the project, and the check that throws it.
#pragma once

#include <concepts>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

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

// A string that is written to as an output stream is. Streams themselves bring the locales of all
// languages into a program that links the inference library statically, a third of a megabyte.
class Words {
 public:
  Words& operator<<(std::string_view more);
  // Numbers as they are, without the conversions to them that other types have: true and false as 1
  // and 0, floating point as printf's %g.
  template <class T>
  requires std::is_arithmetic_v<T> Words& operator<<(T value) {
    if constexpr (std::same_as<T, char>)
      return *this << std::string_view(&value, 1);
    else if constexpr (std::floating_point<T>)
      return real(double(value));
    else if constexpr (std::signed_integral<T>)
      return integer(value);
    else
      return natural(value);
  }
  std::string text;

 private:
  Words& real(double value);
  Words& integer(int64_t value);
  Words& natural(uint64_t value);
};

// str("a", 1, shape) -> "a1(2, 3)".
template <class... Parts>
std::string str(const Parts&... parts) {
  Words out;
  (out << ... << parts);
  return std::move(out.text);
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
