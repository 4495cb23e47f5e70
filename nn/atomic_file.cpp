#include "nn/atomic_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>

#include "tensor/error.h"

namespace limber {

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
  static std::atomic<int> counter{0};
  temporary_ = str(path, ".", getpid(), ".", counter++, ".tmp");
  file_ = std::fopen(temporary_.c_str(), "wbx");
  check(file_ != nullptr, temporary_, ": cannot be written: ", std::strerror(errno));
}

AtomicFile::~AtomicFile() {
  if (!file_) return;
  std::fclose(file_);
  std::remove(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  check(std::fwrite(bytes.data(), 1, bytes.size(), file_) == bytes.size(), temporary_,
        ": cannot be written: ", std::strerror(errno));
  size_ += bytes.size();
}

void AtomicFile::commit() {
  const bool flushed = std::fflush(file_) == 0 && fsync(fileno(file_)) == 0;
  check(flushed, temporary_, ": cannot be written: ", std::strerror(errno));
  check(std::rename(temporary_.c_str(), path_.c_str()) == 0, path_,
        ": cannot be written: ", std::strerror(errno));
  std::fclose(file_);
  file_ = nullptr;
}

MappedFile::MappedFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  check_input(descriptor >= 0, path, ": cannot be opened: ", std::strerror(errno));
  struct stat status {};
  const bool regular = fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode);
  if (regular && status.st_size > 0) {
    void* p = mmap(nullptr, size_t(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (p != MAP_FAILED) {
      data_ = static_cast<const std::byte*>(p);
      size_ = size_t(status.st_size);
    }
  }
  close(descriptor);
  check_input(regular && (status.st_size == 0 || data_), path, ": cannot be read as a file");
}

MappedFile::~MappedFile() {
  if (data_) munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace limber
