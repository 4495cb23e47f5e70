// JSON text to and from the configuration tree. Stricter than Python's reader in one point: a key
// that appears twice in one object is an error.
#include <cmath>
#include <nlohmann/json.hpp>

#include "pose/config/config.h"

namespace limber {
namespace {

constexpr size_t kMaxDepth = 200;

std::string line_and_column(std::string_view text, size_t offset) {
  offset = std::min(offset, text.size());
  size_t line = 1, column = 1;
  for (size_t i = 0; i + 1 < offset; ++i) {
    ++column;
    if (text[i] == '\n') {
      ++line;
      column = 1;
    }
  }
  return str("line ", line, ", column ", column);
}

// Receives the parser's events and builds the tree. Containers are put into their parent when they
// open and filled in place.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, std::string_view name) : text_(text), name_(name) {}
  const Config& root() const { return root_; }

  bool null() override { return put(Config()); }
  bool boolean(bool v) override { return put(Config::value(v)); }
  bool number_integer(int64_t v) override { return put(Config::value(v)); }
  bool number_unsigned(uint64_t v) override {
    check_input(v <= uint64_t(INT64_MAX), prefix(), place(), ": integer ", v, " is too large");
    return put(Config::value(int64_t(v)));
  }
  bool number_float(double v, const std::string&) override { return put(Config::value(v)); }
  bool string(std::string& v) override { return put(Config::value(std::string_view(v))); }
  bool binary(nlohmann::json::binary_t&) override { return false; }

  bool start_object(size_t) override { return open(Config::object()); }
  bool start_array(size_t) override { return open(Config::list()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(std::string& name) override {
    check_input(!open_.back().contains(name), prefix(), place(), ": key \"", name,
                "\" appears twice");
    key_ = name;
    return true;
  }
  bool parse_error(size_t offset, const std::string&,
                   const nlohmann::json::exception& error) override {
    std::string reason = error.what();
    reason = reason.substr(std::min(reason.size(), reason.find("] ") + 2));
    const size_t colon = reason.find(": ");
    if (reason.starts_with("parse error") && colon != std::string::npos)
      reason = reason.substr(colon + 2);
    fail_input(prefix(), line_and_column(text_, offset), ": ", reason);
  }

 private:
  std::string prefix() const { return name_.empty() ? "" : name_ + ": "; }
  std::string place() const {
    return open_.empty() || open_.back().path().empty() ? "(top level)" : open_.back().path();
  }

  bool put(const Config& v) {
    if (open_.empty()) {
      root_ = v;
    } else if (open_.back().is_list()) {
      open_.back().push_back(v);
    } else {
      open_.back().set(key_, v);
    }
    return true;
  }

  bool open(const Config& container) {
    check_input(open_.size() < kMaxDepth, prefix(), place(), ": nested deeper than ", kMaxDepth);
    put(container);
    if (open_.empty()) {
      open_.push_back(root_);
    } else {
      const Config& parent = open_.back();
      open_.push_back(parent.is_list() ? parent.at(parent.size() - 1) : parent.at(key_));
    }
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string name_;
  Config root_;
  std::vector<Config> open_;
  std::string key_;
};

nlohmann::ordered_json to_json(const Config& config) {
  switch (config.kind()) {
    case Config::Kind::null:
      return nullptr;
    case Config::Kind::boolean:
      return config.as<bool>();
    case Config::Kind::integer:
      return config.as<int64_t>();
    case Config::Kind::real: {
      const double v = config.as<double>();
      if (std::isfinite(v)) return v;
      return std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf";
    }
    case Config::Kind::string:
      return config.as<std::string>();
    case Config::Kind::list: {
      auto list = nlohmann::ordered_json::array();
      for (size_t i = 0; i < config.size(); ++i) list.push_back(to_json(config.at(i)));
      return list;
    }
    case Config::Kind::object:
      break;
  }
  auto object = nlohmann::ordered_json::object();
  for (const std::string& key : config.keys()) object[key] = to_json(config.at(key));
  return object;
}

}  // namespace

Config Config::parse(std::string_view json_text, std::string_view name) {
  Builder builder(json_text, name);
  nlohmann::json::sax_parse(json_text, &builder);
  Config root = builder.root().clone();
  if (!name.empty()) root.set_origin(name);
  return root;
}

std::string Config::dump(int indent) const {
  // Works on a copy: printing a tree does not read it. Bytes that are not UTF-8 are replaced.
  return to_json(clone()).dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace limber
