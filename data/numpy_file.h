// NumPy's files: arrays (.npy), archives of arrays (.npz) and pickled trees that hold arrays
// (cameras.pkl), read without executing anything.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nn/pickle_value.h"
#include "nn/zip_file.h"
#include "tensor/mapped_file.h"
#include "tensor/write_file.h"

namespace limber {

// One array of a mapped file, as its header says.
class NumpyArray {
 public:
  // `name` stands in errors. Throws InputError where the bytes are no .npy file.
  NumpyArray(std::shared_ptr<const MappedFile> file, std::span<const std::byte> bytes,
             std::string name);
  const std::vector<int64_t>& shape() const { return shape_; }
  int64_t numel() const;

  // Conversions; each throws InputError naming the file where the type does not fit.
  Tensor numbers() const;                  // f32, of any real, integer or boolean type
  std::vector<std::string> texts() const;  // of type U or S, as UTF-8
  PickleValue object() const;              // of type O without extents

 private:
  std::shared_ptr<const MappedFile> file_;
  std::span<const std::byte> data_;
  std::string name_, type_;
  bool column_major_ = false;
  std::vector<int64_t> shape_;
};

NumpyArray read_numpy_array(const std::string& path);
// The arrays of an archive that was saved uncompressed (numpy.savez), by name.
std::map<std::string, NumpyArray, std::less<>> read_numpy_archive(const std::string& path);

// The tree of a file that Python's pickle module wrote.
PickleValue read_pickle_file(const std::string& path);

// Archives as numpy.savez writes them, written whole or not at all.
class NumpyArchiveWriter {
 public:
  explicit NumpyArchiveWriter(const std::string& path) : file_(path), zip_(file_) {}
  void add(const std::string& name, const Tensor& numbers);                  // f32
  void add(const std::string& name, const std::vector<std::string>& texts);  // ASCII
  void finish();

 private:
  void add(const std::string& name, const std::string& type, const Shape& shape,
           std::string_view data);
  AtomicFile file_;
  ZipWriter zip_;
};

// A tree of dicts, lists, tuples, texts and numbers, as Python's pickle module (protocol 2) has it.
void write_pickle_file(const std::string& path, const PickleValue& tree);

// A number, or a list or array of them, as f32: extents of arrays are kept.
Tensor numbers_of(const PickleValue& value, const std::string& where);

}  // namespace limber
