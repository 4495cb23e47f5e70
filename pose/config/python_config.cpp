#include "pose/config/python_config.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "pose/config/config_file.h"
#include "pose/config/python_evaluator.h"

namespace limber {
namespace {

namespace fs = std::filesystem;
using python::Evaluator;
using python::fail_at;
using python::Statement;
using python::Value;

// Runs the statements of one file, and those of the modules it reads with read_base().
class Module {
 public:
  Module(const std::string& file, ConfigChain& chain)
      : file_(file), chain_(chain), evaluator_(file_) {}

  Config config() {
    statements_ = python::parse_module(read_config_text(file_), file_);
    Config bases = Config::object();
    if (const Statement* base = base_statement()) {
      // Bases are read before anything else, so their names cannot depend on the file's.
      Evaluator alone(file_);
      Config names = python::to_config(alone.evaluate(*base->value));
      names.set_origin(file_);
      bases = chain_.load_bases(names, file_);
    }
    const Value base_value = python::from_config(bases);
    evaluator_.set_bases(base_value);
    run(statements_);
    if (evaluator_.used_bases()) bases = python::to_config(base_value);
    Config own = python::to_config(own_names());
    own.set_origin(file_);
    return inherit(substitute_base_values(own, bases), bases);
  }

  // A module in read_base(): all its names, with those it imported.
  void read() {
    statements_ = python::parse_module(read_config_text(file_), file_);
    run(statements_);
  }

 private:
  static bool assigns_base(const Statement& s) {
    return s.kind == Statement::Kind::assign && s.targets[0]->kind == python::Expr::Kind::name &&
           s.targets[0]->text == "_base_";
  }

  const Statement* base_statement() const {
    const auto it = std::find_if(statements_.begin(), statements_.end(), assigns_base);
    return it == statements_.end() ? nullptr : &*it;
  }

  Value own_names() {
    auto own = std::make_shared<python::Dict>();
    for (const auto& [name, value] : evaluator_.names().items())
      if (!imported_.count(name.text())) own->set(name, value);
    return own;
  }

  void run(const std::vector<Statement>& statements) {
    for (const Statement& statement : statements) run(statement);
  }

  void run(const Statement& s) {
    evaluator_.step(s.place);
    switch (s.kind) {
      case Statement::Kind::expression:
        evaluator_.evaluate(*s.value);
        break;
      case Statement::Kind::assign: {
        if (assigns_base(s)) break;
        const Value value = evaluator_.evaluate(*s.value);
        for (const auto& target : s.targets) evaluator_.assign(*target, value);
        break;
      }
      case Statement::Kind::augmented:
        augment(s);
        break;
      case Statement::Kind::loop:
        for (const Value& element : elements(s)) {
          evaluator_.assign(*s.targets[0], element);
          run(s.body);
        }
        break;
      case Statement::Kind::branch:
        run(evaluator_.evaluate(*s.value).truthy() ? s.body : s.orelse);
        break;
      case Statement::Kind::import:
        import(s);
        break;
      case Statement::Kind::read_base:
        for (const Statement& line : s.body)
          if (line.kind == Statement::Kind::import) read_base(line);
        break;
      case Statement::Kind::pass:
        break;
    }
  }

  std::vector<Value> elements(const Statement& s) {
    try {
      return python::iterate(evaluator_.evaluate(*s.value));
    } catch (const python::ValueError& error) {
      fail_at(file_, s.place, error.what());
    }
  }

  // list += iterable changes the list itself; everything else makes a new value.
  void augment(const Statement& s) {
    const Value left = evaluator_.evaluate(*s.targets[0]);
    const Value right = evaluator_.evaluate(*s.value);
    try {
      const python::Sequence* list = left.sequence();
      if (s.text == "+" && list && list->kind == python::Sequence::Kind::list) {
        python::call_method(left, "extend", {{right}, {}});
        evaluator_.assign(*s.targets[0], left);
      } else {
        evaluator_.assign(*s.targets[0], python::arithmetic(s.text, left, right));
      }
    } catch (const python::ValueError& error) {
      fail_at(file_, s.place, error.what());
    }
  }

  void import(const Statement& s) {
    for (const auto& [name, alias] : s.names) {
      if (name == "*")
        fail_at(file_, s.place, "\"from ", s.module, " import *\" outside of read_base()");
      // `import a.b` binds a, `import a.b as c` and `from a import b` bind the last name.
      const bool package = s.module.empty() && alias == name.substr(0, name.find('.'));
      const std::string last = package ? alias : name.substr(name.rfind('.') + 1);
      evaluator_.names().set(Value(alias), python::Imported{last});
      imported_.insert(alias);
    }
  }

  std::string module_file(const Statement& s) const {
    std::string relative = s.module;
    std::replace(relative.begin(), relative.end(), '.', '/');
    relative += ".py";
    fs::path folder = fs::absolute(file_).lexically_normal().parent_path();
    if (s.level > 0) {
      for (int i = 1; i < s.level; ++i) folder = folder.parent_path();
      return (folder / relative).string();
    }
    for (fs::path up = folder; up.has_relative_path(); up = up.parent_path())
      if (fs::is_regular_file(up / relative)) return (up / relative).string();
    // "package.configs.x" in a tree that is not the package's.
    const size_t inside = relative.find("/configs/");
    const std::string found =
        inside == std::string::npos ? "" : find_in_configs(relative.substr(inside + 9), file_);
    return found.empty() ? relative : found;
  }

  void read_base(const Statement& s) {
    const std::string file = module_file(s);
    std::error_code error;
    if (!fs::is_regular_file(file, error))
      fail_at(file_, s.place, "the module ", s.module, " is not here (", file, ")");
    const ConfigChain::Entry entry(chain_, file);
    Module module(file, chain_);
    module.read();
    python::Dict& names = module.evaluator_.names();
    for (const auto& [name, alias] : s.names) {
      if (name == "*") {
        for (const auto& [key, value] : names.items())
          if (!key.text().starts_with("__")) evaluator_.names().set(key, value);
      } else {
        const Value* value = names.find(name);
        if (!value) fail_at(file_, s.place, file, " does not define \"", name, "\"");
        evaluator_.names().set(Value(alias), *value);
      }
    }
    imported_.insert(module.imported_.begin(), module.imported_.end());
  }

  std::string file_;
  ConfigChain& chain_;
  Evaluator evaluator_;
  std::vector<Statement> statements_;
  std::set<std::string> imported_;
};

}  // namespace

Config load_python_config(const std::string& file, ConfigChain& chain) {
  try {
    return Module(file, chain).config();
  } catch (const python::ValueError& error) {
    fail_input(file, ": ", error.what());
  }
}

}  // namespace limber
