// Runs the built limber program as its users do, for tests of whole commands.
#pragma once

#include <string>
#include <vector>

namespace limber::test {

struct ProgramResult {
  int exit_code = -1;  // -1: ended by a signal
  int signal = 0;
  std::string out, err;
};

struct ProgramLimits {
  double kill_after = -1;     // seconds until SIGKILL; negative: never
  long long file_bytes = -1;  // largest file it may write, as on a full disk; negative: any
};

// build/<preset>/bin/limber with these arguments, to its end.
ProgramResult run_program(const std::vector<std::string>& arguments,
                          const ProgramLimits& limits = {});

}  // namespace limber::test
