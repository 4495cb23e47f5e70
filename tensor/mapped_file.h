// Files read through memory mapping: large checkpoints are not read twice into memory.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace limber {

// A whole file, mapped for reading. Throws InputError naming the path.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::byte> bytes() const { return {data_, size_}; }
  // Lets the system have the memory of these bytes back; who reads them again waits for the file.
  void release(std::span<const std::byte> part) const;

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace limber
