// Tensors in safetensors files: an 8-byte length, a JSON header of types, extents and offsets, and
// the numbers, little endian. https://github.com/huggingface/safetensors
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/mapped_file.h"
#include "tensor/tensor.h"

namespace limber {

struct NamedTensor {
  std::string name;
  Tensor value;
};

// Readers map the file; tensors are copied out of it one by one.
class SafetensorsFile {
 public:
  struct Entry {
    std::string name;
    DType dtype = DType::f32;
    Shape shape;
    size_t offset = 0;  // bytes from the start of the file
  };

  // Throws InputError naming file, tensor and offset where the header lies about the file: sizes
  // that do not fit, ranges that overlap or leave gaps, unknown types, more than six dimensions.
  explicit SafetensorsFile(const std::string& path);
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::string& path() const { return path_; }
  const std::vector<Entry>& entries() const { return entries_; }  // in the order of their bytes
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  bool contains(std::string_view name) const;

  // In the type of the file. Throws InputError for a name that is not there.
  Tensor read(std::string_view name) const;
  Tensor read(const Entry& entry) const;

 private:
  void parse_header();
  void check_ranges() const;

  std::string path_;
  MappedFile file_;
  const std::byte* data_;
  size_t bytes_;
  std::vector<Entry> entries_;
  std::map<std::string, std::string> metadata_;
};

// All at once or not at all (tensor/write_file.h). Names must differ.
void write_safetensors(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace limber
