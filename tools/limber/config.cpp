// limber config FILE: the resolved tree as JSON.
#include <cstdio>
#include <memory>

#include "tools/limber/commands.h"

namespace limber::tool {

void add_config(CLI::App& app) {
  CLI::App* command = app.add_subcommand("config", "print a config with everything resolved");
  const auto args = std::make_shared<ConfigArguments>();
  args->add_file(*command);
  args->add_options(*command);
  command->callback([args] { std::printf("%s\n", args->load().dump().c_str()); });
}

}  // namespace limber::tool
