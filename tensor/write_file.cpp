#include "tensor/write_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tensor/error.h"

namespace limber {
namespace {

// A file under a temporary name; gone when it is not committed.
class Temporary {
 public:
  explicit Temporary(const std::string& path)
      : path_(path), temporary_(path + ".tmp" + std::to_string(getpid())) {
    file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file_ < 0) fail_here("cannot create");
  }
  ~Temporary() {
    if (file_ >= 0) close(file_);
    if (!committed_) unlink(temporary_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(file_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail_here("cannot write");
      bytes.remove_prefix(size_t(n));
    }
  }

  void commit() {
    if (fsync(file_) != 0) fail_here("cannot write");
    const int closed = close(file_);
    file_ = -1;
    if (closed != 0) fail_here("cannot write");
    if (rename(temporary_.c_str(), path_.c_str()) != 0) fail_here("cannot replace");
    committed_ = true;
    sync_folder();
  }

 private:
  [[noreturn]] void fail_here(const char* what) const {
    fail_input(path_, ": ", what, ": ", std::strerror(errno));
  }

  // The rename itself survives a power cut only once the folder is on the disk. Some file systems
  // cannot do that; the file is whole either way.
  void sync_folder() const {
    const size_t slash = path_.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
    const int handle = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) return;
    fsync(handle);
    close(handle);
  }

  std::string path_, temporary_;
  int file_ = -1;
  bool committed_ = false;
};

}  // namespace

void write_file_atomically(const std::string& path,
                           const std::function<void(const FileSink&)>& write) {
  Temporary file(path);
  write([&](std::string_view bytes) { file.append(bytes); });
  file.commit();
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  write_file_atomically(path, [&](const FileSink& sink) { sink(bytes); });
}

}  // namespace limber
