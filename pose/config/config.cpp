// Nodes of the configuration tree: access, typed reading, unread keys, changes.
#include "pose/config/config.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace limber {

struct Config::Node {
  Kind kind = Kind::null;
  bool tuple = false;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string string;
  std::vector<std::string> keys;  // of an object, beside `items`
  std::vector<std::shared_ptr<Node>> items;

  std::string path;
  std::shared_ptr<const std::string> origin;  // the file, for errors; null when in none
  std::set<std::string, std::less<>> asked;   // keys somebody read, present or not
  bool ignored = false;

  explicit Node(Kind k = Kind::null) : kind(k) {}

  Node* child(std::string_view key) const {
    for (size_t i = 0; i < keys.size(); ++i)
      if (keys[i] == key) return items[i].get();
    return nullptr;
  }

  std::string path_of(std::string_view key) const {
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }

  // A deep copy that nobody has read, at another place of a tree.
  std::shared_ptr<Node> copy(const std::string& new_path,
                             const std::shared_ptr<const std::string>& default_origin) const {
    auto node = std::make_shared<Node>(*this);
    node->asked.clear();
    node->ignored = false;
    node->path = new_path;
    if (!node->origin) node->origin = default_origin;
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string key = kind == Kind::object ? keys[i] : std::to_string(i);
      node->items[i] = items[i]->copy(node->path_of(key), default_origin);
    }
    return node;
  }

  void adopt(const std::shared_ptr<const std::string>& name) {
    if (!origin) origin = name;
    for (const auto& item : items) item->adopt(name);
  }
};

namespace {

const char* kind_name(Config::Kind kind) {
  constexpr const char* names[] = {"null",   "boolean", "integer", "number with a fraction",
                                   "string", "list",    "object"};
  return names[static_cast<int>(kind)];
}

}  // namespace

Config::Config() : node_(std::make_shared<Node>()) {}
Config::Config(std::shared_ptr<Node> node) : node_(std::move(node)) {}

Config::Kind Config::kind() const { return node_->kind; }
bool Config::is_tuple() const { return node_->tuple; }
const std::string& Config::path() const { return node_->path; }

std::string Config::where() const {
  const std::string path = node_->path.empty() ? "(top level)" : node_->path;
  return node_->origin ? *node_->origin + ": " + path : path;
}

void Config::expect(Kind kind, const char* wanted) const {
  if (node_->kind != kind) fail("expected ", wanted, ", got ", kind_name(node_->kind));
}

bool Config::contains(std::string_view key) const {
  if (node_->kind == Kind::null) return false;
  expect(Kind::object, "object");
  node_->asked.emplace(key);
  return node_->child(key) != nullptr;
}

bool Config::has(std::string_view key) const {
  return contains(key) && node_->child(key)->kind != Kind::null;
}

Config Config::find(std::string_view key) const {
  if (contains(key)) {
    for (size_t i = 0; i < node_->keys.size(); ++i)
      if (node_->keys[i] == key) return Config(node_->items[i]);
  }
  Config absent;
  absent.node_->path = node_->path_of(key);
  absent.node_->origin = node_->origin;
  return absent;
}

Config Config::at(std::string_view key) const {
  expect(Kind::object, "object");
  if (!contains(key)) {
    const std::string near = nearest_name(key, node_->keys);
    find(key).fail("required key is missing", near.empty() ? "" : ", is \"" + near + "\" meant?");
  }
  return find(key);
}

std::vector<std::string> Config::keys() const {
  if (node_->kind == Kind::null) return {};
  expect(Kind::object, "object");
  return node_->keys;
}

size_t Config::size() const {
  if (node_->kind == Kind::object) return node_->items.size();
  expect(Kind::list, "list");
  return node_->items.size();
}

Config Config::at(size_t index) const {
  expect(Kind::list, "list");
  if (index >= node_->items.size())
    fail("no element ", index, ", the list has ", node_->items.size());
  return Config(node_->items[index]);
}

void Config::read(bool& out) const {
  expect(Kind::boolean, "boolean");
  out = node_->boolean;
}

void Config::read(int64_t& out) const {
  expect(Kind::integer, "integer");
  out = node_->integer;
}

void Config::read(int& out) const {
  expect(Kind::integer, "integer");
  if (node_->integer < std::numeric_limits<int>::min() ||
      node_->integer > std::numeric_limits<int>::max())
    fail("integer ", node_->integer, " is too large");
  out = int(node_->integer);
}

void Config::read(double& out) const {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (node_->kind == Kind::integer) {
    out = double(node_->integer);
  } else if (node_->kind == Kind::string && node_->string == "inf") {
    out = infinity;
  } else if (node_->kind == Kind::string && node_->string == "-inf") {
    out = -infinity;
  } else if (node_->kind == Kind::string && node_->string == "nan") {
    out = std::numeric_limits<double>::quiet_NaN();
  } else {
    expect(Kind::real, "number");
    out = node_->real;
  }
}

void Config::read(float& out) const {
  double wide = 0;
  read(wide);
  out = float(wide);
}

void Config::read(std::string& out) const {
  expect(Kind::string, "string");
  out = node_->string;
}

void Config::expect_all_read() const {
  if (node_->kind != Kind::object || node_->ignored) return;
  for (size_t i = 0; i < node_->keys.size(); ++i) {
    const std::string& key = node_->keys[i];
    if (key == "_scope_" || node_->asked.count(key)) continue;
    const std::vector<std::string> known(node_->asked.begin(), node_->asked.end());
    const std::string near = nearest_name(key, known);
    const Config child(node_->items[i]);
    if (near.empty()) child.fail("unknown key", did_you_mean(key, known));
    child.fail("unknown key, did you mean \"", near, "\"?");
  }
}

void Config::ignore() const {
  node_->ignored = true;
  for (const auto& item : node_->items) Config(item).ignore();
}

Config Config::object() { return Config(std::make_shared<Node>(Kind::object)); }
Config Config::list() { return Config(std::make_shared<Node>(Kind::list)); }

Config Config::tuple() {
  Config config = list();
  config.node_->tuple = true;
  return config;
}

Config Config::value(bool v) {
  Config config(std::make_shared<Node>(Kind::boolean));
  config.node_->boolean = v;
  return config;
}

Config Config::value(int64_t v) {
  Config config(std::make_shared<Node>(Kind::integer));
  config.node_->integer = v;
  return config;
}

Config Config::value(double v) {
  Config config(std::make_shared<Node>(Kind::real));
  config.node_->real = v;
  return config;
}

Config Config::value(std::string_view v) {
  Config config(std::make_shared<Node>(Kind::string));
  config.node_->string = v;
  return config;
}

Config Config::clone() const { return Config(node_->copy(node_->path, nullptr)); }

void Config::set(std::string_view key, const Config& v) {
  expect(Kind::object, "object");
  auto copy = v.node_->copy(node_->path_of(key), node_->origin);
  for (size_t i = 0; i < node_->keys.size(); ++i) {
    if (node_->keys[i] != key) continue;
    node_->items[i] = std::move(copy);
    return;
  }
  node_->keys.emplace_back(key);
  node_->items.push_back(std::move(copy));
}

void Config::erase(std::string_view key) {
  expect(Kind::object, "object");
  const auto it = std::find(node_->keys.begin(), node_->keys.end(), key);
  if (it == node_->keys.end()) return;
  node_->items.erase(node_->items.begin() + (it - node_->keys.begin()));
  node_->keys.erase(it);
}

void Config::push_back(const Config& v) {
  expect(Kind::list, "list");
  const std::string index = std::to_string(node_->items.size());
  node_->items.push_back(v.node_->copy(node_->path_of(index), node_->origin));
}

void Config::set_path(std::string_view dotted, const Config& v) {
  const size_t dot = dotted.find('.');
  const std::string_view key = dotted.substr(0, dot);
  const bool last = dot == std::string_view::npos;
  if (key.empty()) fail("empty name in path \"", dotted, "\"");
  if (node_->kind == Kind::list) {
    const bool number = key.size() < 9 && std::all_of(key.begin(), key.end(),
                                                      [](char c) { return c >= '0' && c <= '9'; });
    if (!number) fail("\"", key, "\" is no index of this list");
    const size_t index = size_t(std::stoul(std::string(key)));
    Config element = at(index);
    if (last) {
      node_->items[index] = v.node_->copy(node_->path_of(key), node_->origin);
    } else {
      element.set_path(dotted.substr(dot + 1), v);
    }
    return;
  }
  if (node_->kind != Kind::object)
    fail("\"", dotted, "\" cannot be set inside ", kind_name(node_->kind));
  if (last) return set(key, v);
  if (!node_->child(key)) set(key, object());
  for (size_t i = 0; i < node_->keys.size(); ++i)
    if (node_->keys[i] == key) Config(node_->items[i]).set_path(dotted.substr(dot + 1), v);
}

void Config::set_origin(std::string_view name) {
  node_->adopt(std::make_shared<const std::string>(name));
}

}  // namespace limber
