// Zip archives as PyTorch writes them: stored entries, uncompressed, zip64 where sizes need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace limber {

struct ZipEntry {
  std::string name;
  uint64_t offset = 0, size = 0;  // of the data in the file
};

bool is_zip(std::span<const std::byte> file);

// The entries of a mapped archive. Throws InputError, beginning with `name`, for anything that
// does not lie inside the file or is compressed or encrypted.
std::vector<ZipEntry> read_zip(std::span<const std::byte> file, const std::string& name);

// CRC-32 (ISO 3309) of the bytes.
uint32_t crc32(std::span<const std::byte> bytes);

class AtomicFile;

// Writes entries one by one, their data aligned to 64 bytes.
class ZipWriter {
 public:
  explicit ZipWriter(AtomicFile& file) : file_(file) {}
  void add(const std::string& name, std::span<const std::byte> data);
  void finish();  // the directory

 private:
  struct Written {
    std::string name;
    uint64_t offset = 0, size = 0;
    uint32_t crc = 0;
  };
  AtomicFile& file_;
  std::vector<Written> entries_;
};

}  // namespace limber
