// The configuration tree: MMPose's own vocabulary, with paths in every error.
//
// A Config is a cheap handle to a node. It knows its path ("model.backbone.depth") and the file it
// was written in, and remembers which of its keys somebody asked for, so that a misspelt key is an
// error with the nearest known name rather than a silently ignored default. Copying a Config copies
// the handle; what set() and push_back() store is a copy of the tree. Not to be read by two threads
// at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensor/error.h"

namespace limber {

class Config {
 public:
  enum class Kind { null, boolean, integer, real, string, list, object };

  Config();  // null
  // `name` (a file name) stands in front of the path in errors. Throws InputError with line and
  // column where the text is not JSON.
  static Config parse(std::string_view json_text, std::string_view name = "");

  Kind kind() const;
  bool is_null() const { return kind() == Kind::null; }
  bool is_object() const { return kind() == Kind::object; }
  bool is_list() const { return kind() == Kind::list; }
  bool is_string() const { return kind() == Kind::string; }
  bool is_number() const { return kind() == Kind::integer || kind() == Kind::real; }
  // A list that was written as a tuple in a Python config; readers need not care.
  bool is_tuple() const;
  const std::string& path() const;
  // "configs/x.json: model.backbone", the beginning of every error message about this node.
  std::string where() const;
  // Throws InputError: where(), then the parts.
  template <class... Parts>
  [[noreturn]] void fail(const Parts&... parts) const {
    fail_input(where(), ": ", parts...);
  }

  // Objects. `has` is false for an absent key and for one whose value is null; `contains` is true
  // for the latter. Asking either way counts as reading the key.
  bool has(std::string_view key) const;
  bool contains(std::string_view key) const;
  Config at(std::string_view key) const;    // throws when absent
  Config find(std::string_view key) const;  // null when absent
  std::vector<std::string> keys() const;    // in file order
  std::string type() const { return get<std::string>("type"); }

  // Lists.
  size_t size() const;
  Config at(size_t index) const;

  // Values: bool, int, int64_t, float, double, std::string, and std::vector and std::array of these
  // (nested too). Throws InputError naming the path and both types where the value does not fit; a
  // whole number fits a float, a float never fits an int.
  template <class T>
  T as() const;
  template <class T>
  T get(std::string_view key) const {
    return at(key).as<T>();
  }
  template <class T>
  T get(std::string_view key, T fallback) const {
    return has(key) ? at(key).as<T>() : (find(key), fallback);
  }

  // Throws InputError for the first key of this node (not of its children) that nobody asked
  // for, with the nearest key somebody did ask for. Builders call it after reading their node.
  // `_scope_` is nobody's key and always allowed.
  void expect_all_read() const;
  // Marks all keys below this node as read: for parts that are understood elsewhere.
  void ignore() const;

  // Building and changing trees.
  static Config object();
  static Config list();
  static Config tuple();
  static Config value(bool v);
  static Config value(int v) { return value(int64_t(v)); }
  static Config value(int64_t v);
  static Config value(double v);
  static Config value(std::string_view v);
  static Config value(const char* v) { return value(std::string_view(v)); }
  Config clone() const;                             // deep copy, nothing marked as read
  void set(std::string_view key, const Config& v);  // object: adds or replaces
  void erase(std::string_view key);
  void push_back(const Config& v);
  // "a.b.0.c" from this node on; missing objects on the way are made, list elements must exist.
  void set_path(std::string_view dotted, const Config& v);
  // Nodes that come from no file yet are reported as written in `name` from now on.
  void set_origin(std::string_view name);

  // JSON text. Not-a-number and infinities become the strings "nan", "inf", "-inf", which read
  // back as numbers. A negative indent puts everything on one line.
  std::string dump(int indent = 2) const;

 private:
  struct Node;
  std::shared_ptr<Node> node_;
  explicit Config(std::shared_ptr<Node> node);
  void read(bool& out) const;
  void read(int& out) const;
  void read(int64_t& out) const;
  void read(float& out) const;
  void read(double& out) const;
  void read(std::string& out) const;
  template <class T>
  void read(std::vector<T>& out) const;
  template <class T, size_t N>
  void read(std::array<T, N>& out) const;
  void expect(Kind kind, const char* wanted) const;
};

template <class T>
T Config::as() const {
  T out{};
  read(out);
  return out;
}

template <class T>
void Config::read(std::vector<T>& out) const {
  expect(Kind::list, "list");
  for (size_t i = 0; i < size(); ++i) out.push_back(at(i).as<T>());
}

template <class T, size_t N>
void Config::read(std::array<T, N>& out) const {
  expect(Kind::list, "list");
  if (size() != N) fail("expected ", N, " values, got ", size());
  for (size_t i = 0; i < N; ++i) out[i] = at(i).as<T>();
}

// Reads a config file, .json or .py (MMPose's own, see python_config.h), with MMEngine's rules:
// `_base_` names a file or a list of files relative to this one, two of them must not define the
// same top-level key; objects merge key by key, everything else replaces; an object with
// `_delete_: true` replaces too. `{{_base_.a.b}}` is a base's value, `{{fileDirname}}`,
// `{{fileBasename}}`, `{{fileBasenameNoExtension}}`, `{{fileExtname}}` and `{{$ENV:default}}` are
// replaced in the text. Throws InputError naming file and key.
Config load_config(const std::string& file);

// Applies "key.path=value" overrides in MMEngine's --cfg-options syntax: a value is an int, else a
// float, else true/false, else None, else a string; `[a,b]`, `(a,b)` and `a,b` are lists, nested at
// will; quotes around and spaces inside a value vanish.
void apply_overrides(Config& config, const std::vector<std::string>& options);

// The candidate nearest to `name` in edit distance, or "" when none is near.
std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates);

// The end of an error message about an unknown type: which one is near, which ones there are.
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace limber
