#include "tests/support/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

#include "tensor/error.h"
#include "tests/support/temp_folder.h"

namespace limber::test {
namespace {

std::string content(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(char* const* argv, const char* out, const char* err, long long bytes) {
  const int out_fd = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  const int err_fd = open(err, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  dup2(out_fd, 1);
  dup2(err_fd, 2);
  if (bytes >= 0) {
    const rlimit limit{rlim_t(bytes), rlim_t(bytes)};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  execv(argv[0], argv);
  _exit(127);
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& arguments, const ProgramLimits& limits) {
  const TempFolder folder;
  const std::string out = folder.path("out"), err = folder.path("err");
  std::vector<std::string> words{std::string(LIMBER_PROGRAM_DIR) + "/limber"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t child = fork();
  check(child >= 0, "cannot fork");
  if (child == 0) become(argv.data(), out.c_str(), err.c_str(), limits.file_bytes);
  if (limits.kill_after >= 0) {
    std::this_thread::sleep_for(std::chrono::duration<double>(limits.kill_after));
    kill(child, SIGKILL);  // not yet waited for, so the number is still its own
  }
  int status = 0;
  check(waitpid(child, &status, 0) == child, "cannot wait for ", words[0]);
  ProgramResult result;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  result.out = content(out);
  result.err = content(err);
  return result;
}

}  // namespace limber::test
