#include "tensor/write_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "tensor/error.h"

namespace limber {
AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  static std::atomic<int> counter{0};
  temporary_ = str(path, ".", getpid(), ".", counter++, ".tmp");
  file_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file_ < 0) fail_here("cannot create");
}

AtomicFile::~AtomicFile() {
  if (file_ >= 0) close(file_);
  if (!committed_) unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  size_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t n = ::write(file_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_here("cannot write");
    bytes = bytes.subspan(size_t(n));
  }
}

void AtomicFile::commit() {
  if (fsync(file_) != 0) fail_here("cannot write");
  const int closed = close(file_);
  file_ = -1;
  if (closed != 0) fail_here("cannot write");
  if (rename(temporary_.c_str(), path_.c_str()) != 0) fail_here("cannot replace");
  committed_ = true;
  sync_folder();
}

void AtomicFile::fail_here(const char* what) const {
  fail_input(path_, ": ", what, ": ", std::strerror(errno));
}

// The rename itself survives a power cut only once the folder is on the disk. Some file systems
// cannot do that; the file is whole either way.
void AtomicFile::sync_folder() const {
  const size_t slash = path_.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path_.substr(0, slash + 1);
  const int handle = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) return;
  fsync(handle);
  close(handle);
}

void write_file_atomically(const std::string& path,
                           const std::function<void(const FileSink&)>& write) {
  AtomicFile file(path);
  write([&](std::string_view bytes) { file.write(std::as_bytes(std::span(bytes))); });
  file.commit();
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  write_file_atomically(path, [&](const FileSink& sink) { sink(bytes); });
}

void make_folder(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  check_input(!error, path, ": cannot create the folder: ", error.message());
}

}  // namespace limber
