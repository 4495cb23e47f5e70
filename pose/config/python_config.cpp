#include "pose/config/python_config.h"

#include "pose/config/config_file.h"

namespace limber {

Config load_python_config(const std::string& file, ConfigChain&) {
  fail_input(file, ": Python configs cannot be read yet");
}

}  // namespace limber
