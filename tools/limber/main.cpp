// limber: train, evaluate and run pose estimation models.
#include <csignal>
#include <cstdio>
#include <new>

#include "tensor/error.h"
#include "tools/limber/commands.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{"limber trains, evaluates and runs pose estimation models."};
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 2 wrong usage, 3 bad input or config, 1 anything else.\n"
      "`limber COMMAND --help` tells more.");
  limber::tool::add_train(app);
  limber::tool::add_test(app);
  limber::tool::add_eval(app);
  limber::tool::add_predict(app);
  limber::tool::add_lift(app);
  limber::tool::add_info(app);
  limber::tool::add_config(app);
  limber::tool::add_convert(app);
  limber::tool::add_browse(app);
  limber::tool::add_synth(app);
  limber::tool::add_synth3d(app);
  limber::tool::add_report(app);
  limber::tool::add_bench(app);
  limber::tool::add_export(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the size limit is an error of the write, not an end
  try {
    return run(argc, argv);
  } catch (const limber::InputError& error) {
    std::fprintf(stderr, "limber: %s\n", error.what());
    return 3;
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "limber: out of memory\n");
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "limber: %s\n", error.what());
    return 1;
  }
}
