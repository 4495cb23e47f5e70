// Files that are there whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>

namespace limber {

// Writes to a temporary file beside `path`, which commit() puts in its place; without commit()
// nothing remains. Throws Error naming the path.
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
  std::string path_, temporary_;
  std::FILE* file_ = nullptr;
  uint64_t size_ = 0;
};

// A whole file, mapped for reading. Throws InputError naming the path.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace limber
