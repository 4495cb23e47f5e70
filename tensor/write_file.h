// Writing files that are either the old one or the whole new one, never half of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace limber {

// Writes to a temporary neighbour; commit() flushes it to the disk and renames it over `path`.
// Without commit() the temporary file is removed and what stood at `path` stays. Throws InputError
// naming the path and the system's reason (no space, no permission, no folder).
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  uint64_t size() const { return size_; }
  void commit();

 private:
  [[noreturn]] void fail_here(const char* what) const;
  void sync_folder() const;

  std::string path_, temporary_;
  int file_ = -1;
  uint64_t size_ = 0;
  bool committed_ = false;
};

// What a writer is handed: appends bytes to the file that is being written.
using FileSink = std::function<void(std::string_view bytes)>;

// The whole of an AtomicFile in one call.
void write_file_atomically(const std::string& path,
                           const std::function<void(const FileSink&)>& write);
void write_file_atomically(const std::string& path, std::string_view bytes);

// The folder and those above it, where they are not there yet. Throws InputError naming it.
void make_folder(const std::string& path);

}  // namespace limber
