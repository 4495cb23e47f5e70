#include "pose/config/config_file.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

#include "pose/config/python_config.h"

namespace limber {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxChain = 50;
constexpr int kMaxFiles = 500;

std::string trimmed(std::string_view text) {
  constexpr std::string_view spaces = " \t\r\n";
  const size_t first = text.find_first_not_of(spaces);
  if (first == std::string_view::npos) return "";
  return std::string(text.substr(first, text.find_last_not_of(spaces) - first + 1));
}

bool is_word(std::string_view text, std::string_view also = "") {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           also.find(c) != std::string_view::npos;
  });
}

// "a.b" of "_base_.a.b", or "" when `inside` (of the braces) is no such reference.
std::string base_reference(std::string_view inside) {
  constexpr std::string_view prefix = "_base_.";
  const std::string name = trimmed(inside);
  if (!name.starts_with(prefix)) return "";
  const std::string path = name.substr(prefix.size());
  return is_word(path, ".") ? path : "";
}

// Calls `meaning` with what stands in each {{...}} and where that begins; it answers with the text
// that replaces the whole, or with nothing to leave it.
template <class F>
std::string replace_braces(const std::string& text, F meaning) {
  std::string out;
  size_t done = 0;
  for (size_t open = 0; (open = text.find("{{", open)) != std::string::npos;) {
    const size_t begin = open + 2, end = text.find_first_of("{}", begin);
    const bool closed = end != std::string::npos && text.compare(end, 2, "}}") == 0;
    std::optional<std::string> value;
    if (closed) value = meaning(std::string_view(text).substr(begin, end - begin), open);
    if (!value) {
      ++open;
      continue;
    }
    out.append(text, done, open - done).append(*value);
    open = done = end + 2;
  }
  return out.append(text, done);
}

// The value of "$NAME:default", maybe in quotes.
std::optional<std::string> environment(std::string_view inside, const std::string& file) {
  const auto is_quote = [](char c) { return c == '\'' || c == '"'; };
  if (!inside.empty() && is_quote(inside.front())) inside.remove_prefix(1);
  if (!inside.empty() && is_quote(inside.back())) inside.remove_suffix(1);
  const std::string body = trimmed(inside);
  const size_t colon = body.find(':');
  if (!body.starts_with('$') || colon == std::string::npos) return std::nullopt;
  const std::string name = trimmed(body.substr(1, colon - 1));
  std::string value = trimmed(body.substr(colon + 1));
  if (!is_word(name) || value.find_first_of(" \t\r\n") != std::string::npos) return std::nullopt;
  if (const char* set = std::getenv(name.c_str())) value = set;
  check_input(!value.empty(), file, ": environment variable ", name,
              " is not set and has no default here");
  return value;
}

// Marks the outermost objects that have a type.
void add_scope(Config& config, const std::string& scope) {
  if (config.is_object() && config.contains("type")) {
    if (!config.has("_scope_")) config.set("_scope_", Config::value(scope));
  } else if (config.is_object()) {
    for (const std::string& key : config.keys()) {
      Config child = config.at(key);
      add_scope(child, scope);
    }
  } else if (config.is_list()) {
    for (size_t i = 0; i < config.size(); ++i) {
      Config child = config.at(i);
      add_scope(child, scope);
    }
  }
}

Config load_json(const std::string& file, ConfigChain& chain) {
  // An unquoted {{_base_.x}} becomes a string, which is replaced once the text is read.
  const std::string raw = read_config_text(file);
  const std::string text =
      replace_braces(raw, [&](std::string_view inside, size_t at) -> std::optional<std::string> {
        const std::string path = base_reference(inside);
        if (path.empty() || (at > 0 && raw[at - 1] == '"')) return std::nullopt;
        return "\"{{_base_." + path + "}}\"";
      });
  const Config own = Config::parse(text, file);
  check_input(own.is_object(), file, ": expected an object at the top level");
  const Config bases =
      own.has("_base_") ? chain.load_bases(own.at("_base_"), file) : Config::object();
  return inherit(substitute_base_values(own, bases), bases);
}

}  // namespace

std::string read_config_text(const std::string& file) {
  std::error_code error;
  check_input(fs::is_regular_file(file, error), file, ": no such file");
  std::ifstream in(file, std::ios::binary);
  std::ostringstream content;
  content << in.rdbuf();
  check_input(bool(in), file, ": cannot be read");
  const std::string text = content.str();
  const fs::path path = fs::absolute(file).lexically_normal();
  return replace_braces(text, [&](std::string_view inside, size_t) -> std::optional<std::string> {
    const std::string name = trimmed(inside);
    if (name == "fileDirname") return path.parent_path().string();
    if (name == "fileBasename") return path.filename().string();
    if (name == "fileBasenameNoExtension") return path.stem().string();
    if (name == "fileExtname") return path.extension().string();
    return environment(inside, file);
  });
}

ConfigChain::Entry::Entry(ConfigChain& chain, const std::string& file) : chain_(chain) {
  std::error_code error;
  fs::path canonical = fs::weakly_canonical(file, error);
  if (error) canonical = file;
  std::string cycle;
  for (const std::string& open : chain.open_) {
    if (!cycle.empty() || open == canonical.string()) cycle += open + " -> ";
  }
  check_input(cycle.empty(), file, ": _base_: files inherit from each other in a circle: ", cycle,
              canonical.string());
  check_input(chain.open_.size() < kMaxChain && chain.files_ < kMaxFiles, file,
              ": _base_: too many files inherit from each other");
  ++chain.files_;
  chain.open_.push_back(canonical.string());
}

Config ConfigChain::load(const std::string& file) {
  const Entry entry(*this, file);
  const std::string extension = fs::path(file).extension().string();
  if (extension == ".json") return load_json(file, *this);
  if (extension == ".py") return load_python_config(file, *this);
  fail_input(file, ": a config file ends in .json or .py");
}

std::string find_in_configs(const std::string& name, const std::string& file) {
  std::error_code error;
  for (fs::path up = fs::absolute(file).lexically_normal().parent_path(); up.has_relative_path();
       up = up.parent_path()) {
    const fs::path candidate = (up.filename() == "configs" ? up : up / "configs") / name;
    if (fs::is_regular_file(candidate, error)) return candidate.string();
  }
  return "";
}

std::string ConfigChain::base_path(const std::string& name, const std::string& file) {
  const size_t colons = name.find("::");
  if (colons == std::string::npos)
    return (fs::path(file).parent_path() / name).lexically_normal().string();
  const std::string package = name.substr(0, colons);
  check_input(package == "mmpose", file, ": _base_: \"", name, "\" lies in the package ", package,
              ", which is not here");
  const std::string path = find_in_configs(name.substr(colons + 2), file);
  check_input(!path.empty(), file, ": _base_: no folder \"configs\" above this file holds ", name);
  return path;
}

Config ConfigChain::load_bases(const Config& base, const std::string& file) {
  std::vector<std::string> names;
  if (base.is_string()) {
    names.push_back(base.as<std::string>());
  } else {
    names = base.as<std::vector<std::string>>();
  }
  Config all = Config::object();
  std::vector<std::pair<std::string, std::string>> owners;  // key, file
  for (const std::string& name : names) {
    const std::string path = base_path(name, file);
    Config one = load(path);
    const size_t colons = name.find("::");
    if (colons != std::string::npos) add_scope(one, name.substr(0, colons));
    for (const std::string& key : one.keys()) {
      for (const auto& [other, owner] : owners)
        check_input(other != key, file, ": _base_: key \"", key, "\" is defined by two bases, ",
                    owner, " and ", path);
      owners.emplace_back(key, path);
      all.set(key, one.at(key));
    }
  }
  return all.clone();
}

void merge_config(Config& base, const Config& over) {
  for (const std::string& key : over.keys()) {
    Config value = over.at(key).clone();
    if (value.is_object() && base.contains(key)) {
      const Config flag = value.find("_delete_");
      const bool replace = !flag.is_null() && flag.as<bool>();
      value.erase("_delete_");
      if (!replace) {
        Config below = base.at(key);
        if (!below.is_object())
          value.fail("an object cannot be merged with the base's value ", below.dump(-1),
                     ", set _delete_ in it to replace that");
        merge_config(below, value);
        continue;
      }
    }
    base.set(key, value);
  }
}

Config inherit(const Config& own, Config bases) {
  merge_config(bases, own);
  for (const std::string& key : bases.keys())
    if (key.starts_with("__") || key == "_base_" || key == "_deprecation_") bases.erase(key);
  return bases.clone();
}

Config base_value(const std::string& dotted, const Config& bases, const Config& user) {
  Config value = bases;
  std::istringstream names(dotted);
  for (std::string name; std::getline(names, name, '.');) {
    if (!value.is_object() || !value.contains(name))
      user.fail("{{_base_.", dotted, "}}: the bases have no \"", name, "\"",
                value.is_object() ? did_you_mean(name, value.keys()) : "");
    value = value.at(name);
  }
  return value;
}

Config substitute_base_values(const Config& config, const Config& bases) {
  if (config.is_object()) {
    Config out = config.clone();
    for (const std::string& key : config.keys())
      out.set(key, substitute_base_values(config.at(key), bases));
    return out;
  }
  if (config.is_list()) {
    Config out = config.is_tuple() ? Config::tuple() : Config::list();
    for (size_t i = 0; i < config.size(); ++i)
      out.push_back(substitute_base_values(config.at(i), bases));
    return out;
  }
  if (config.is_string()) {
    const std::string text = config.as<std::string>();
    std::vector<std::string> paths;
    const std::string rest =
        replace_braces(text, [&](std::string_view inside, size_t) -> std::optional<std::string> {
          std::string path = base_reference(inside);
          if (path.empty()) return std::nullopt;
          paths.push_back(std::move(path));
          return "";
        });
    if (paths.empty()) return config;
    if (paths.size() > 1 || !rest.empty())
      config.fail("{{_base_...}} stands for a whole value, not for a part of a string: ", text);
    return base_value(paths[0], bases, config);
  }
  return config;
}

Config load_config(const std::string& file) { return ConfigChain().load(file); }

}  // namespace limber
